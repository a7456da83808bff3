// Where an isolated run differs from a plain one, because tests are isolated.

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Lets a traced process run on after each stop; its end is left to be waited for.
void ContinueTraced(pid_t pid) {
  siginfo_t info = {};
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOWAIT) == 0 &&
         info.si_code == CLD_TRAPPED) {
    waitpid(pid, nullptr, WUNTRACED);
    const int signal = info.si_status == SIGTRAP ? 0 : info.si_status;
    ptrace(PTRACE_CONT, pid, nullptr, signal);
  }
}

// Every test has a copy of the memory that the environments left.
TEST(Memory, ThatATestChangesIsItsOwn) {
  Command command{"environments"};
  command.environment = {{"ENVIRONMENT", "is spoilt"}};
  const Finished plain = Execute(command);
  EXPECT_EQ(plain.exit_code, 1);
  EXPECT_EQ(Sections(plain.out).at("Memory.IsSeenUnchanged").ending, "FAILED");
  EXPECT_THAT(plain.out, HasSubstr("environment torn down, value 43"));

  command.build = Build::kIsolated;
  const Finished isolated = Execute(command);
  EXPECT_EQ(isolated.exit_code, 0);
  EXPECT_EQ(Sections(isolated.out).at("Memory.IsSeenUnchanged").ending, "OK");
  EXPECT_THAT(isolated.out, HasSubstr("environment torn down, value 42"));
  EXPECT_EQ(Count(isolated.out, "environment set up"), 1);
  EXPECT_EQ(Count(isolated.out, "environment torn down"), 1);
}

// The tests have none of the variables that tell gtest what to run and where to
// report: that is the runner's to do.
TEST(Variables, OfTheRunnerAreNotTheTests) {
  const std::string folder = ::testing::TempDir() + "/";
  Command command{"variables"};
  command.environment = {{"GTEST_OUTPUT", "xml:" + folder + "other.xml"},
                         {"GTEST_SHARD_INDEX", "0"},
                         {"GTEST_SHARD_STATUS_FILE", folder + "gtest_shard"},
                         {"GTEST_STREAM_RESULT_TO", ""},
                         {"GTEST_TOTAL_SHARDS", "1"},
                         {"ISOLATE_AUDIT", "off"},
                         {"ISOLATE_KEEP", "none"},
                         {"ISOLATE_REPORT", folder + "report.json"},
                         {"ISOLATE_TRACE", folder + "trace.json"},
                         {"TEST_PREMATURE_EXIT_FILE", folder + "premature_exit"},
                         {"TEST_SHARD_INDEX", "0"},
                         {"TEST_SHARD_STATUS_FILE", folder + "shard"},
                         {"TEST_TOTAL_SHARDS", "1"},
                         {"XML_OUTPUT_FILE", folder + "report.xml"}};
  const std::string plain = Execute(command).out;
  command.build = Build::kIsolated;
  const std::string isolated = Execute(command).out;
  for (const auto& [name, value] : command.environment) {
    EXPECT_THAT(plain, HasSubstr(name + "=" + value));
    EXPECT_THAT(isolated, Not(HasSubstr(name + "=")));
  }
}

// gmock looks for mocks that were never deleted when a process ends normally, after its
// last test; the processes of the tests end by _exit.
TEST(LeakedMock, IsNotNoticed) {
  Command command{"mocks", Build::kPlain, {"--gtest_filter=NeverDeleted.*"}};
  EXPECT_EQ(Execute(command).exit_code, 0);
  command.args.emplace_back("--gtest_also_run_disabled_tests");
  const Finished plain = Execute(command);
  EXPECT_EQ(plain.exit_code, 1);
  EXPECT_THAT(plain.out, HasSubstr("ERROR: 1 leaked mock object found at program exit."));
  command.build = Build::kIsolated;
  const Finished isolated = Execute(command);
  EXPECT_EQ(isolated.exit_code, 0);
  EXPECT_THAT(isolated.out, Not(HasSubstr("leaked mock")));
}

