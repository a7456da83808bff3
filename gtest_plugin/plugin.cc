#include "gtest_plugin/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/interruption.h"
#include "gtest_plugin/replay.h"
#include "gtest_plugin/scheduler.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/snapshot.h"
#include "gtest_plugin/spawn.h"
#include "gtest_plugin/stacks.h"
#include "gtest_plugin/stand_in.h"
#include "gtest_plugin/surroundings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "gtest_plugin/traits_of_tests.h"
#include "isolate/executor.h"
#include "isolate/internal/monotonic.h"
#include "isolate/options.h"
#include "isolate/reporter.h"
#include "isolate/setup_failure.h"

GTEST_DECLARE_string_(internal_run_death_test);

namespace isolate::gtest {
namespace {

using ::isolate::internal::MonotonicNow;
using ::testing::TestInfo;
using ::testing::TestPartResult;
using ::testing::TestSuite;
using ::testing::UnitTest;

constexpr int kWrongUseExitCode = 2;

// What tells the runner, and it alone, which tests to run and where to report: another
// gtest program that a test executes must not do that, too.
constexpr const char* kRunnersVariables[] = {
    "XML_OUTPUT_FILE",        "TEST_PREMATURE_EXIT_FILE", "GTEST_OUTPUT",
    "TEST_SHARD_INDEX",       "TEST_TOTAL_SHARDS",        "TEST_SHARD_STATUS_FILE",
    "GTEST_SHARD_INDEX",      "GTEST_TOTAL_SHARDS",       "GTEST_SHARD_STATUS_FILE",
    "GTEST_STREAM_RESULT_TO",
};

// Of Bazel's time limit a twentieth is kept for the end of the run.
constexpr int kShareForReport = 20;

// `judged`: how many tests have ended.
[[noreturn]] void ExitWith(const absl::Status& status, int judged) {
  fflush(stdout);
  const std::string message(status.message());
  // A step that failed with EINVAL has this code, too.
  if ((absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status)) &&
      !GetSetupFailure(status).has_value()) {
    fprintf(stderr, "isolate: %s\n", message.c_str());
    exit(kWrongUseExitCode);
  }
  if (judged == 0) {
    fprintf(stderr, "isolate: the tests cannot be isolated, so none was run.\n");
  } else {
    fprintf(stderr, "isolate: stopped after %d tests, as the next one cannot be isolated.\n",
            judged);
  }
  fprintf(stderr, "%s\nTo run tests without isolation, give --isolate=off.\n", message.c_str());
  exit(kNotIsolatedExitCode);
}

bool IsFailure(const Part& part) {
  return part.type == TestPartResult::kNonFatalFailure ||
         part.type == TestPartResult::kFatalFailure;
}

// When the run has to end so that its report is written before Bazel ends it: the tests that
// run need their grace, and a large report some seconds.
absl::Time RunDeadline(const Settings& settings) {
  const absl::Duration limit = settings.run_limit;
  if (limit == absl::InfiniteDuration()) {
    return absl::InfiniteFuture();
  }
  const absl::Duration margin =
      std::max(settings.options.grace + absl::Seconds(3), limit / kShareForReport);
  return MonotonicNow() - Age() + limit - std::min(margin, limit / 2);
}

int RunAssignment(const Assignment& assignment, const Settings& settings, Reporter& reporter) {
  if (settings.spawn == Spawn::kExec) {
    ExecTests(assignment, reporter);
  }
  return assignment.snapshot ? RunSnapshot(assignment, settings, reporter)
                             : RunTests(assignment, reporter);
}

// The listener that stands between gtest's loop and the test processes.
class Plugin : public ::testing::EmptyTestEventListener {
 public:
  Plugin(std::unique_ptr<Executor> executor, const Settings& settings)
      : scheduler_(std::move(executor), settings, RunDeadline(settings), RunAssignment),
        run_limit_(settings.run_limit),
        same_network_(settings.options.network == Network::kHost),
        told_what_is_missed_(settings.spawn == Spawn::kExec) {}

