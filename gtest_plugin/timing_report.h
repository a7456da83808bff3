#ifndef GTEST_PLUGIN_TIMING_REPORT_H_
#define GTEST_PLUGIN_TIMING_REPORT_H_

// --isolate_verbose=timing: where the time of the tests' processes went, step by step.  Lives in
// the runner.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest_plugin/scheduler.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"

namespace isolate::gtest {

// Holds eight bytes for each step of each process.
class TimingReport : public ProcessObserver {
 public:
  // `executes`: the settings' spawn is exec.
  explicit TimingReport(bool executes) : executes_(executes) {}

  void OnProcessEnd(const Assignment& assignment, const std::vector<int>& workers,
                    const std::vector<TestReport>& reports, bool interrupted) override;
  void OnProcessLost(const Assignment&, const std::vector<int>&, absl::Time) override {}
  void OnHugePages(absl::Duration took) override { Add("put memory into huge pages", took); }

  // A table with a line for each step, in the order of events: how often it was, the median, the
  // maximum and the sum.
  std::string Text() const;

 private:
  struct Step {
    std::string name;
    std::vector<int64_t> nanoseconds;
  };

  void Add(const std::string& name, absl::Duration duration);

  const bool executes_;
  int64_t processes_ = 0;
  std::vector<Step> steps_;
  std::map<std::string, size_t> indices_;  // by name
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TIMING_REPORT_H_
