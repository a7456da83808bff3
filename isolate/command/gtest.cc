#include "isolate/command/gtest.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "gtest_plugin/exit_with.h"
#include "gtest_plugin/install_runner.h"
#include "gtest_plugin/interruption.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/surroundings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/traits.h"
#include "isolate/command/binary_list.h"
#include "isolate/command/binary_process.h"
#include "isolate/command/exit_codes.h"
#include "isolate/command/gtest_arguments.h"
#include "isolate/command/test_list.h"
#include "isolate/command/translation.h"
#include "isolate/reporter.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::command {
namespace {

using ::isolate::gtest::Assignment;
using ::isolate::gtest::Settings;
using ::testing::UnitTest;

constexpr absl::string_view kPrefix = "isolate_";

// A binary that knows nothing of us cannot set a suite up for several processes, and is never
// forked.
constexpr absl::string_view kNotForBinaries[] = {"isolate_scope", "isolate_suite_setup",
                                                 "isolate_spawn"};

// What the run has, and the tests that it executes programs from must not, beside what any runner
// has.
constexpr const char* kHidden[] = {"GTEST_BRIEF", "GTEST_FAIL_FAST", "TESTBRIDGE_TEST_ONLY",
                                   "TESTBRIDGE_TEST_RUNNER_FAIL_FAST"};

struct CommandLine {
  bool help = false;
  std::vector<std::string> flags;  // as the plugin has them, "--isolate_jobs=4"
  std::vector<std::string> command;
};

bool IsForBinaries(absl::string_view flag) {
  for (const absl::string_view other : kNotForBinaries) {
    if (flag == other) {
      return false;
    }
  }
  return true;
}

// "jobs" for isolate_jobs.
std::string OptionOf(absl::string_view flag) {
  absl::ConsumePrefix(&flag, kPrefix);
  return std::string(flag);
}

void PrintHelp() {
  std::cout
      << "usage: isolate gtest [OPTION...] [--] BINARY [ARGUMENT...]\n"
         "\n"
         "Runs each test of a GoogleTest binary in a sandbox of its own, several at once.\n"
         "GoogleTest's flags behind BINARY mean what they mean without isolate; other\n"
         "arguments are the binary's.  An option is one of these flags without its\n"
         "\"isolate_\", as --jobs=4.\n"
         "\n"
      << isolate::gtest::FlagsHelp()
      << "  Not for binaries that are executed: scope, suite_setup, spawn.\n"
         "\n"
         "Exit codes: 0 all passed; 1 a test failed; 2 wrong use, or no tests are listed; 3 the\n"
         "tests cannot be isolated; 126 BINARY cannot be executed; 127 there is none.\n";
}

int WrongUse(absl::string_view what) {
  std::cerr << "isolate gtest: " << what << "\n";
  return kWrongUseExitCode;
}

// Nothing where getopt_long has said what is wrong.
absl::optional<CommandLine> ParseCommandLine(int argc, char** argv) {
  std::vector<std::string> names;  // getopt_long keeps pointers to them
  for (const absl::string_view flag : isolate::gtest::FlagNames()) {
    if (IsForBinaries(flag)) {
      names.push_back(OptionOf(flag));
    }
  }
  std::vector<option> options = {{"help", no_argument, nullptr, 'h'}};
  for (const std::string& name : names) {
    options.push_back({name.c_str(), required_argument, nullptr, 0});
  }
  options.push_back({nullptr, 0, nullptr, 0});
  CommandLine line;
  optind = 1;
  int index = 0;
  for (int found; (found = getopt_long(argc, argv, "+h", options.data(), &index)) != -1;) {
    if (found == '?') {
      return absl::nullopt;
    }
    if (found == 'h') {
      line.help = true;
      continue;
    }
    const absl::string_view name = options[static_cast<size_t>(index)].name;
    line.flags.push_back(absl::StrCat("--", name == "isolate" ? "" : kPrefix, name, "=", optarg));
  }
  line.command.assign(argv + optind, argv + argc);
  return line;
}

// As main has them, with a null pointer behind the last.
std::vector<char*> Pointers(std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  return argv;
}

absl::StatusOr<Settings> ReadSettings(const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {"isolate"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  std::vector<char*> argv = Pointers(arguments);
  int argc = static_cast<int>(arguments.size());
  absl::StatusOr<Settings> settings = isolate::gtest::ParseSettings(&argc, argv.data());
  if (!settings.ok()) {
    return settings;
  }
  if (settings->scope != isolate::gtest::Scope::kTest ||
      settings->suite_setup != isolate::gtest::SuiteSetUp::kEach) {
    return absl::InvalidArgumentError(absl::StrCat(
        settings->scope != isolate::gtest::Scope::kTest ? "ISOLATE_SCOPE=suite"
                                                        : "ISOLATE_SUITE_SETUP=snapshot",
        ": not for a binary that was not built with the plugin, which is executed for each test; "
        "unset it, or link the binary with //gtest_plugin:main"));
  }
  settings->spawn = isolate::gtest::Spawn::kExec;
  return settings;
}

// Where execvp(3) would find it; empty: nowhere.
std::string FindBinary(const std::string& name) {
  if (absl::StrContains(name, '/')) {
    return access(name.c_str(), F_OK) == 0 ? name : "";
  }
  const char* path = getenv("PATH");
  for (const absl::string_view folder : absl::StrSplit(path != nullptr ? path : "", ':')) {
    std::string file = absl::StrCat(folder.empty() ? "." : folder, "/", name);
    if (access(file.c_str(), X_OK) == 0) {
      return file;
    }
  }
  return "";
}

bool IsExecutable(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

// As without isolate.
int ExecuteBinary(const std::string& path, std::vector<std::string> command) {
  std::vector<char*> argv = Pointers(command);
  execv(path.c_str(), argv.data());
  std::cerr << "isolate gtest: " << path << ": " << strerror(errno) << "\n";
  return kNotExecutableExitCode;
}

// In the runner its body does not run: what replays the test stands in its place.
class TestOfBinary : public ::testing::Test {
  void TestBody() override {}
};

void Register([[maybe_unused]] const std::vector<ListedTest>& tests,
              [[maybe_unused]] const std::string& path) {
#ifndef __clang_analyzer__  // It does not see that gtest keeps the factory. clang-tidy defines it.
  for (const ListedTest& test : tests) {
    ::testing::RegisterTest(test.suite.c_str(), test.name.c_str(),
                            test.type_param.has_value() ? test.type_param->c_str() : nullptr,
                            test.value_param.has_value() ? test.value_param->c_str() : nullptr,
                            test.file.value_or(path).c_str(), test.line,
                            []() -> ::testing::Test* { return new TestOfBinary; });
  }
#endif
}

// Has the runner's gtest read its flags, and GoogleTest's variables.
void InitializeGtest(const std::string& name, const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {name};  // it names reports
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  std::vector<char*> argv = Pointers(arguments);
  int argc = static_cast<int>(arguments.size());
  ::testing::InitGoogleTest(&argc, argv.data());
  // What a failure does in the program that has it is the binary's affair.
  GTEST_FLAG_SET(break_on_failure, false);
  GTEST_FLAG_SET(throw_on_failure, false);
  GTEST_FLAG_SET(catch_exceptions, true);
}

int RunAssignment(const std::string& path, const GtestArguments& arguments,
                  const Assignment& assignment, Reporter& reporter) {
  isolate::gtest::ReleaseInterruptions();
  const ::testing::TestInfo& test = *assignment.tests.front();
  const Order order = {FilterOf(test.test_suite_name(), test.name()),
                       GTEST_FLAG_GET(shuffle) ? UnitTest::GetInstance()->random_seed() : 0};
  return RunBinary(
      [&](const std::string& file) { return CommandThatRuns(path, arguments, order, file); },
      reporter);
}

// Our gtest may be older than the binary's, and not know the flag.
bool FailsAsNoTestRan(const GtestArguments& arguments) {
  const char* variable = getenv("GTEST_FAIL_IF_NO_TEST_SELECTED");
  const bool by_default = variable != nullptr && absl::string_view(variable) != "0";
  return arguments.fail_if_no_test_selected.value_or(by_default) &&
         UnitTest::GetInstance()->test_to_run_count() == 0;
}

// Runs the tests; the exit code is gtest's, or ours.
int RunTests(Settings settings, const std::string& path, const std::vector<std::string>& command) {
  const GtestArguments arguments = Divide({command.begin() + 1, command.end()});
  if (!settings.isolate || arguments.ask_for_help) {
    return ExecuteBinary(path, command);
  }
  if (absl::optional<std::string> debugger = isolate::gtest::Debugger();
      debugger.has_value() && !settings.isolate_given) {
    std::cerr << "isolate: the tests run without isolation, under " << *debugger
              << "; to isolate them all the same, give --isolate=on.\n";
    return ExecuteBinary(path, command);
  }
  settings.options.programs = {path};
  settings.options.hidden_environment.assign(std::begin(kHidden), std::end(kHidden));
  // A program that is linked with the plugin is in a sandbox already.
  settings.options.environment.emplace_back("ISOLATE", "off");
  Options listing = settings.options;
  for (const char* variable : isolate::gtest::RunnersVariables()) {
    listing.hidden_environment.emplace_back(variable);
  }
  const absl::StatusOr<std::vector<ListedTest>> tests = ListTests(path, arguments, listing);
  if (absl::IsPermissionDenied(tests.status()) && !GetSetupFailure(tests.status()).has_value()) {
    std::cerr << "isolate gtest: " << tests.status().message() << "\n";
    return kNotExecutableExitCode;
  }
  if (!tests.ok()) {
    isolate::gtest::ExitWith(tests.status(), /*judged=*/0);
  }
  InitializeGtest(command.front(), arguments.of_runner);
  Register(*tests, path);
  if (!GTEST_FLAG_GET(list_tests)) {
    const auto run = [path, arguments](const Assignment& assignment, const Settings&,
                                       Reporter& reporter) {
      return RunAssignment(path, arguments, assignment, reporter);
    };
    const auto translate = [](const Assignment& assignment, Result result) {
      const ::testing::TestInfo& test = *assignment.tests.front();
      return Translate(test.test_suite_name(), test.name(), std::move(result));
    };
    if (absl::Status status = isolate::gtest::InstallRunner(settings, run, translate);
        !status.ok()) {
      isolate::gtest::ExitWith(status, /*judged=*/0);
    }
  }
  const int exit_code = RUN_ALL_TESTS();
  if (exit_code == 0 && !GTEST_FLAG_GET(list_tests) && FailsAsNoTestRan(arguments)) {
    std::cerr << "isolate gtest: no test ran (--gtest_fail_if_no_test_selected): see the filter "
                 "and the shards\n";
    return 1;
  }
  return exit_code;
}

int RunCommand(const CommandLine& line) {
  absl::StatusOr<Settings> settings = ReadSettings(line.flags);
  if (!settings.ok()) {
    return WrongUse(settings.status().message());
  }
  const std::string path = FindBinary(line.command.front());
  if (path.empty()) {
    std::cerr << "isolate gtest: " << line.command.front() << ": there is no such file\n";
    return kNotFoundExitCode;
  }
  if (!IsExecutable(path)) {
    std::cerr << "isolate gtest: " << path << ": cannot be executed\n";
    return kNotExecutableExitCode;
  }
  return RunTests(*std::move(settings), path, line.command);
}

}  // namespace

int Gtest(int argc, char** argv) {
  static char name[] = "isolate gtest";
  argv[0] = name;  // for getopt_long's messages
  const absl::optional<CommandLine> line = ParseCommandLine(argc, argv);
  if (!line.has_value()) {
    return WrongUse("see isolate gtest --help");
  }
  if (line->help) {
    PrintHelp();
    return 0;
  }
  if (line->command.empty()) {
    return WrongUse("a binary is missing; write isolate gtest [OPTION...] -- BINARY [ARGUMENT...]");
  }
  return RunCommand(*line);
}

int GtestUnder(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    std::cerr << "usage: isolate_gtest BINARY [ARGUMENT...]\n"
                 "For Bazel's --run_under; options come from the environment, as ISOLATE_JOBS=4.\n";
    return kWrongUseExitCode;
  }
  CommandLine line;
  line.command.assign(argv + 1, argv + argc);
  return RunCommand(line);
}

}  // namespace isolate::command