  void OnTestIterationStart(const UnitTest&, int) override;
  void OnTestSuiteStart(const TestSuite& suite) override;
  void OnTestStart(const TestInfo& test) override;
  void OnTestEnd(const TestInfo& test) override;
  void OnTestIterationEnd(const UnitTest&, int) override { scheduler_.End(); }
  void OnTestProgramEnd(const UnitTest&) override;

  static bool installed() { return instance_ != nullptr; }

 private:
  void HoldBackSuiteFunctions(const UnitTest& unit_test);
  void GiveBackSuiteFunctions();
  static void ReplaySuiteSetUp();
  static void ReplaySuiteTearDown();

  TestReport& Wait(const TestInfo& test);
  void EndTheRun();
  [[noreturn]] static void EndProgram();
  void ReplayBody(const TestInfo& test);
  void TakeTearDown(TestReport& report);
  void KeepSuiteFailures(const std::vector<Step>& steps);

  static Plugin* instance_;

  Scheduler scheduler_;
  const absl::Duration run_limit_;
  const bool same_network_;
  SuiteFunctionsMap suite_functions_;
  bool begun_ = false;
  int judged_ = 0;
  bool ending_ = false;
  bool told_what_is_missed_;  // or there is nothing

  // Of the suite that gtest runs now.
  const TestInfo* first_test_ = nullptr;
  std::vector<Part> shown_failures_;
  std::vector<Part> kept_failures_;
  std::vector<Step> last_tear_down_;

  StandIn stand_in_{[this](const TestInfo& test) { ReplayBody(test); }};

