// A test that ends its process is a failure, and the only one.

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr struct {
  const char* name;
  const char* said;
} kEnds[] = {
    {"Crash", "died of SIGSEGV"},    {"FollowNull", "died of SIGSEGV"},
    {"Abort", "died of SIGABRT"},    {"Exit0", "exited with code 0"},
    {"Exit3", "exited with code 3"}, {"UnderscoreExit", "exited with code 4"},
    {"Kill", "died of SIGKILL"},     {"Terminate", "died of SIGABRT"},
};

constexpr struct {
  const char* name;
  const char* said;
} kParts[] = {
    {"SetUpTestSuite", "in SetUpTestSuite, before the test began"},
    {"Constructor", "before the test ended"},
    {"SetUp", "before the test ended"},
    {"Body", "before the test ended"},
    {"TearDown", "before the test ended"},
    {"Destructor", "before the test ended"},
    {"TearDownTestSuite", "after the test, in TearDownTestSuite"},
};

constexpr int kEndings = 7 * 8;

// AddressSanitizer would make an exit of a crash.
Command EndsCommand(const std::string& filter, const std::string& specimen = "ends") {
  Command command{specimen, Build::kIsolated, {"--gtest_filter=" + filter, "--isolate_jobs=4"}};
  command.environment = {
      {"ASAN_OPTIONS", "handle_segv=0:handle_abort=0:allow_user_segv_handler=0:detect_leaks=0"},
      {"TSAN_OPTIONS", "handle_segv=0:handle_abort=0"},
      {"UBSAN_OPTIONS", "handle_segv=0:handle_abort=0"}};
  return command;
}

TEST(End, IsAFailureThatSaysHow) {
  Command command = EndsCommand("In*:Bystander.*");
  command.report = "xml";
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  const auto sections = Sections(finished.out);
  for (const auto& part : kParts) {
    for (const auto& end : kEnds) {
      const std::string test = absl::StrCat("In", part.name, "_", end.name, ".Ends");
      SCOPED_TRACE(test);
      ASSERT_EQ(sections.count(test), 1U);
      const Section& section = sections.at(test);
      EXPECT_EQ(section.ending, "FAILED");
      EXPECT_THAT(section.text, HasSubstr(absl::StrCat("isolate: the test's process ", end.said,
                                                       " ", part.said)));
      if (part.name != std::string("SetUpTestSuite")) {
        EXPECT_THAT(section.text, HasSubstr("about to end\n"));
        EXPECT_THAT(section.text, HasSubstr("before the end\n"));
      }
    }
  }
  EXPECT_EQ(sections.at("Bystander.Passes").ending, "OK");
  EXPECT_EQ(sections.at("Bystander.PassesToo").ending, "OK");

  EXPECT_THAT(finished.report, HasSubstr(absl::StrCat("<testsuites tests=\"", kEndings + 2,
                                                      "\" failures=\"", kEndings, "\"")));
  for (const auto& end : kEnds) {
    EXPECT_GE(Count(finished.report, end.said), 7) << end.said;
  }
  const std::string property = "<property name=\"isolate_";
  const auto count = [&](const std::string& name, const std::string& value) {
    return Count(finished.report, absl::StrCat(property, name, "\" value=\"", value, "\"/>"));
  };
  EXPECT_EQ(count("outcome", "crashed"), 7 * 5);
  EXPECT_EQ(count("signal", "SIGSEGV"), 7 * 2);
  EXPECT_EQ(count("signal", "SIGKILL"), 7);
  EXPECT_EQ(count("outcome", "exited"), 7 * 3);
  EXPECT_EQ(count("exit_code", "3"), 7);
}

