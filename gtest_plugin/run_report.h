#ifndef GTEST_PLUGIN_RUN_REPORT_H_
#define GTEST_PLUGIN_RUN_REPORT_H_

// The machine-readable report of a run, --isolate_report; docs/report.md says what stands in it.
// Lives in the runner.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/collisions.h"
#include "gtest_plugin/report_file.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_report.h"
#include "isolate/executor.h"
#include "isolate/result.h"

namespace isolate::gtest {

class RunReport {
 public:
  // Opens the settings' report files, which become empty, and writes their beginning.
  // InvalidArgument that names the file where one cannot be opened, or is named twice.
  static absl::StatusOr<std::unique_ptr<RunReport>> Create(const Settings& settings);

  // Adds a test that gtest is about to end.  `report`: what its process told, empty for one that
  // had none; of a process that ran several tests the last one's has what became of it.  Costs a
  // write of some hundred bytes.
  void AddTest(const ::testing::TestInfo& test, const TestReport& report, int iteration);

  // Adds a suite that gtest is about to end, if its set-up or tear-down failed.
  void AddSuite(const ::testing::TestSuite& suite, int iteration);

  // Adds what the names that the tests used come to (--isolate_audit); once, before Finish.
  void AddEncounters(const Encounters& encounters);

  // Adds what the host refused and the tests ran without; once, before Finish.
  void AddLosses(const std::vector<Executor::Loss>& losses);

  // Writes the end.  `error`: why no more tests could be isolated, if that is so.  What could not
  // be written is the error: each such file's name, with the errno.
  absl::Status Finish(absl::string_view error = "");

 private:
  explicit RunReport(std::vector<ReportFile> files);

  void Write(const std::string& text);

  std::vector<ReportFile> files_;
  const absl::Time started_;
  const Namespaces outside_;
  bool has_tests_ = false;
  std::map<std::string, int64_t> outcomes_;  // how many tests had each
  std::map<std::string, int64_t> leaks_;     // how many of each kind
  std::vector<std::string> suites_;          // each an object
  std::string losses_;                       // an array, in JSON; empty: none
  std::string encounters_;                   // the keys of an object, with a comma behind each
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_RUN_REPORT_H_
