// Runs a suite twice, as its authors would and in sandboxes, and compares the
// two XML reports: they may differ in times only.
//
//   compare_suite --plain=PROGRAM --isolated=PROGRAM --at_least=TESTS
//                 [--in_folder_of=FILE] [--exclude=PATTERNS] [--jobs=NUMBER]
//
// Reports and output of both runs stay in the test's undeclared outputs: Bazel
// has them in bazel-testlogs/PACKAGE/TARGET/test.outputs.
//
// Exit codes: 0 the reports are the same, 1 they differ, 2 there was nothing to
// compare.

#include <fcntl.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/real/report.h"

ABSL_FLAG(std::string, plain, "", "the suite, linked with gtest_main");
ABSL_FLAG(std::string, isolated, "", "the suite, linked with //gtest_plugin:main");
ABSL_FLAG(int, at_least, 1, "how many tests have to run");
ABSL_FLAG(std::string, in_folder_of, "", "run both in the folder that holds this file");
ABSL_FLAG(std::string, exclude, "", "tests to leave out, as --gtest_filter has them after its '-'");
ABSL_FLAG(std::string, leaks, "", "the file of leaks that are known; others fail");
ABSL_FLAG(int, jobs, 4, "how many sandboxes at a time");

namespace isolate::real {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& message) {
  std::cerr << "compare_suite: " << message << "\n";
  std::exit(2);
}

// Where the reports go. Absolute, because the suites run elsewhere.
fs::path OutputFolder() {
  for (const char* variable : {"TEST_UNDECLARED_OUTPUTS_DIR", "TEST_TMPDIR"}) {
    if (const char* folder = std::getenv(variable)) return fs::absolute(folder);
  }
  return fs::current_path();
}

// The environment for the suites. What Bazel, or the user, asked of this test is
// not for them: a sharded or an unisolated run would compare nothing.
std::vector<char*> EnvironmentForSuites() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool ours = false;
    for (const char* prefix : {"GTEST_", "ISOLATE_", "TEST_SHARD", "TEST_TOTAL_SHARDS=",
                               "TEST_PREMATURE_EXIT_FILE=", "TESTBRIDGE_", "XML_OUTPUT_FILE="}) {
      ours |= absl::StartsWith(*entry, prefix);
    }
    if (!ours) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

struct Run {
  // As waitpid() gives it.
  int status = 0;
  absl::Duration wall_time;
  Report report;
};

// Runs `arguments` to the end, with its output in a file.
int Execute(const std::vector<std::string>& arguments, const fs::path& log) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid;
  const int error =
      posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), EnvironmentForSuites().data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    Die(absl::StrCat("cannot run ", arguments[0], ": ", std::strerror(error)));
  }
  int status;
  if (waitpid(pid, &status, 0) != pid) {
    Die(absl::StrCat("waitpid: ", std::strerror(errno)));
  }
  return status;
}

Run RunSuite(const std::string& name, std::vector<std::string> arguments) {
  const fs::path outputs = OutputFolder();
  const fs::path xml = outputs / (name + ".xml");
  fs::remove(xml);  // one of an earlier run would pass for this one's
  arguments.push_back("--gtest_output=xml:" + xml.string());
  if (const std::string exclude = absl::GetFlag(FLAGS_exclude); !exclude.empty()) {
    arguments.push_back("--gtest_filter=-" + exclude);
  }

  Run run;
  const absl::Time start = absl::Now();
  run.status = Execute(arguments, outputs / (name + ".log"));
  run.wall_time = absl::Now() - start;
  std::ifstream file(xml);
  run.report = ReadReport(std::string(std::istreambuf_iterator<char>(file), {}));
  return run;
}

std::string Ending(int status) {
  return WIFEXITED(status) ? absl::StrCat("exit code ", WEXITSTATUS(status))
                           : absl::StrCat("signal ", WTERMSIG(status));
}

// At once, lest it be lost if the next run never ends.
void Print(const std::string& name, const Run& run) {
  std::cout << absl::StrFormat("%-8s %4d passed, %d failed, %d skipped, %s, %.1f s", name,
                               run.report.Count("passed"), run.report.Count("failed"),
                               run.report.Count("skipped"), Ending(run.status),
                               absl::ToDoubleSeconds(run.wall_time))
            << std::endl;
}

int Main() {
  const std::string plain_program = fs::absolute(absl::GetFlag(FLAGS_plain));
  const std::string isolated_program = fs::absolute(absl::GetFlag(FLAGS_isolated));
  std::vector<std::string> isolated_arguments = {
      isolated_program, absl::StrCat("--isolate_jobs=", absl::GetFlag(FLAGS_jobs)),
      "--isolate_leaks=fail"};
  if (const std::string leaks = absl::GetFlag(FLAGS_leaks); !leaks.empty()) {
    isolated_arguments.push_back(
        absl::StrCat("--isolate_allow_leaks=@", fs::absolute(leaks).string()));
  }
  if (const std::string file = absl::GetFlag(FLAGS_in_folder_of); !file.empty()) {
    fs::current_path(fs::path(file).parent_path());
  }

  const Run plain = RunSuite("plain", {plain_program});
  Print("plain", plain);
  const Run isolated = RunSuite("isolated", isolated_arguments);
  Print("isolated", isolated);

  const int ran =
      plain.report.Count("passed") + plain.report.Count("failed") + plain.report.Count("skipped");
  if (ran < absl::GetFlag(FLAGS_at_least)) {
    Die(absl::StrCat(ran, " tests ran plain, not even ", absl::GetFlag(FLAGS_at_least)));
  }
  std::string differences = Differences(plain.report, isolated.report);
  if (plain.status != isolated.status) {
    absl::StrAppend(&differences, Ending(plain.status), " plain, ", Ending(isolated.status),
                    " isolated\n");
  }
  if (differences.empty()) return 0;
  std::cerr << "\nNot the same plain (-) and isolated (+):\n\n" << differences;
  return 1;
}

}  // namespace
}  // namespace isolate::real

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  try {
    return isolate::real::Main();
  } catch (const std::filesystem::filesystem_error& error) {
    std::cerr << "compare_suite: " << error.what() << "\n";
    return 2;
  }
}