  friend void InstallPlugin(std::unique_ptr<Executor> executor, const Settings& settings);
};

Plugin* Plugin::instance_ = nullptr;

void Plugin::OnTestIterationStart(const UnitTest&, int) {
  if (ending_) {
    EndProgram();  // instead of a repetition
  }
  begun_ = false;
}

void Plugin::OnTestProgramEnd(const UnitTest&) {
  GiveBackSuiteFunctions();
  if (Interruption() != 0) {
    EndProgram();
  }
}

// After an end by a signal, of that signal; at the end of time as after a failure.
void Plugin::EndProgram() {
  if (Interruption() != 0) {
    DieOfInterruption();
  }
  exit(1);
}

void Plugin::OnTestSuiteStart(const TestSuite& suite) {
  // The first suite of an iteration: the tests and their order are settled and
  // the environments are set up.  (OnEnvironmentsSetUpEnd would be too few: a
  // repetition need not set environments up again.)
  if (!begun_) {
    begun_ = true;
    if (!told_what_is_missed_) {
      told_what_is_missed_ = true;
      fputs(WhatTestsMiss(same_network_).c_str(), stderr);
    }
    CatchInterruptions([] { instance_->scheduler_.Interrupt(); });
    HoldBackSuiteFunctions(*UnitTest::GetInstance());
    if (absl::Status status = scheduler_.Begin(*UnitTest::GetInstance(), suite_functions_);
        !status.ok()) {
      ExitWith(status, judged_);
    }
  }
  first_test_ = scheduler_.FirstTestOf(suite);
  shown_failures_.clear();
  kept_failures_.clear();
  last_tear_down_.clear();
}

void Plugin::HoldBackSuiteFunctions(const UnitTest& unit_test) {
  for (int i = 0; i < unit_test.total_test_suite_count(); ++i) {
    auto* suite = const_cast<TestSuite*>(unit_test.GetTestSuite(i));
    auto& set_up = suite->*MemberOf(internal::SetUpFunction{});
    auto& tear_down = suite->*MemberOf(internal::TearDownFunction{});
    if (suite_functions_.emplace(suite, SuiteFunctions{set_up, tear_down}).second) {
      set_up = &ReplaySuiteSetUp;
      tear_down = &ReplaySuiteTearDown;
    }
  }
}

void Plugin::GiveBackSuiteFunctions() {
  for (const auto& [suite, functions] : suite_functions_) {
    auto* mutable_suite = const_cast<TestSuite*>(suite);
    mutable_suite->*MemberOf(internal::SetUpFunction{}) = functions.set_up;
    mutable_suite->*MemberOf(internal::TearDownFunction{}) = functions.tear_down;
  }
  suite_functions_.clear();
}

TestReport& Plugin::Wait(const TestInfo& test) {
  if (Interruption() != 0) {
    scheduler_.Interrupt();  // for the wait in which it came was over
  }
  absl::StatusOr<TestReport*> report = scheduler_.Wait(test);
  if (!report.ok()) {
    ExitWith(report.status(), judged_);
  }
  if (scheduler_.ending() && !ending_) {
    EndTheRun();
  }
  return **report;
}

// gtest comes to the test that was running, which has failed, and skips what follows.
void Plugin::EndTheRun() {
  ending_ = true;
  fflush(stdout);
  const std::string cause =
      Interruption() != 0
          ? absl::StrCat("by SIG", sigabbrev_np(Interruption()))
          : absl::StrCat("as Bazel's time limit of ", absl::FormatDuration(run_limit_),
                         " (TEST_TIMEOUT) is nearly over");
  fprintf(stderr, "isolate: the run was ended %s; these tests were running:\n", cause.c_str());
  for (const auto& [test, report] : scheduler_.interrupted()) {
    fprintf(stderr, "  %s.%s%s\n", test->test_suite_name(), test->name(),
            report != nullptr ? WhereItStood(*report).c_str() : "");
  }
}

// Stands in place of SetUpTestSuite: what the first test's set-up did is
// reported where gtest reports it, under the suite.
void Plugin::ReplaySuiteSetUp() {
  const TestInfo* test = instance_->first_test_;
  if (test == nullptr) {
    return;
  }
  TestReport& report = instance_->Wait(*test);
  Replay(report.suite_set_up);
  for (const Step& step : report.suite_set_up) {
    if (step.part.has_value()) {
      instance_->shown_failures_.push_back(*step.part);
    }
  }
  if (std::none_of(instance_->shown_failures_.begin(), instance_->shown_failures_.end(),
                   IsFailure)) {
    return;
  }
  // After a failure gtest runs none of the suite's tests, so what else is in
  // this report would never be told.
  TestReport& last = instance_->scheduler_.LastOfProcess(*test);
  if (last.whole()) {
    instance_->last_tear_down_ = std::move(last.suite_tear_down);
  } else {
    Replay(last.suite_tear_down);
    ReplayEnd(*test, last, instance_->scheduler_.TimeLimitOf(*test), instance_->ending_);
  }
}

// Stands in place of TearDownTestSuite: the last test's, and failures of other
// tests' set-ups and tear-downs that have not been shown yet.
void Plugin::ReplaySuiteTearDown() {
  std::vector<Part> kept = std::move(instance_->kept_failures_);
  for (const Step& step : instance_->last_tear_down_) {
    if (step.part.has_value()) {
      kept.erase(std::remove(kept.begin(), kept.end(), *step.part), kept.end());
    }
  }
  Replay(instance_->last_tear_down_);
  for (const Part& part : kept) {
    Replay(part);
  }
}

void Plugin::OnTestStart(const TestInfo& test) { stand_in_.Start(test); }

void Plugin::ReplayBody(const TestInfo& test) {
  const TestReport& report = Wait(test);
  ReplayErr(report.err);
  // The suite's set-up ran for every test, and is told of once, unless it is
  // where this test's process ended.
  if (!report.started && &test != first_test_) {
    Replay(report.suite_set_up);
  }
  Replay(report.test);
  if (!report.whole()) {
    if (report.ended) {
      Replay(report.suite_tear_down);
    }
    ReplayEnd(test, report, scheduler_.TimeLimitOf(test), ending_);
  }
}

void Plugin::OnTestEnd(const TestInfo& test) {
  stand_in_.End(test);
  ++judged_;
  if (ending_) {
    // With it gtest skips all tests after one that failed, and writes its reports.  Not
    // before: when a Test object goes, gtest sets its flags back.
    GTEST_FLAG_SET(fail_fast, true);
  }
  // gtest announces tests that it skips, after a failure with fail_fast or in a
  // set-up, as those that it runs.
  if (!stand_in_.ran()) {
    // The last one of a process tells of the suite's tear-down all the same.
    if (TestReport* report = scheduler_.ReportOf(test);
        report != nullptr && report->whole() && !report->suite_tear_down.empty()) {
      TakeTearDown(*report);
    }
    scheduler_.Drop(test);
    return;
  }
  TestReport& report = Wait(test);
  (const_cast<::testing::TestResult*>(test.result())->*MemberOf(internal::SetElapsedTime{}))(
      report.elapsed_ms);
  if (&test != first_test_ && report.started) {
    KeepSuiteFailures(report.suite_set_up);
  }
  if (report.whole()) {
    TakeTearDown(report);
  }
  scheduler_.Forget(test);
}

void Plugin::TakeTearDown(TestReport& report) {
  KeepSuiteFailures(last_tear_down_);
  last_tear_down_ = std::move(report.suite_tear_down);
}

void Plugin::KeepSuiteFailures(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (step.part.has_value() && IsFailure(*step.part) &&
        std::find(shown_failures_.begin(), shown_failures_.end(), *step.part) ==
            shown_failures_.end()) {
      shown_failures_.push_back(*step.part);
      kept_failures_.push_back(*step.part);
    }
  }
}

