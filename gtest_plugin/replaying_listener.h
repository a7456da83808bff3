#ifndef GTEST_PLUGIN_REPLAYING_LISTENER_H_
#define GTEST_PLUGIN_REPLAYING_LISTENER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/allowed_leaks.h"
#include "gtest_plugin/collisions.h"
#include "gtest_plugin/history.h"
#include "gtest_plugin/leak_report.h"
#include "gtest_plugin/run_report.h"
#include "gtest_plugin/run_trace.h"
#include "gtest_plugin/scheduler.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/stand_in.h"
#include "gtest_plugin/test_report.h"
#include "gtest_plugin/timing_report.h"
#include "isolate/options.h"

namespace isolate::gtest {

// Stands, in the runner, between gtest's loop and the test processes: in place of each test, set-up
// and tear-down of a suite it replays what a process told of it.
class ReplayingListener : public ::testing::EmptyTestEventListener {
 public:
  // `scheduler` ends the run in time for the settings' run_limit.  One in a process.
  // `report`, `trace` and `history` may be null.
  ReplayingListener(std::unique_ptr<Scheduler> scheduler, std::unique_ptr<RunReport> report,
                    std::unique_ptr<RunTrace> trace, std::unique_ptr<History> history,
                    const Settings& settings, AllowedLeaks allowed_leaks)
      : trace_(std::move(trace)),
        history_(std::move(history)),
        timing_(settings.tells_timing
                    ? std::make_unique<TimingReport>(settings.spawn == Spawn::kExec)
                    : nullptr),
        scheduler_(std::move(scheduler)),
        report_(std::move(report)),
        run_limit_(settings.run_limit),
        keep_failed_(settings.keep_failed),
        outputs_(settings.options.full_output_folder),
        leaks_(settings.leaks, std::move(allowed_leaks)),
        audits_names_(settings.options.audit_names),
        same_network_(settings.options.network == Network::kHost),
        told_what_is_missed_(settings.spawn == Spawn::kExec) {
    instance_ = this;
    scheduler_->set_history(history_.get());
    if (trace_ != nullptr) {
      scheduler_->AddObserver(trace_.get());
    }
    if (timing_ != nullptr) {
      scheduler_->AddObserver(timing_.get());
    }
  }

  void OnTestIterationStart(const ::testing::UnitTest&, int) override;
  void OnTestSuiteStart(const ::testing::TestSuite& suite) override;
  void OnTestStart(const ::testing::TestInfo& test) override;
  void OnTestEnd(const ::testing::TestInfo& test) override;
  void OnTestSuiteEnd(const ::testing::TestSuite& suite) override;
  void OnTestIterationEnd(const ::testing::UnitTest&, int) override { scheduler_->End(); }
  void OnTestProgramEnd(const ::testing::UnitTest&) override;

  // There is one in this process.
  static bool installed() { return instance_ != nullptr; }

 private:
  void HoldBackSuiteFunctions(const ::testing::UnitTest& unit_test);
  void GiveBackSuiteFunctions();
  static void ReplaySuiteSetUp();
  static void ReplaySuiteTearDown();

  TestReport& Wait(const ::testing::TestInfo& test);
  void EndTheRun();
  [[noreturn]] void EndProgram();
  [[noreturn]] void ExitNotIsolated(const absl::Status& status);
  void KeepSandbox(const ::testing::TestInfo& test, bool failed);
  void AddToReports(const ::testing::TestInfo& test, const TestReport& report);
  void FinishReports(absl::string_view error = "");
  void ReplayBody(const ::testing::TestInfo& test);
  void TakeTearDown(TestReport& report);
  void KeepSuiteFailures(const std::vector<Step>& steps);

  static ReplayingListener* instance_;

  // They outlive the scheduler, which they observe.
  const std::unique_ptr<RunTrace> trace_;
  const std::unique_ptr<History> history_;
  const std::unique_ptr<TimingReport> timing_;
  const std::unique_ptr<Scheduler> scheduler_;
  const std::unique_ptr<RunReport> report_;
  const absl::Duration run_limit_;
  const absl::Duration keep_failed_;
  const std::string outputs_;
  LeakReport leaks_;
  const bool audits_names_;
  Collisions collisions_;  // of the tests that have run, if they are audited
  const bool same_network_;
  SuiteFunctionsMap suite_functions_;
  int iteration_ = 0;  // from 1 on
  bool begun_ = false;
  int judged_ = 0;
  bool ending_ = false;
  bool told_what_is_missed_;  // or there is nothing
  bool told_losses_ = false;

  // Of the suite that gtest runs now.
  const ::testing::TestInfo* first_test_ = nullptr;
  std::vector<Part> shown_failures_;
  std::vector<Part> kept_failures_;
  std::vector<Step> last_tear_down_;
  absl::Time test_started_;  // the one that gtest runs now; for the trace

  StandIn stand_in_{[this](const ::testing::TestInfo& test) { ReplayBody(test); }};
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_REPLAYING_LISTENER_H_
