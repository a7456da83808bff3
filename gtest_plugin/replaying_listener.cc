#include "gtest_plugin/replaying_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/collision_report.h"
#include "gtest_plugin/exit_with.h"
#include "gtest_plugin/full_output.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/interruption.h"
#include "gtest_plugin/keep.h"
#include "gtest_plugin/loss_report.h"
#include "gtest_plugin/replay.h"
#include "gtest_plugin/surroundings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "isolate/internal/monotonic.h"
#include "isolate/internal/realtime.h"
#include "isolate/isolation.h"
#include "isolate/kept_sandbox.h"

namespace isolate::gtest {

using ::isolate::internal::MonotonicNow;
using ::isolate::internal::RealtimeNow;
using ::testing::TestInfo;
using ::testing::TestPartResult;
using ::testing::TestSuite;
using ::testing::UnitTest;

namespace {

bool IsFailure(const Part& part) {
  return part.type == TestPartResult::kNonFatalFailure ||
         part.type == TestPartResult::kFatalFailure;
}

// No test was left out, by whatever.
bool IsComplete(const UnitTest& unit_test) {
  return unit_test.test_to_run_count() ==
             unit_test.total_test_count() - unit_test.disabled_test_count() &&
         !(GTEST_FLAG_GET(fail_fast) && unit_test.Failed());
}

}  // namespace

ReplayingListener* ReplayingListener::instance_ = nullptr;

void ReplayingListener::OnTestIterationStart(const UnitTest&, int) {
  if (ending_) {
    EndProgram();  // instead of a repetition
  }
  ++iteration_;
  begun_ = false;
}

void ReplayingListener::OnTestProgramEnd(const UnitTest& unit_test) {
  GiveBackSuiteFunctions();
  if (Interruption() != 0) {
    EndProgram();
  }
  leaks_.PrintSummary(IsComplete(unit_test));
  if (audits_names_) {
    PrintCollisions(collisions_.Find());
  }
  FinishReports();
}

void ReplayingListener::FinishReports(absl::string_view error) {
  fflush(stdout);
  fputs(SumUpLosses(scheduler_->losses()).c_str(), stderr);
  if (report_ != nullptr && audits_names_) {
    report_->AddEncounters(collisions_.Find());
  }
  if (report_ != nullptr) {
    report_->AddLosses(scheduler_->losses());
  }
  for (const absl::Status& status : {report_ != nullptr ? report_->Finish(error) : absl::OkStatus(),
                                     trace_ != nullptr ? trace_->Finish(error) : absl::OkStatus(),
                                     history_ != nullptr ? history_->Write() : absl::OkStatus()}) {
    if (!status.ok()) {
      fflush(stdout);
      fprintf(stderr, "isolate: %s\n", std::string(status.message()).c_str());
    }
  }
  if (timing_ != nullptr) {
    fflush(stdout);
    fputs(timing_->Text().c_str(), stderr);
  }
}

void ReplayingListener::ExitNotIsolated(const absl::Status& status) {
  if (trace_ != nullptr) {
    scheduler_->End();  // so that it has what runs
  }
  FinishReports(status.message());
  ExitWith(status, judged_);
}

// After an end by a signal, of that signal; at the end of time as after a failure.
void ReplayingListener::EndProgram() {
  FinishReports();
  if (Interruption() != 0) {
    DieOfInterruption();
  }
  exit(1);
}

void ReplayingListener::OnTestSuiteStart(const TestSuite& suite) {
  // The first suite of an iteration: the tests and their order are settled and
  // the environments are set up.  (OnEnvironmentsSetUpEnd would be too few: a
  // repetition need not set environments up again.)
  if (!begun_) {
    begun_ = true;
    if (!told_what_is_missed_) {
      told_what_is_missed_ = true;
      fputs(WhatTestsMiss(same_network_).c_str(), stderr);
    }
    CatchInterruptions([] { instance_->scheduler_->Interrupt(); });
    HoldBackSuiteFunctions(*UnitTest::GetInstance());
    if (absl::Status status = scheduler_->Begin(*UnitTest::GetInstance(), suite_functions_);
        !status.ok()) {
      ExitNotIsolated(status);
    }
    if (!told_losses_) {
      told_losses_ = true;
      fflush(stdout);
      fputs(TellLosses(scheduler_->losses(), "tests run without (--isolate_prefer)").c_str(),
            stderr);
    }
  }
  first_test_ = scheduler_->FirstTestOf(suite);
  shown_failures_.clear();
  kept_failures_.clear();
  last_tear_down_.clear();
}

void ReplayingListener::HoldBackSuiteFunctions(const UnitTest& unit_test) {
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

void ReplayingListener::GiveBackSuiteFunctions() {
  for (const auto& [suite, functions] : suite_functions_) {
    auto* mutable_suite = const_cast<TestSuite*>(suite);
    mutable_suite->*MemberOf(internal::SetUpFunction{}) = functions.set_up;
    mutable_suite->*MemberOf(internal::TearDownFunction{}) = functions.tear_down;
  }
  suite_functions_.clear();
}

TestReport& ReplayingListener::Wait(const TestInfo& test) {
  if (Interruption() != 0) {
    scheduler_->Interrupt();  // for the wait in which it came was over
  }
  const bool waits = trace_ != nullptr && scheduler_->ReportOf(test) == nullptr;
  const absl::Time before = waits ? RealtimeNow() : absl::Time();
  absl::StatusOr<TestReport*> report = scheduler_->Wait(test);
  if (waits) {
    trace_->AddWait(test, before, RealtimeNow());
  }
  if (!report.ok()) {
    ExitNotIsolated(report.status());
  }
  if (scheduler_->ending() && !ending_) {
    EndTheRun();
  }
  return **report;
}

// gtest comes to the test that was running, which has failed, and skips what follows.
void ReplayingListener::EndTheRun() {
  ending_ = true;
  fflush(stdout);
  const std::string cause =
      Interruption() != 0
          ? absl::StrCat("by SIG", sigabbrev_np(Interruption()))
          : absl::StrCat("as Bazel's time limit of ", absl::FormatDuration(run_limit_),
                         " (TEST_TIMEOUT) is nearly over");
  fprintf(stderr, "isolate: the run was ended %s; these tests were running:\n", cause.c_str());
  for (const auto& [test, report] : scheduler_->interrupted()) {
    fprintf(stderr, "  %s.%s%s\n", test->test_suite_name(), test->name(),
            report != nullptr ? WhereItStood(*report).c_str() : "");
  }
}

// Stands in place of SetUpTestSuite: what the first test's set-up did is
// reported where gtest reports it, under the suite.
void ReplayingListener::ReplaySuiteSetUp() {
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
  TestReport& last = instance_->scheduler_->LastOfProcess(*test);
  KeepFullOutput(*test, last);
  if (last.whole()) {
    instance_->last_tear_down_ = std::move(last.suite_tear_down);
  } else {
    Replay(last.suite_tear_down);
    ReplayEnd(*test, last, instance_->scheduler_->TimeLimitOf(*test), instance_->ending_);
  }
  instance_->KeepSandbox(*test, /*failed=*/true);
}

// Stands in place of TearDownTestSuite: the last test's, and failures of other
// tests' set-ups and tear-downs that have not been shown yet.
void ReplayingListener::ReplaySuiteTearDown() {
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

void ReplayingListener::OnTestStart(const TestInfo& test) {
  if (trace_ != nullptr) {
    test_started_ = RealtimeNow();
  }
  stand_in_.Start(test);
}

void ReplayingListener::ReplayBody(const TestInfo& test) {
  TestReport& report = Wait(test);
  ReplayErr(report.err);
  // The suite's set-up ran for every test, and is told of once, unless it is
  // where this test's process ended.
  if (!report.started && &test != first_test_) {
    Replay(report.suite_set_up);
  }
  Replay(report.test);
  if (audits_names_) {
    collisions_.Add(absl::StrCat(test.test_suite_name(), ".", test.name()), report.footprint,
                    report.leaks);
  }
  if (!scheduler_->losses().empty()) {
    ::testing::Test::RecordProperty("isolate_kinds", NamesOf(scheduler_->IsolationOf(test)));
  }
  leaks_.Judge(test, report.leaks, report.whole() && !test.result()->Failed());
  if (!report.whole()) {
    if (report.ended) {
      Replay(report.suite_tear_down);
    }
    ReplayEnd(test, report, scheduler_->TimeLimitOf(test), ending_);
  }
}

void ReplayingListener::OnTestEnd(const TestInfo& test) {
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
    if (TestReport* report = scheduler_->ReportOf(test);
        report != nullptr && report->whole() && !report->suite_tear_down.empty()) {
      TakeTearDown(*report);
    }
    scheduler_->Drop(test);
    AddToReports(test, TestReport());
    return;
  }
  TestReport& report = Wait(test);
  ReplayTime(test, report);
  if (&test != first_test_ && report.started) {
    KeepSuiteFailures(report.suite_set_up);
  }
  if (report.whole()) {
    TakeTearDown(report);
  }
  KeepFullOutput(test, report);
  KeepSandbox(test, test.result()->Failed());
  AddToReports(test, report);
  scheduler_->Forget(test);
}

void ReplayingListener::KeepSandbox(const TestInfo& test, bool failed) {
  const std::unique_ptr<isolate::KeptSandbox> sandbox = scheduler_->TakeSandbox(test, failed);
  // Nobody waits at the end of a run that is ended, for a person or for a copy.
  if (sandbox != nullptr && !ending_) {
    const absl::Time before = MonotonicNow();
    Keep(test, *sandbox, keep_failed_, outputs_);
    scheduler_->Postpone(MonotonicNow() - before);
  }
}

void ReplayingListener::AddToReports(const TestInfo& test, const TestReport& report) {
  if (report_ != nullptr) {
    report_->AddTest(test, report, iteration_);
  }
  if (trace_ != nullptr) {
    trace_->AddTest(test, iteration_, test_started_, RealtimeNow());
  }
}

void ReplayingListener::OnTestSuiteEnd(const TestSuite& suite) {
  if (report_ != nullptr) {
    report_->AddSuite(suite, iteration_);
  }
}

void ReplayingListener::TakeTearDown(TestReport& report) {
  KeepSuiteFailures(last_tear_down_);
  last_tear_down_ = std::move(report.suite_tear_down);
}

void ReplayingListener::KeepSuiteFailures(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (step.part.has_value() && IsFailure(*step.part) &&
        std::find(shown_failures_.begin(), shown_failures_.end(), *step.part) ==
            shown_failures_.end()) {
      shown_failures_.push_back(*step.part);
      kept_failures_.push_back(*step.part);
    }
  }
}

}  // namespace isolate::gtest
