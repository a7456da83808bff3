#include "gtest_plugin/snapshot.h"

#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "gtest_plugin/crash.h"
#include "gtest_plugin/exit_with.h"
#include "gtest_plugin/full_output.h"
#include "gtest_plugin/interruption.h"
#include "gtest_plugin/keep.h"
#include "gtest_plugin/replay.h"
#include "gtest_plugin/scheduler.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/stand_in.h"
#include "gtest_plugin/surroundings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "isolate/executor.h"
#include "isolate/kept_sandbox.h"
#include "isolate/leak.h"
#include "isolate/options.h"
#include "isolate/reporter.h"

namespace isolate::gtest {
namespace {

using ::testing::TestInfo;
using ::testing::TestPartResult;

// How the tests' processes differ from the suite's.
Options InnerOptions(const Settings& settings) {
  Options options = settings.options;
  // Whoever records the names that the suite's process uses hears of those of its forks, too.
  options.audit_names = false;
  // What the runner's sandboxes have, these have, too; nobody would tell of another loss.
  options.preferred = {};
  // Over before the suite's own, which has to tell of them.
  options.grace -= std::min(absl::Seconds(1), options.grace / 2);
  if (settings.scope == Scope::kTest) {
    options.copy_private_folders = true;
    return options;
  }
  options.keep_failed = false;  // the suite's is, in which they run
  options.pid_namespace = false;
  options.network = Network::kHost;
  options.ipc_namespace = false;
  options.uts_namespace = false;
  options.mount_namespace = false;
  return options;
}

Settings InnerSettings(const Settings& settings) {
  Settings inner = settings;
  inner.options = InnerOptions(settings);
  inner.slow = absl::InfiniteDuration();  // the runner names the suite
  if (settings.scope == Scope::kSuite) {
    inner.jobs = 1;
  }
  inner.scope = Scope::kTest;
  return inner;
}

// The listener of the suite's process that has the tests run elsewhere.
class Snapshot : public ::testing::EmptyTestEventListener {
 public:
  Snapshot(const Assignment& assignment, const Settings& settings, Reporter& reporter)
      : assignment_(assignment),
        same_network_(settings.scope == Scope::kSuite ||
                      settings.options.network == Network::kHost),
        settings_(InnerSettings(settings)),
        reporter_(reporter) {
    instance_ = this;
  }

  // Stand in place of the suite's own functions.
  static void SetUpSuite() { instance_->SetUp(); }
  static void TearDownSuite() { instance_->TearDown(); }

  void OnTestStart(const TestInfo& test) override;
  void OnTestEnd(const TestInfo& test) override;

 private:
  void SetUp();
  void TearDown();
  bool MayBeForked(const std::vector<std::string>& sockets_before) const;
  void RunElsewhere(const TestInfo& test);
  void TellWhere(const TestReport& report);
  [[noreturn]] void TellNotIsolated(const absl::Status& status);

  static Snapshot* instance_;