TEST(Crash, IsToldWithItsCauseAndItsStack) {
  const Finished finished = Execute(EndsCommand("Crash.*:DeathTest.*", "crashes"));
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  const struct {
    const char* test;
    const char* cause;
    const char* function;
  } crashes[] = {
      {"OfAnUnmappedAddress",
       "died of SIGSEGV before the test ended: SEGV_MAPERR, address not mapped, at address 0x10\n",
       "WriteTo()"},
      {"OfAReadOnlyAddress", "SEGV_ACCERR, no permission for the address, at address 0x",
       "WriteTo()"},
      {"OfAnOverflowOfTheStack", "died of SIGSEGV before the test ended: ", "Recurse()"},
      {"OfAnAbort", "died of SIGABRT before the test ended\n", "AbortHere()"},
      {"OfARaisedSignal", "died of SIGABRT before the test ended\n", "Crash_OfARaisedSignal_Test"},
      {"OfASentSignal", "died of SIGSEGV before the test ended\n", "Crash_OfASentSignal_Test"},
      {"OfAnAbortInAThread", "died of SIGABRT before the test ended\n", "AbortHere()"},
  };
  const auto sections = Sections(finished.out);
  for (const auto& crash : crashes) {
    SCOPED_TRACE(crash.test);
    const std::string& text = sections.at(absl::StrCat("Crash.", crash.test)).text;
    EXPECT_THAT(text, HasSubstr(crash.cause));
    EXPECT_THAT(text, HasSubstr(absl::StrCat("(anonymous namespace)::", crash.function)));
    EXPECT_THAT(text, ::testing::Not(HasSubstr("isolate::Executor"))) << "of the runner's stack";
  }
  // A sanitizer gives threads a stack for handlers.
#if !defined(ABSL_HAVE_ADDRESS_SANITIZER) && !defined(ABSL_HAVE_THREAD_SANITIZER)
  EXPECT_THAT(sections.at("Crash.OfAnOverflowOfAThreadsStack").text,
              HasSubstr("died of SIGSEGV before the test ended; no handler could run, as where a "
                        "thread's stack has overflowed\n"));
#endif
  const Section& death = sections.at("DeathTest.OfACrashTellsNothing");
  EXPECT_EQ(death.ending, "OK");
  EXPECT_EQ(death.text, "");
}

// Where cores go is the machine's affair, unless they go to the working directory.
TEST(Core, LandsAmongTheOutputsThatBazelKeeps) {
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
  GTEST_SKIP() << "a sanitizer's shadow memory makes cores too large";
#endif
  std::string pattern;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), pattern);
  if (pattern.find_first_of("|/@") != std::string::npos) {
    GTEST_SKIP() << "cores go to " << pattern;
  }
  const std::string outputs = ::testing::TempDir() + "/outputs";
  std::filesystem::create_directory(outputs);
  Command command = EndsCommand("Crash.OfAnUnmappedAddress:Crash.OfAnAbort", "crashes");
  command.environment.emplace_back("TEST_UNDECLARED_OUTPUTS_DIR", outputs);
  command.before_exec = [] {
    rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_CORE, &limit) == 0;
  };
  Execute(command);
  for (const char* test : {"Crash.OfAnUnmappedAddress", "Crash.OfAnAbort"}) {
    EXPECT_FALSE(std::filesystem::is_empty(outputs + "/" + test)) << test;
  }
  std::filesystem::remove_all(outputs);
}

TEST(FullOutput, IsAmongTheOutputsThatBazelKeeps) {
  const std::string outputs =
      std::filesystem::path(::testing::TempDir() + "/outputs").lexically_normal();
  std::filesystem::create_directory(outputs);
  Command command{"flood",
                  Build::kIsolated,
                  {"--isolate_output_limit=1K", "--gtest_filter=*IsInOrder/1", "--gtest_repeat=2"}};
  command.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", outputs}};
  for (const char* scope : {"--isolate_scope=test", "--isolate_scope=suite"}) {
    command.args.emplace_back(scope);
    const Finished finished = Execute(command);
    EXPECT_EQ(finished.exit_code, 0);
    for (const char* name : {"stdout.txt", "stdout-2.txt"}) {
      const std::string path = absl::StrCat(outputs, "/Forty_Flood.IsInOrder_1/", name);
      EXPECT_THAT(finished.err,
                  HasSubstr(absl::StrCat(
                      "isolate: all that the process of Forty/Flood.IsInOrder/1 printed is in ",
                      path, "\n")));
      std::ifstream file(path);
      const std::string text(std::istreambuf_iterator<char>(file), {});
      EXPECT_EQ(Count(text, "test 1 line "), 200);
    }
    std::filesystem::remove_all(outputs + "/Forty_Flood.IsInOrder_1");
    EXPECT_TRUE(std::filesystem::is_empty(outputs));
  }
  std::filesystem::remove_all(outputs);
}

TEST(Timeout, TellsWhereTheTestStood) {
  const Finished finished = Execute(
      {"waits",
       Build::kIsolated,
       {"--isolate_timeout=3s", "--isolate_grace=60s", "--gtest_filter=Several/Waits.ForEver/0"}});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(
      Sections(finished.out).at("Several/Waits.ForEver/0").text,
      AllOf(HasSubstr("and was ended\n"), HasSubstr("(anonymous namespace)::TellAndWait()")));
}