// Appends the plugin when the tests are about to run, and so behind all listeners
// of the user's.  Ends are told to the last listener first: what the plugin makes of
// a test's result, all others then see.
class Appender : public ::testing::EmptyTestEventListener {
 public:
  explicit Appender(std::unique_ptr<Plugin> plugin) : plugin_(std::move(plugin)) {}

  void OnTestProgramStart(const UnitTest& unit_test) override {
    if (absl::Status status = CheckTraits(unit_test); !status.ok()) {
      ExitWith(status, /*judged=*/0);
    }
    if (plugin_ != nullptr) {
      // gtest owns its listeners.
      const_cast<UnitTest&>(unit_test).listeners().Append(plugin_.release());
    }
  }

 private:
  std::unique_ptr<Plugin> plugin_;
};

void InstallPlugin(std::unique_ptr<Executor> executor, const Settings& settings) {
  auto plugin = std::make_unique<Plugin>(std::move(executor), settings);
  Plugin::instance_ = plugin.get();
  UnitTest::GetInstance()->listeners().Append(new Appender(std::move(plugin)));
}

// The descriptors lead to the same file, as they do on a terminal and under
// Bazel: then the order of what comes over them matters.
bool IsSameFile(int a, int b) {
  struct stat of_a;
  struct stat of_b;
  return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

}  // namespace

absl::Status TryInstall(int* argc, char** argv) {
  if (Plugin::installed()) {
    return absl::FailedPreconditionError(
        "the plugin is installed already; call Install once, and not where //gtest_plugin:main is "
        "linked");
  }
  absl::StatusOr<Settings> settings = ParseSettings(argc, argv);
  if (!settings.ok()) {
    return settings.status();
  }
  if (internal::PrintedHelp()) {
    printf("\n%s", FlagsHelp().c_str());
    return absl::OkStatus();
  }
  if (!settings->isolate || GTEST_FLAG_GET(list_tests) ||
      !GTEST_FLAG_GET(internal_run_death_test).empty()) {
    return absl::OkStatus();
  }
  if (IsSpawned()) {
    PrepareStacks(argv[0]);
    return InstallSpawned();
  }
  if (absl::optional<std::string> debugger = Debugger();
      debugger.has_value() && !settings->isolate_given) {
    fprintf(
        stderr,
        "isolate: the tests run without isolation, under %s; to isolate them all the same, give "
        "--isolate=on.\n",
        debugger->c_str());
    return absl::OkStatus();
  }
  PrepareStacks(argv[0]);
  settings->options.hidden_environment.assign(std::begin(kRunnersVariables),
                                              std::end(kRunnersVariables));
  settings->options.merge_stderr = IsSameFile(STDOUT_FILENO, STDERR_FILENO);
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(settings->options, settings->ready());
  if (!executor.ok()) {
    return executor.status();
  }
  InstallPlugin(*std::move(executor), *settings);
  return absl::OkStatus();
}

void Install(int* argc, char** argv) {
  if (absl::Status status = TryInstall(argc, argv); !status.ok()) {
    ExitWith(status, /*judged=*/0);
  }
}

}  // namespace isolate::gtest
