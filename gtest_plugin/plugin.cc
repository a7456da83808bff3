#include "gtest_plugin/plugin.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "gtest_plugin/allowed_leaks.h"
#include "gtest_plugin/crash.h"
#include "gtest_plugin/exit_with.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/history.h"
#include "gtest_plugin/install_runner.h"
#include "gtest_plugin/keep.h"
#include "gtest_plugin/outputs_folder.h"
#include "gtest_plugin/replaying_listener.h"
#include "gtest_plugin/run_report.h"
#include "gtest_plugin/run_trace.h"
#include "gtest_plugin/scheduler.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/snapshot.h"
#include "gtest_plugin/spawn.h"
#include "gtest_plugin/stacks.h"
#include "gtest_plugin/surroundings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/traits_of_tests.h"
#include "isolate/executor.h"
#include "isolate/internal/monotonic.h"
#include "isolate/internal/realtime.h"
#include "isolate/reporter.h"

GTEST_DECLARE_string_(internal_run_death_test);

namespace isolate::gtest {
namespace {

using ::isolate::internal::MonotonicNow;
using ::isolate::internal::RealtimeNow;
using ::testing::UnitTest;

// What tells the runner, and it alone, which tests to run and where to report: another
// gtest program that a test executes must not do that, too.
constexpr const char* kRunnersVariables[] = {
    "XML_OUTPUT_FILE",
    "TEST_PREMATURE_EXIT_FILE",
    "GTEST_OUTPUT",
    "TEST_SHARD_INDEX",
    "TEST_TOTAL_SHARDS",
    "TEST_SHARD_STATUS_FILE",
    "GTEST_SHARD_INDEX",
    "GTEST_TOTAL_SHARDS",
    "GTEST_SHARD_STATUS_FILE",
    "GTEST_STREAM_RESULT_TO",
    "ISOLATE_AUDIT",
    "ISOLATE_HISTORY",
    "ISOLATE_KEEP",
    "ISOLATE_REPORT",
    "ISOLATE_TRACE",
    "ISOLATE_VERBOSE",
    "ISOLATE_DEFAULT_AUDIT",
    "ISOLATE_DEFAULT_HISTORY",
    "ISOLATE_DEFAULT_KEEP",
    "ISOLATE_DEFAULT_REPORT",
    "ISOLATE_DEFAULT_TRACE",
    "ISOLATE_DEFAULT_VERBOSE",
};

// Of Bazel's time limit a twentieth is kept for the end of the run.
constexpr int kShareForReport = 20;

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

// Appends the listener when the tests are about to run, and so behind all listeners
// of the user's.  Ends are told to the last listener first: what it makes of
// a test's result, all others then see.
class Appender : public ::testing::EmptyTestEventListener {
 public:
  explicit Appender(std::unique_ptr<ReplayingListener> listener) : listener_(std::move(listener)) {}

  void OnTestProgramStart(const UnitTest& unit_test) override {
    if (absl::Status status = CheckTraits(unit_test); !status.ok()) {
      ExitWith(status, /*judged=*/0);
    }
    if (listener_ != nullptr) {
      // gtest owns its listeners.
      const_cast<UnitTest&>(unit_test).listeners().Append(listener_.release());
    }
  }