TEST(Interruption, TellsWhereEveryThreadAndProcessStood) {
  const Finished finished = ExecuteUntilTold(
      {"stands", Build::kIsolated, {"--isolate_grace=60s", "--gtest_filter=Crowd.Stands"}}, 1,
      SIGINT);
  EXPECT_EQ(finished.signal, SIGINT);
  const std::string text = Sections(finished.out).at("Crowd.Stands").text;
  EXPECT_THAT(text, HasSubstr("Crowd_Stands_Test::TestBody()"));
  EXPECT_THAT(text, ContainsRegex("  thread [0-9]+ \\(stander\\):\n"
                                  "(    @ .*\n)*"
                                  "    @ .*::StandInAThread\\(\\)\n"));
  EXPECT_THAT(text, ContainsRegex("  thread [0-9]+ \\(deaf\\) does not answer, as one that "
                                  "blocks signals; it waits in "));
  EXPECT_THAT(text, ContainsRegex("  process [0-9]+, child of 2: sleep 1234567\n"
                                  "    thread [0-9]+ \\(sleep\\) waits in "));
#ifndef ABSL_HAVE_THREAD_SANITIZER  // which handles no signal in a fork of a process with threads
  EXPECT_THAT(finished.err,
              ContainsRegex("isolate: process [0-9]+, which the test forked, stands here:\n"
                            "(    @ .*\n)*"
                            "    @ .*::StandInAFork\\(\\)\n"));
#endif
}

TEST(Fork, ThatTheTestTerminatesTellsNothing) {
  const Finished finished =
      Execute({"stands", Build::kIsolated, {"--gtest_filter=Fork.MayBeTerminatedInSilence"}});
  EXPECT_EQ(finished.exit_code, 0) << finished.out;
  EXPECT_EQ(finished.err, "");
}

// With a time limit in which everything happens but the end of this test.
TEST(SlowTest, IsNamed) {
  const Finished finished = Execute({"waits",
                                     Build::kIsolated,
                                     {"--isolate_slow=1ms", "--isolate_timeout=3s",
                                      "--isolate_grace=0s", "--gtest_filter=Several/*/0"}});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.err,
              ContainsRegex("^isolate: Several/Waits.ForEver/0 has been running for [0-9.]+m?s\n"));
  // At 1 ms, at twice that, and so on: not more than 12 times in 4 s.
  EXPECT_LE(Count(finished.err, "has been running for"), 16);
}

TEST(BazelsTimeLimit, EndsTheRunInTimeToWriteTheReport) {
  Command command{"waits", Build::kIsolated, {"--isolate_jobs=2", "--gtest_filter=Several/*"}};
  command.environment = {{"TEST_TIMEOUT", "6"}};
  command.report = "xml";
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.err,
              HasSubstr("isolate: the run was ended as Bazel's time limit of 6s (TEST_TIMEOUT) is "
                        "nearly over; these tests were running:\n"
                        "  Several/Waits.ForEver/0\n    @ "));
  EXPECT_THAT(finished.err, HasSubstr("  Several/Waits.ForEver/1\n    @ "));
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.at("Several/Waits.ForEver/0").ending, "FAILED");
  EXPECT_EQ(sections.at("Several/Waits.ForEver/1").ending, "SKIPPED");
  EXPECT_THAT(finished.report,
              HasSubstr("<property name=\"isolate_outcome\" value=\"interrupted\"/>"));
  EXPECT_THAT(finished.report, HasSubstr("</testsuites>"));
}

TEST(BazelsTimeLimit, EndsARepetition) {
  Command command{"waits", Build::kIsolated, {"--gtest_repeat=-1", "--gtest_filter=*/0"}};
  command.environment = {{"TEST_TIMEOUT", "2"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(Count(finished.out, "[  FAILED  ] 1 test"), 1);
}

TEST(Leak, IsAFailureOfTheTestThatLeaked) {
#ifndef ABSL_HAVE_ADDRESS_SANITIZER
  GTEST_SKIP() << "only with AddressSanitizer is there a LeakSanitizer";
#endif
  const Finished finished = Execute({"leaks", Build::kIsolated, {"--isolate_jobs=2"}});
  EXPECT_EQ(finished.exit_code, 1);
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.at("Leaks.AreNotThere").ending, "OK");
  EXPECT_EQ(sections.at("Leaks.AreThere").ending, "FAILED");
  EXPECT_THAT(sections.at("Leaks.AreThere").text, HasSubstr("isolate: the test leaks memory"));
  EXPECT_EQ(sections.at("Leaks.AreNotThereAgain").ending, "OK");
  EXPECT_THAT(finished.err, HasSubstr("4936 byte(s) in 1 object(s)"));
}

// The tests of a suite whose set-up has failed do not run, so it is the suite
// that has to tell how its set-up ended.
TEST(End, AfterAFailureInSetUpTestSuiteIsToldUnderTheSuite) {
  const Finished finished = Execute(EndsCommand("FailsAndEnds.*:Bystander.*"));
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.out, HasSubstr("before the end"));
  EXPECT_THAT(finished.out, HasSubstr("died of SIGABRT in SetUpTestSuite"));
  EXPECT_EQ(Sections(finished.out).at("Bystander.Passes").ending, "OK");
}