  const Assignment& assignment_;
  const bool same_network_;
  const Settings settings_;
  Reporter& reporter_;
  std::unique_ptr<Scheduler> scheduler_;  // once the suite is set up
  StandIn stand_in_{[this](const TestInfo& test) { RunElsewhere(test); }};
  TestReport* report_ = nullptr;  // of the test that gtest runs now
};

Snapshot* Snapshot::instance_ = nullptr;

void Snapshot::SetUp() {
  const std::vector<std::string> sockets = ListeningSockets();
  if (assignment_.functions.set_up != nullptr) {
    assignment_.functions.set_up();
  }
  // From here on each test has its own time limit.
  (void)reporter_.SetTimeLimit(absl::InfiniteDuration());
  if (assignment_.suite->ad_hoc_test_result().Failed() || !MayBeForked(sockets)) {
    return;
  }
  // What the making of sandboxes uses is nobody's.
  Reporter::BeginFootprint(absl::nullopt);
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(settings_.options, settings_.ready());
  if (!executor.ok()) {
    TellNotIsolated(executor.status());
  }
  scheduler_ = std::make_unique<Scheduler>(
      *std::move(executor), settings_, absl::InfiniteFuture(),
      [](const Assignment& assignment, const Settings&, Reporter& reporter) {
        return RunTests(assignment, reporter);
      });
  Assignment each = assignment_;
  each.functions = {};
  each.time_limit = settings_.options.timeout;
  scheduler_->Begin(each);
  // What ends this process has to end the tests first, for what they have to tell.
  ReleaseTermination();
  CatchTermination([] { instance_->scheduler_->Interrupt(); });
}

// Whether a test will be what it would be in this process; names what it will miss.
bool Snapshot::MayBeForked(const std::vector<std::string>& sockets_before) const {
  std::vector<std::string> sockets = ListeningSockets();
  sockets.erase(std::remove_if(sockets.begin(), sockets.end(),
                               [&](const std::string& socket) {
                                 return std::find(sockets_before.begin(), sockets_before.end(),
                                                  socket) != sockets_before.end();
                               }),
                sockets.end());
  if (!sockets.empty() && !same_network_) {
    fprintf(
        stderr,
        "isolate: the tests of %s, forked from a snapshot, cannot reach what its SetUpTestSuite "
        "left listening: %s\nStart it in the fixture, or give --isolate_scope=suite.\n",
        assignment_.suite->name(), absl::StrJoin(sockets, ", ").c_str());
  }
  const std::vector<std::string> children = ChildProcesses();
  if (!children.empty() && settings_.options.pid_namespace) {
    fprintf(
        stderr,
        "isolate: processes that SetUpTestSuite of %s left are not in the sandboxes of its tests, "
        "which are forked from a snapshot: %s\nStart them in the fixture, or give "
        "--isolate_scope=suite.\n",
        assignment_.suite->name(), absl::StrJoin(children, ", ").c_str());
  }
  const std::vector<std::string> threads = OtherThreads();
  if (threads.empty()) {
    return true;
  }
  Part part;
  part.type = TestPartResult::kFatalFailure;
  part.file = assignment_.tests.front()->file();
  part.line = assignment_.tests.front()->line();
  part.message = absl::StrCat(
      "isolate: SetUpTestSuite left threads, which tests that are forked from a snapshot do not "
      "have: ",
      absl::StrJoin(threads, ", "),
      "\nStart them in the fixture, or give --isolate_suite_setup=each or --isolate_scope=suite.");
  Replay(part);
  return false;
}

void Snapshot::OnTestStart(const TestInfo& test) {
  report_ = nullptr;
  stand_in_.Start(test);
}

void Snapshot::RunElsewhere(const TestInfo& test) {
  const absl::StatusOr<TestReport*> report = scheduler_->Wait(test);
  if (!report.ok()) {
    TellNotIsolated(report.status());
  }
  report_ = *report;
  TellWhere(*report_);
  ReplayErr(report_->err);
  Replay(report_->suite_set_up);
  Replay(report_->test);
  Replay(report_->suite_tear_down);
  for (const Leak& leak : report_->leaks) {
    Event event;
    event.kind = Event::Kind::kLeak;
    event.leak = leak;
    (void)reporter_.Send(Encode(event));
  }
  if (!report_->whole()) {
    ReplayEnd(test, *report_, settings_.options.timeout, scheduler_->ending());
  }
}

// Nothing of one that was not started any more.
void Snapshot::TellWhere(const TestReport& report) {
  if (report.worker < 0) {
    return;
  }
  Event event;
  event.kind = Event::Kind::kOwnProcess;
  event.own_process = {static_cast<uint32_t>(report.worker), report.times.started,
                       report.times.over};
  (void)reporter_.Send(Encode(event));
}

void Snapshot::OnTestEnd(const TestInfo& test) {
  stand_in_.End(test);
  if (scheduler_ == nullptr) {
    return;
  }
  if (scheduler_->ending()) {
    GTEST_FLAG_SET(fail_fast, true);  // as in the runner
  }
  if (report_ == nullptr) {
    scheduler_->Drop(test);
    return;
  }
  ReplayTime(test, *report_);
  KeepFullOutput(test, *report_);
  const std::unique_ptr<KeptSandbox> sandbox =
      scheduler_->TakeSandbox(test, test.result()->Failed());
  if (sandbox != nullptr && !scheduler_->ending()) {
    Keep(test, *sandbox, settings_.keep_failed, settings_.options.full_output_folder);
  }
  scheduler_->Forget(test);
}

void Snapshot::TearDown() {
  (void)reporter_.SetTimeLimit(assignment_.time_limit);
  // What ends this process ends it alone again.
  ReleaseInterruptions();
  ReportCrashes(reporter_);
  scheduler_.reset();
  Reporter::BeginFootprint(static_cast<uint32_t>(assignment_.tests.size()));
  if (assignment_.functions.tear_down != nullptr) {
    assignment_.functions.tear_down();
  }
}

void Snapshot::TellNotIsolated(const absl::Status& status) {
  Event event;
  event.kind = Event::Kind::kNotIsolated;
  event.not_isolated =
      absl::StrCat(status.message(), "\nThe tests of ", assignment_.suite->name(),
                   " were to run in copies of its sandbox (--isolate_suite_setup=snapshot); give "
                   "--isolate_suite_setup=each, or run the program in a working directory and with "
                   "a TMPDIR that are "
                   "not below /tmp.");
  (void)reporter_.Send(Encode(event));
  _exit(kNotIsolatedExitCode);
}

}  // namespace

int RunSnapshot(const Assignment& assignment, const Settings& settings, Reporter& reporter) {
  Assignment wrapped = assignment;
  wrapped.functions = {&Snapshot::SetUpSuite, &Snapshot::TearDownSuite};
  // Each test has its own in its own process.
  wrapped.time_limit = absl::InfiniteDuration();
  const int code = RunTests(wrapped, reporter, new Snapshot(assignment, settings, reporter));
  // A test that failed did so elsewhere; the suite's own sandbox is as good as any.
  const bool elsewhere = settings.scope == Scope::kTest;
  return elsewhere ? assignment.suite->ad_hoc_test_result().Failed() : code;
}

}  // namespace isolate::gtest