 private:
  std::unique_ptr<ReplayingListener> listener_;
};

// The descriptors lead to the same file, as they do on a terminal and under
// Bazel: then the order of what comes over them matters.
bool IsSameFile(int a, int b) {
  struct stat of_a;
  struct stat of_b;
  return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

void TellThatNoReportIsWritten(const Settings& settings) {
  if (!settings.report.empty()) {
    fprintf(stderr, "isolate: without isolation there is no report, so %s is not written.\n",
            settings.report.c_str());
  }
  if (!settings.trace.empty()) {
    fprintf(stderr, "isolate: without isolation there is no trace, so %s is not written.\n",
            settings.trace.c_str());
  }
}

}  // namespace

absl::Status TryInstall(int* argc, char** argv) {
  if (ReplayingListener::installed()) {
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
  if (!settings->isolate) {
    TellThatNoReportIsWritten(*settings);
    return absl::OkStatus();
  }
  if (GTEST_FLAG_GET(list_tests) || !GTEST_FLAG_GET(internal_run_death_test).empty()) {
    return absl::OkStatus();
  }
  if (IsSpawned()) {
    PrepareStacks(argv[0]);
    PrepareForSanitizers();
    return InstallSpawned();
  }
  if (absl::optional<std::string> debugger = Debugger();
      debugger.has_value() && !settings->isolate_given) {
    fprintf(
        stderr,
        "isolate: the tests run without isolation, under %s; to isolate them all the same, give "
        "--isolate=on.\n",
        debugger->c_str());
    TellThatNoReportIsWritten(*settings);
    return absl::OkStatus();
  }
  PrepareStacks(argv[0]);
  PrepareForSanitizers();
  return InstallRunner(*std::move(settings), RunAssignment);
}

absl::Span<const char* const> RunnersVariables() { return kRunnersVariables; }

absl::Status InstallRunner(Settings settings, Scheduler::Run run,
                           Scheduler::Translation translation) {
  settings.options.hidden_environment.insert(settings.options.hidden_environment.end(),
                                             std::begin(kRunnersVariables),
                                             std::end(kRunnersVariables));
  settings.options.leaks_from_start = false;  // RunTests says from when on
  settings.options.tell_namespaces = !settings.report.empty() || !settings.trace.empty();
  settings.options.full_output_folder = OutputsFolder();
  settings.options.merge_stderr = IsSameFile(STDOUT_FILENO, STDERR_FILENO);
  if (settings.options.keep_failed) {
    if (absl::Status status = CheckThatSandboxesCanBeKept(settings.options.full_output_folder);
        !status.ok()) {
      return status;
    }
  }
  // Not in a process that runs one test: the file may be hidden there.
  AllowedLeaks allowed_leaks;
  if (absl::Status status = allowed_leaks.Add(settings.allowed_leaks); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--isolate_allow_leaks: ", status.message()));
  }
  const absl::Time started = RealtimeNow();
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(settings.options, settings.ready());
  if (!executor.ok()) {
    return executor.status();
  }
  // Those of a test's own kind of sandbox, or of a suite's snapshot, are made of these.
  settings.options = (*executor)->options();
  std::unique_ptr<RunReport> report;
  if (!settings.report.empty()) {
    absl::StatusOr<std::unique_ptr<RunReport>> created = RunReport::Create(settings);
    if (!created.ok()) {
      return created.status();
    }
    report = *std::move(created);
  }
  std::unique_ptr<RunTrace> trace;
  if (!settings.trace.empty()) {
    absl::StatusOr<std::unique_ptr<RunTrace>> created = RunTrace::Create(settings, started);
    if (!created.ok()) {
      return created.status();
    }
    trace = *std::move(created);
  }
  std::unique_ptr<History> history;
  if (!settings.history.empty()) {
    absl::StatusOr<std::unique_ptr<History>> read = History::Read(settings.history);
    if (!read.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--isolate_history=", settings.history, ": ", read.status().message()));
    }
    history = *std::move(read);
  }
  auto scheduler = std::make_unique<Scheduler>(*std::move(executor), settings,
                                               RunDeadline(settings), std::move(run));
  scheduler->set_translation(std::move(translation));
  UnitTest::GetInstance()->listeners().Append(new Appender(
      std::make_unique<ReplayingListener>(std::move(scheduler), std::move(report), std::move(trace),
                                          std::move(history), settings, std::move(allowed_leaks))));
  return absl::OkStatus();
}

void Install(int* argc, char** argv) {
  if (absl::Status status = TryInstall(argc, argv); !status.ok()) {
    ExitWith(status, /*judged=*/0);
  }
}

}  // namespace isolate::gtest
