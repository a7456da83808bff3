#ifndef TESTS_PLUGIN_PROGRAM_H_
#define TESTS_PLUGIN_PROGRAM_H_

// Runs specimens, programs of tests/plugin/specimens or of another folder, as child
// processes.
//
//   Command command{"results", Build::kIsolated, {"--isolate_jobs=4"}};
//   command.report = "xml";
//   Finished finished = Execute(command);
//   EXPECT_EQ(finished.exit_code, 1);
//   EXPECT_THAT(finished.out, HasSubstr("[  FAILED  ]"));

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"

namespace isolate::plugin_tests {

// ThreadSanitizer starts a thread of its own in every fork, and so in every test.
#ifdef ABSL_HAVE_THREAD_SANITIZER
inline constexpr bool kHasThreadOfASanitizer = true;
#else
inline constexpr bool kHasThreadOfASanitizer = false;
#endif

enum class Build {
  kPlain,     // linked with gtest_main
  kIsolated,  // linked with //gtest_plugin:main
};

struct Command {
  std::string specimen;
  Build build = Build::kPlain;
  std::vector<std::string> args = {};

  // Added to the driver's environment, from which everything that is meant for
  // gtest, for Bazel's tests or for the plugin is taken out.
  std::vector<std::pair<std::string, std::string>> environment = {};

  // Standard error goes where standard output goes.
  bool merge_streams = false;

  // "xml" or "json": has gtest write this report.
  std::string report = {};

  // That plain/ and isolated/ are in.
  std::string folder = "tests/plugin/specimens";

  // Executed in place of the specimen, whose path and arguments stand behind it; a program's path
  // in the runfiles, or an absolute one, comes first.
  std::vector<std::string> wrapper = {};
  // The path of another program in the workspace, instead of a specimen.
  std::string program = {};

  // Runs in the child before it executes the specimen; true on success.
  std::function<bool()> before_exec = {};
};

struct Finished {
  int exit_code = -1;  // -1: it died of a signal
  int signal = 0;
  std::string out;
  std::string err;
  std::string report;  // empty: there is none
};

// A specimen that runs.  Its streams and its report are files in a folder of
// its own, so that it never waits for the driver.
class Program {
 public:
  explicit Program(const Command& command);
  // Kills it, if it runs.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void Kill(int signal = SIGKILL);

  // Waits until the process has ended.  Fails the test, and kills the process,
  // if that takes minutes.
  Finished Wait();

 private:
  std::string folder_;
  std::string report_;
  pid_t pid_ = -1;
};

Finished Execute(const Command& command);

// Executes a specimen whose tests write a byte each to descriptor TELL_FD when they have come to
// where they wait, and sends it `signal` when that many have.  All that ran in it has ended when
// this returns.
Finished ExecuteUntilTold(Command command, int tests, int signal);

// The path of the specimen's program.
std::string PathOf(const Command& command);

// Makes orphans of the driver's descendants its own children, so that they can
// be counted; once for the whole process.
void AdoptOrphans();

// Waits until every child of the driver has ended, orphans among them, and
// gives the command lines of those that have not after a minute.
std::vector<std::string> WaitForOrphans();

// The command lines of the driver's children as they are now.
std::vector<std::string> Children();

}  // namespace isolate::plugin_tests

#endif  // TESTS_PLUGIN_PROGRAM_H_
