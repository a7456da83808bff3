#include "isolate/command/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest_plugin/leak_policy.h"
#include "gtest_plugin/loss_report.h"
#include "gtest_plugin/report_file.h"
#include "isolate/command/exit_codes.h"
#include "isolate/command/run_options.h"
#include "isolate/command/run_report.h"
#include "isolate/command/signal_relay.h"
#include "isolate/command/terminal.h"
#include "isolate/executor.h"
#include "isolate/leak.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::command {
namespace {

namespace fs = std::filesystem;

int WrongUse(absl::string_view message) {
  std::cerr << "isolate run: " << message << "\n";
  return kWrongUseExitCode;
}

// The path of the program, as execvp(3) finds it; empty where it does not.
fs::path Find(const std::string& command) {
  if (command.find('/') != std::string::npos) {
    return command;
  }
  const char* path = getenv("PATH");
  for (const absl::string_view folder :
       absl::StrSplit(path != nullptr ? path : "/bin:/usr/bin", ':')) {
    fs::path found = fs::path(folder.empty() ? "." : std::string(folder)) / command;
    if (access(found.c_str(), X_OK) == 0) {
      return found;
    }
  }
  return {};
}

// That a command could not be executed is told as a step of the set-up.
int ExitCodeOf(const absl::Status& status) {
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  if (!failure.has_value()) {
    return absl::IsInvalidArgument(status) ? kWrongUseExitCode : kNotIsolatedExitCode;
  }
  if (failure->step != Step::kExec) {
    return kNotIsolatedExitCode;
  }
  return failure->error == ENOENT ? kNotFoundExitCode : kNotExecutableExitCode;
}

int ExitCodeOf(const Result& result) {
  switch (result.outcome) {
    case Outcome::kReturned:
    case Outcome::kExited:
      return result.code;
    case Outcome::kSignaled:
      return kSignalExitCode + result.code;
    case Outcome::kTimedOut:
      return kTimedOutExitCode;
    case Outcome::kLost:
      return kLostExitCode;
  }
  return kLostExitCode;
}

bool IsForbidden(const gtest::LeakPolicies& policies, const std::vector<Leak>& leaks) {
  return std::any_of(leaks.begin(), leaks.end(), [&](const Leak& leak) {
    return policies.Of(leak.kind) == gtest::LeakPolicy::kFail;
  });
}

// A signal that meets a process on its way into the sandbox ends it as it would the command.
absl::StatusOr<Result> InsteadOf(const absl::Status& status, const SignalRelay& relay) {
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  if (relay.ending() == 0 || (failure.has_value() && failure->step == Step::kExec)) {
    return status;
  }
  Result result;
  result.outcome = Outcome::kSignaled;
  result.code = relay.ending();
  return result;
}

// Executes the command, and passes on what comes until it has ended.  `losses` is what the host
// refused, and the command did without.
absl::StatusOr<Result> Execute(const RunOptions& options, std::vector<Executor::Loss>* losses) {
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(options.sandbox, /*ready=*/0);
  if (!executor.ok()) {
    return executor.status();
  }
  *losses = (*executor)->losses();
  std::cerr << gtest::TellLosses(
      *losses, absl::StrCat("the command runs without (", options.prefer_name, ")"));
  const Terminal terminal;
  SignalRelay relay(/*stops=*/terminal.valid(), [&] { (*executor)->Interrupt(); });
  const absl::StatusOr<Executor::Id> id = (*executor)->StartCommand(options.command);
  if (!id.ok()) {
    return InsteadOf(id.status(), relay);
  }
  // Who reads our messages may be gone when there is one, and a file have no room for the report;
  // the command has its own dispositions.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  relay.Begin((*executor)->ProcessOf(*id));
  for (;;) {
    Executor::Finished finished = (*executor)->WaitAny();
    if (finished.id == *id) {
      terminal.TakeBack();
      return finished.result.ok() ? std::move(finished.result)
                                  : InsteadOf(finished.result.status(), relay);
    }
    const pid_t process = (*executor)->ProcessOf(*id);
    relay.PassOn(process);
    terminal.StopWith(process);
    terminal.LendTo(process);
  }
}

// What became of it, and the exit code.
int Tell(const RunOptions& options, const absl::StatusOr<Result>& result) {
  if (!result.ok()) {
    std::cerr << "isolate run: " << result.status().message() << "\n"
              << gtest::TellHowToGoOn(result.status(), options.sandbox, options.required.kinds,
                                      options.prefer_name);
    return ExitCodeOf(result.status());
  }
  if (options.verbose) {
    PrintVerbose(options, *result);
  }
  if (result->outcome == Outcome::kTimedOut) {
    std::cerr << "isolate: the command was ended, as its time limit of "
              << absl::FormatDuration(options.sandbox.timeout) << " was over\n";
  }
  PrintLeaks(result->leaks);
  const int code = ExitCodeOf(*result);
  if (code == 0 && IsForbidden(options.leaks, result->leaks)) {
    std::cerr << "isolate: it left behind what it must not (--leaks), so the exit code is "
              << kLeakedExitCode << "\n";
    return kLeakedExitCode;
  }
  return code;
}

int RunCommand(RunOptions options) {
  absl::optional<gtest::ReportFile> report;
  if (!options.report.empty()) {
    absl::StatusOr<gtest::ReportFile> file = gtest::ReportFile::Open(options.report);
    if (!file.ok()) {
      return WrongUse(absl::StrCat("--report=", options.report, ": ", file.status().message()));
    }
    report.emplace(*std::move(file));
  }
  if (const std::string program = Find(options.command.front()); !program.empty()) {
    options.sandbox.programs.push_back(program);
  }
  const absl::Time started = absl::Now();
  std::vector<Executor::Loss> losses;
  const absl::StatusOr<Result> result = Execute(options, &losses);
  const int code = Tell(options, result);
  if (report.has_value()) {
    report->Write(ReportOf(options, started, losses, result));
    if (absl::Status status = report->Finish(); !status.ok()) {
      std::cerr << "isolate run: " << status.message() << "\n";
    }
  }
  return code;
}

bool IsOff() {
  const char* value = getenv("ISOLATE");
  return value != nullptr && absl::string_view(value) == "off";
}

// Without a sandbox: the program becomes the test.
int Become(char** argv) {
  execvp(argv[0], argv);
  const int error = errno;
  std::cerr << "isolate run: cannot execute " << argv[0] << ": " << strerrordesc_np(error) << "\n";
  return error == ENOENT ? kNotFoundExitCode : kNotExecutableExitCode;
}

}  // namespace

int Run(int argc, char** argv) {
  absl::StatusOr<RunOptions> options = ParseRunOptions(argc, argv);
  if (!options.ok()) {
    return WrongUse(options.status().message());
  }
  if (options->help) {
    std::cout << RunHelp();
    return 0;
  }
  return RunCommand(*std::move(options));
}

int RunTest(int argc, char** argv) {
  if (argc < 2) {
    return WrongUse(
        "a test is missing; write isolate_run TEST [ARGUMENTS], or let Bazel do it: "
        "--run_under=@isolate//isolate/command:isolate_run");
  }
  absl::StatusOr<RunOptions> options = RunOptionsFromEnvironment();
  if (!options.ok()) {
    return WrongUse(options.status().message());
  }
  if (IsOff()) {
    return Become(argv + 1);
  }
  options->command.assign(argv + 1, argv + argc);
  // It is this run's; a test that reads it, too, would write over it.
  options->sandbox.hidden_environment.emplace_back("ISOLATE_REPORT");
  return RunCommand(*std::move(options));
}

}  // namespace isolate::command