// Without an assertion after them, which would have flushed them.
TEST(End, LosesNoLineThatWasPrintedBefore) {
  const Finished finished = Execute(EndsCommand("LastWords.*"));
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.size(), 2U);
  for (const auto& [test, section] : sections) {
    EXPECT_THAT(section.text, StartsWith("puts\nprintf 1\nprintf 2\n")) << test;
    EXPECT_THAT(section.text, HasSubstr("died of SIGKILL"));
  }
}

// What is lost with them is a failure, and no riddle.
TEST(ClosedDescriptors, AreNamedAmongTheReasons) {
  const Finished finished = Execute(EndsCommand("Descriptors.*"));
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(Sections(finished.out).at("Descriptors.AreClosed").text,
              HasSubstr("closed descriptors that it had not opened"));
}

TEST(Daemon, DoesNotHoldTheRunUp) {
  const Finished finished = Execute(EndsCommand("Daemon.*"));
  EXPECT_EQ(finished.exit_code, 0) << finished.out;
  EXPECT_THAT(Sections(finished.out).at("Daemon.Stays").text, HasSubstr("left a daemon"));
}

TEST(Timeout, EndsTestsThatWaitForEver) {
  const Finished finished = Execute({"waits",
                                     Build::kIsolated,
                                     {"--isolate_timeout=200ms", "--isolate_grace=100ms",
                                      "--isolate_jobs=8", "--gtest_filter=*/0:*/1:Stubborn.*"}});
  EXPECT_EQ(finished.exit_code, 1);
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.size(), 3U);
  for (const auto& [test, section] : sections) {
    SCOPED_TRACE(test);
    EXPECT_EQ(section.ending, "FAILED");
    EXPECT_THAT(section.text, HasSubstr("isolate: the test took longer than its time limit of "
                                        "200ms (--isolate_timeout) and was ended"));
  }
}

// With time enough for everything but for waiting for ever.
TEST(Timeout, KeepsWhatCameBeforeAndLeavesOthersAlone) {
  const Finished finished =
      Execute({"waits",
               Build::kIsolated,
               {"--isolate_timeout=3s", "--isolate_grace=100ms", "--isolate_jobs=3",
                "--gtest_filter=*/0:Stubborn.*:Bystander.*"}});
  EXPECT_EQ(finished.exit_code, 1);
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.at("Several/Waits.ForEver/0").ending, "FAILED");
  EXPECT_THAT(sections.at("Several/Waits.ForEver/0").text, StartsWith("waiting\n"));
  EXPECT_EQ(sections.at("Stubborn.IgnoresSigterm").ending, "FAILED");
  EXPECT_THAT(sections.at("Stubborn.IgnoresSigterm").text,
              AllOf(HasSubstr("before the wait\n"), HasSubstr("waiting\n")));
  EXPECT_EQ(sections.at("Bystander.Passes").ending, "OK");
}

// The tests that gtest skips would wait for ever.
void ExpectSkipped(const Finished& finished, const std::string& test) {
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.out, HasSubstr("[  SKIPPED ] " + test));
  EXPECT_EQ(Count(finished.out, "waiting\n"), 0);
}

class SkippedTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SkippedTest, IsNotWaitedForAfterAFailureWithFailFast) {
  ExpectSkipped(Execute({"waits",
                         Build::kIsolated,
                         {"--gtest_fail_fast", GetParam(), "--gtest_filter=Failure.*"}}),
                "Failure.WaitsToo");
}

TEST_P(SkippedTest, IsNotWaitedForAfterAFailureInSetUpTestSuite) {
  ExpectSkipped(Execute({"waits", Build::kIsolated, {GetParam(), "--gtest_filter=SuiteFailure.*"}}),
                "SuiteFailure.WaitsToo");
}

TEST_P(SkippedTest, IsNotWaitedForAfterAFailureInAnEnvironment) {
  Command command{"waits", Build::kIsolated, {GetParam(), "--gtest_filter=Several/*"}};
  command.environment = {{"FAIL_IN_ENVIRONMENT", "1"}};
  ExpectSkipped(Execute(command), "Several/Waits.ForEver/0");
}

INSTANTIATE_TEST_SUITE_P(, SkippedTest, ::testing::Values("--isolate_jobs=1", "--isolate_jobs=4"),
                         [](const auto& test) {
                           return std::string("Jobs") + test.param[strlen(test.param) - 1];
                         });

}  // namespace
}  // namespace isolate::plugin_tests