// Threads and servers of the program are not in the tests, and it says so.
TEST(Environment, WhoseThreadsTheTestsMissNamesThemOnce) {
  if (kHasThreadOfASanitizer) {
    GTEST_SKIP() << "the plugin names no thread then, as it may be the sanitizer's";
  }
  Command command{"environments", Build::kIsolated, {"--gtest_repeat=2"}};
  command.environment = {{"ENVIRONMENT", "starts a thread"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(Count(finished.err, "threads of this process do not run in the tests"), 1)
      << finished.err;
  EXPECT_THAT(finished.err, HasSubstr(": background\nStart them in SetUpTestSuite"));
}

TEST(Environment, WhoseServersTheTestsMissNamesThemOnce) {
  Command command{"environments", Build::kIsolated, {"--gtest_repeat=2"}};
  command.environment = {{"ENVIRONMENT", "listens"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(Count(finished.err, "cannot reach what listens"), 1) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr(": 0.0.0.0:"));

  command.args.emplace_back("--isolate_network=host");
  EXPECT_THAT(Execute(command).err, Not(HasSubstr("listens")));
}

TEST(Debugger, TurnsIsolationOffUnlessItIsAskedFor) {
  for (const bool asked : {false, true}) {
    Command command{"kinds", Build::kIsolated, {"--gtest_filter=Fixture.*"}};
    if (asked) {
      command.args.emplace_back("--isolate=on");
    }
    // It wants to be a tracer itself.
    command.environment = {{"ASAN_OPTIONS", "detect_leaks=0"}};
    // The driver's process becomes the tracer.
    command.before_exec = [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; };
    Program program(command);
    ContinueTraced(program.pid());
    const Finished finished = program.Wait();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(Count(finished.err, "isolate: the tests run without isolation, under "),
              asked ? 0 : 1)
        << finished.err;
  }
}

// An exception that gtest does not catch ends the test's process, and no other.
TEST(UncaughtException, EndsItsTestOnly) {
  Command command{"throws", Build::kPlain, {"--gtest_catch_exceptions=0"}};
  const Finished plain = Execute(command);
  EXPECT_EQ(plain.signal, SIGABRT);
  EXPECT_EQ(Sections(plain.out).count("Zlast.Passes"), 0U);

  command.build = Build::kIsolated;
  const Finished isolated = Execute(command);
  EXPECT_EQ(isolated.exit_code, 1);
  const auto sections = Sections(isolated.out);
  EXPECT_EQ(sections.at("Zlast.Passes").ending, "OK");
  for (const char* test : {"Throws.AnError", "Throws.SomethingElse", "ThrowsInSetUpTestSuite.First",
                           "ThrowsInSetUpTestSuite.Second", "ThrowsInConstructor.HasNoBody",
                           "ThrowsInSetUp.HasNoBody", "ThrowsInTearDown.HasABody",
                           "ThrowsInTearDownTestSuite.First", "ThrowsInTearDownTestSuite.Second"}) {
    SCOPED_TRACE(test);
    EXPECT_EQ(sections.at(test).ending, "FAILED");
    EXPECT_THAT(sections.at(test).text, HasSubstr("died of SIGABRT"));
  }
  EXPECT_THAT(sections.at("Throws.AnError").text, HasSubstr("before the exception"));
  EXPECT_THAT(isolated.err, HasSubstr("what it says"));
}

// Set-up and tear-down of a suite run once for each test, and are told of once.
TEST(SuiteSetUp, IsToldOfOnce) {
  const Finished isolated =
      Execute({"fixtures", Build::kIsolated, {"--gtest_filter=Talking.*", "--isolate_jobs=4"}});
  EXPECT_EQ(Count(isolated.out, "\nSetUpTestSuite\n"), 1);
  EXPECT_EQ(Count(isolated.out, "\nTearDownTestSuite\n"), 1);
}

// A crash must lose no line, so stdout is written line by line; a plain run
// writes to a file when its buffer is full.
TEST(StandardOutput, IsWrittenLineByLine) {
  Command command{"output", Build::kPlain, {"--gtest_filter=Buffered.*"}};
  command.merge_streams = true;
  const auto plain = Sections(Execute(command).out);
  EXPECT_EQ(plain.at("Buffered.ByStdio").text, "to stderr\nto stdout\n");
  EXPECT_THAT(plain.at("Buffered.OfManyKinds").text,
              StartsWith("stderr 0\nstdio 0\niostream 0\ncall 0\n"));

  command.build = Build::kIsolated;
  const auto isolated = Sections(Execute(command).out);
  EXPECT_EQ(isolated.at("Buffered.ByStdio").text, "to stdout\nto stderr\n");
  EXPECT_THAT(isolated.at("Buffered.OfManyKinds").text,
              StartsWith("stdio 0\niostream 0\nstderr 0\ncall 0\n"));
}

// In a plain run this is the end of the program; here, too, although the
// failure happened in another process.
TEST(BreakOnFailure, StopsTheProgramAtTheFirstFailure) {
  for (const Build build : {Build::kPlain, Build::kIsolated}) {
    const Finished finished = Execute({"fixtures", build, {"--gtest_break_on_failure"}});
    EXPECT_EQ(finished.signal, SIGTRAP);
    EXPECT_THAT(finished.out, HasSubstr("[ RUN      ] Talking.Second"));
    EXPECT_THAT(finished.out, Not(HasSubstr("[ RUN      ] Talking.Third")));
  }
}

// This one, too.  The test's process dies of its exception as well, so the last
// words are there twice.
TEST(ThrowOnFailure, EndsTheProgramAtTheFirstFailure) {
  const Finished plain = Execute({"fixtures", Build::kPlain, {"--gtest_throw_on_failure"}});
  const Finished isolated = Execute({"fixtures", Build::kIsolated, {"--gtest_throw_on_failure"}});
  EXPECT_EQ(plain.signal, SIGABRT);
  EXPECT_EQ(isolated.signal, SIGABRT);
  EXPECT_THAT(isolated.out, HasSubstr("[ RUN      ] Talking.Second"));
  EXPECT_THAT(isolated.out, Not(HasSubstr("[ RUN      ] Talking.Third")));
  EXPECT_THAT(plain.err, HasSubstr("in the body"));
  EXPECT_EQ(isolated.err, plain.err + plain.err);
}

}  // namespace
}  // namespace isolate::plugin_tests
