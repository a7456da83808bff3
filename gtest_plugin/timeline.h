#ifndef GTEST_PLUGIN_TIMELINE_H_
#define GTEST_PLUGIN_TIMELINE_H_

// What a process did, as slices of time for a picture of the run: on each worker's track they nest
// and do not overlap.  Pure code.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "isolate/result.h"

namespace isolate::gtest {

struct Slice {
  std::string name;
  const char* category = "";
  absl::Time begun;
  absl::Time ended;
  int worker = 0;
  // What it is of, for whoever knows more of that; null: of neither.
  const TestReport* process = nullptr;  // the process's last
  const TestReport* test = nullptr;
};

// A process that has ended.
struct TimedProcess {
  std::string suite;
  std::vector<std::string> tests;          // that it was to run
  const std::vector<TestReport>* reports;  // of those that it came to
  std::vector<int> workers;                // that it had; it ran on the first
  bool snapshot = false;                   // the tests had processes of their own
  bool executed = false;                   // the program anew (--isolate_spawn=exec)
};

// What is known of it without its reports.
TimedProcess ProcessOf(const Assignment& assignment, const std::vector<int>& workers,
                       bool executed);

// "Suite.Test", or "Suite" for several tests.
std::string NameOf(const TimedProcess& process);

// Its slices, those around others before them.  They point into the reports.
std::vector<Slice> SlicesOf(const TimedProcess& process);

// Places intervals on as few lanes as are needed for none of a lane to overlap, if they come in the
// order of their ends or nearly so.  Holds one time for each lane.
class Lanes {
 public:
  // The lane, from 0 on.
  size_t Place(absl::Time begun, absl::Time ended);

 private:
  std::vector<absl::Time> ends_;  // of the last interval of each lane
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TIMELINE_H_
