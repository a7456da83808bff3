// What tests leave behind, as a user hears of it.

#include <stdio.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

Finished RunRemains(const std::string& filter, std::vector<std::string> args = {},
                    const std::string& report = "") {
  args.push_back("--gtest_filter=" + filter);
  Command command{"remains", Build::kIsolated, std::move(args)};
  command.report = report;
  return Execute(command);
}

std::string TextOf(const Finished& finished, const std::string& test) {
  const auto sections = Sections(finished.out);
  const auto section = sections.find(test);
  return section != sections.end() ? section->second.text : "there is no such test";
}

TEST(Leaks, AreNotWhereATestCleansUp) {
  const Finished finished = RunRemains("Clean.*");
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, Not(HasSubstr("LEAKED"))) << finished.out;
}

TEST(Leaks, AreToldUnderTheirTestWithWhatTheyWouldHaveDone) {
  const Finished finished = RunRemains("Leaky.InItsBody");
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(
      TextOf(finished, "Leaky.InItsBody"),
      MatchesRegex("\\[  LEAKED  \\] ports: tcp 127.0.0.1:8080 \\(listening; descriptor [0-9]+ of "
                   "the test's process\\)\n"
                   "             without isolation, the next test that binds tcp 8080 would "
                   "have failed\n"));
}

TEST(Leaks, OfAFixturesDestructorAreIts) {
  EXPECT_THAT(TextOf(RunRemains("Leaky.InItsDestructor"), "Leaky.InItsDestructor"),
              HasSubstr("[  LEAKED  ] fds: /etc/passwd (descriptor "));
}

TEST(Leaks, OfThreadsSayWhereTheyStand) {
  if (kHasThreadOfASanitizer) {
    GTEST_SKIP() << "threads are not told";
  }
  EXPECT_THAT(TextOf(RunRemains("Leaky.Thread"), "Leaky.Thread"),
              MatchesRegex("(.|\n)*threads: remains \\(thread [0-9]+, [^;]*; it is in \\(anonymous "
                           "namespace\\)::StandStill\\(\\)\\)(.|\n)*"));
}

TEST(Leaks, OfStateHaveBothValues) {
  EXPECT_EQ(TextOf(RunRemains("Leaky.State"), "Leaky.State"),
            "[  LEAKED  ] state: variable LEFT (was not set, is \"behind\")\n");
}

TEST(Leaks, OfATestThatFailsOrSkipsAreToldToo) {
  const Finished finished = RunRemains("Leaky.And*");
  EXPECT_THAT(TextOf(finished, "Leaky.AndFails"), HasSubstr("files: /tmp/of_failed (0 bytes)\n"));
  EXPECT_THAT(TextOf(finished, "Leaky.AndSkips"), HasSubstr("files: /tmp/of_skipped (0 bytes)\n"));
}

TEST(Leaks, OfATestThatDoesNotEndAreToldToo) {
  const Finished finished = RunRemains("Ends.*", {"--isolate_timeout=1s", "--isolate_grace=0"});
  EXPECT_THAT(TextOf(finished, "Ends.ByCrash"),
              AllOf(HasSubstr("sysv: shm 0x1234 (id 0, 100 bytes)\n"), HasSubstr("processes: "),
                    HasSubstr(", whose parent has ended; alive)\n"), HasSubstr("died of SIGABRT")));
  EXPECT_THAT(TextOf(finished, "Ends.ByExit"), HasSubstr("files: /tmp/of_exited (0 bytes)\n"));
  EXPECT_THAT(TextOf(finished, "Ends.ByTimeLimit"),
              HasSubstr("files: /tmp/of_timed_out (0 bytes)\n"));
}

TEST(Leaks, OfManyAreCutOnTheConsole) {
  const Finished finished = RunRemains("Leaky.Much", {}, "xml");
  EXPECT_EQ(Count(TextOf(finished, "Leaky.Much"), "files: /tmp/file"), 20);
  EXPECT_THAT(finished.out,
              HasSubstr("[  LEAKED  ] and 10 more (--isolate_report=FILE has all)\n"));
  EXPECT_EQ(Count(finished.report, "files:/tmp/file"), 30);
}

TEST(Leaks, AreAPropertyInGtestsReports) {
  for (const char* format : {"xml", "json"}) {
    EXPECT_THAT(RunRemains("Leaky.InItsBody", {}, format).report,
                HasSubstr("ports:tcp 127.0.0.1:8080"))
        << format;
  }
}

TEST(Leaks, AreToldShortlyWithBrief) {
  const Finished finished = RunRemains("Leaky.InItsBody", {"--gtest_brief=1"});
  EXPECT_THAT(finished.out,
              AllOf(Not(HasSubstr("listening")), HasSubstr("Leaky.InItsBody: 1 port\n")));
}

// --- in a suite that shares a process ----------------------------------------------

TEST(LeaksInASharedProcess, AreOfTheTestThatLeftThem) {
  const Finished finished = RunRemains("Shared.*", {"--isolate_scope=suite"});
  EXPECT_EQ(TextOf(finished, "Shared.First"), "");
  EXPECT_THAT(TextOf(finished, "Shared.Second"),
              MatchesRegex("\\[  LEAKED  \\] fds: /etc/passwd \\(descriptor [0-9]+\\)\n"));
  EXPECT_EQ(TextOf(finished, "Shared.Third"), "[  LEAKED  ] files: /tmp/of_third (0 bytes)\n");
  EXPECT_EQ(
      TextOf(finished, "Shared.Fourth"),
      "[  LEAKED  ] files: /tmp/of_tear_down (0 bytes; of the suite's set-up or tear-down)\n");
}

TEST(LeaksInASharedProcess, AreOfTheTestThatLeftThemWhenItIsExecuted) {
  const Finished finished =
      RunRemains("Shared.*", {"--isolate_scope=suite", "--isolate_spawn=exec"});
  EXPECT_EQ(TextOf(finished, "Shared.First"), "");
  EXPECT_THAT(TextOf(finished, "Shared.Second"), HasSubstr("fds: /etc/passwd"));
  EXPECT_EQ(TextOf(finished, "Shared.Third"), "[  LEAKED  ] files: /tmp/of_third (0 bytes)\n");
}

TEST(LeaksInASharedProcess, AreOfTheTestThatRanInACopy) {
  const Finished finished = RunRemains("Shared.*", {"--isolate_suite_setup=snapshot"});
  EXPECT_EQ(TextOf(finished, "Shared.First"), "");
  EXPECT_THAT(TextOf(finished, "Shared.Second"), HasSubstr("fds: /etc/passwd"));
  EXPECT_THAT(TextOf(finished, "Shared.Third"), HasSubstr("files: /tmp/of_third (0 bytes)\n"));
  EXPECT_THAT(TextOf(finished, "Shared.Fourth"), HasSubstr("files: /tmp/of_tear_down "));
}

TEST(LeaksInAnExecutedProcess, AreTold) {
  const Finished clean = RunRemains("Clean.*", {"--isolate_spawn=exec"});
  EXPECT_THAT(clean.out, Not(HasSubstr("LEAKED"))) << clean.out;
  const Finished finished = RunRemains("Leaky.InIts*", {"--isolate_spawn=exec"});
  EXPECT_THAT(TextOf(finished, "Leaky.InItsBody"), HasSubstr("ports: tcp 127.0.0.1:8080 "));
  EXPECT_THAT(TextOf(finished, "Leaky.InItsDestructor"), HasSubstr("fds: /etc/passwd "));
}

// --- policies ----------------------------------------------------------------------

TEST(LeakPolicy, OffLooksForNothing) {
  const Finished finished = RunRemains("Leaky.InIts*", {"--isolate_leaks=off"});
  EXPECT_THAT(finished.out, Not(HasSubstr("LEAKED")));
}

TEST(LeakPolicy, IsOfAKind) {
  const Finished finished =
      RunRemains("Leaky.*-*.AndFails", {"--isolate_leaks=all:off,ports:fail"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.out, Not(HasSubstr("files:")));
  EXPECT_THAT(finished.out, HasSubstr(" 1 FAILED TEST\n"));
}

TEST(LeakPolicy, FailMakesAFailureOfItsOwnOutcome) {
  const Finished finished = RunRemains("Leaky.InItsBody:Clean.*", {"--isolate_leaks=fail"}, "xml");
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(TextOf(finished, "Leaky.InItsBody"),
              AllOf(HasSubstr("remains.cc:"), HasSubstr(": Failure\n"),
                    HasSubstr("isolate: the test left behind what it must not (--isolate_leaks):\n"
                              "  ports: tcp 127.0.0.1:8080 (listening; ")));
  EXPECT_THAT(finished.report, AllOf(HasSubstr("failures=\"1\""),
                                     HasSubstr("name=\"isolate_outcome\" value=\"leaked\"")));
  EXPECT_THAT(finished.out, Not(HasSubstr("--isolate_leaks=fail makes")));
}

TEST(LeakPolicy, LeavesTheOutcomeOfATestThatFailedAsItIs) {
  const Finished finished = RunRemains("Leaky.AndFails", {"--isolate_leaks=fail"}, "xml");
  EXPECT_THAT(finished.report, Not(HasSubstr("isolate_outcome")));
  EXPECT_THAT(finished.out, HasSubstr("for another reason"));
}

TEST(LeakPolicy, ThatIsWrongIsRefused) {
  const Finished finished = RunRemains("*", {"--isolate_leaks=port:fail"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr("--isolate_leaks=port:fail: "), HasSubstr("expected KIND:POLICY"),
                    HasSubstr("ports, time_wait, sysv")));
}

// --- leaks that are meant ----------------------------------------------------------

class AllowedLeaks : public ::testing::Test {
 protected:
  static std::string File(const std::string& text) {
    const std::string path = ::testing::TempDir() + "/allowed";
    std::ofstream(path) << text;
    return path;
  }
  void TearDown() override { remove((::testing::TempDir() + "/allowed").c_str()); }
};

TEST_F(AllowedLeaks, AreNotTold) {
  const Finished finished = RunRemains(
      "Leaky.InIts*",
      {"--isolate_allow_leaks=ports:tcp *:8080,fds[*Destructor]:/etc/*", "--isolate_leaks=fail"});
  EXPECT_EQ(finished.exit_code, 0) << finished.out;
  EXPECT_THAT(finished.out, Not(HasSubstr("LEAKED")));
}

TEST_F(AllowedLeaks, MayBeOfSomeTestsAlone) {
  const Finished finished =
      RunRemains("Leaky.InItsBody", {"--isolate_allow_leaks=ports[Clean.*]:tcp *:8080"});
  EXPECT_THAT(finished.out, HasSubstr("LEAKED"));
}

TEST_F(AllowedLeaks, MayStandInAFileWithComments) {
  const std::string path = File(
      "# What we know of\n"
      "\n"
      "ports:tcp *:8080  # the server\n"
      "fds:/etc/*\n");
  const Finished finished = RunRemains("Leaky.InIts*", {"--isolate_allow_leaks=@" + path});
  EXPECT_THAT(finished.out, Not(HasSubstr("LEAKED"))) << finished.out;
}

TEST_F(AllowedLeaks, OfAFileThatAreWrongAreNamedByTheirLine) {
  const std::string path = File("ports:*\n\nnonsense\n");
  const Finished finished = RunRemains("*", {"--isolate_allow_leaks=@" + path});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr(path + ":3: \"nonsense\": expected KIND:PATTERN"));
}

TEST_F(AllowedLeaks, OfAFileThatIsNotThereAreAnError) {
  const Finished finished = RunRemains("*", {"--isolate_allow_leaks=@/no/such/file"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("the file /no/such/file cannot be read: No such file"));
}

TEST_F(AllowedLeaks, MayBeATrait) {
  const Finished finished = RunRemains("*Meant.*");
  EXPECT_EQ(TextOf(finished, "Meant.LeavesWhatIsMeant"), "");
  EXPECT_EQ(TextOf(finished, "Meant.LeavesMore"), "[  LEAKED  ] files: /tmp/not_meant (0 bytes)\n");
  EXPECT_EQ(TextOf(finished, "NotMeant.LeavesWhatIsMeantElsewhere"),
            "[  LEAKED  ] files: /tmp/meant (0 bytes)\n");
}

TEST_F(AllowedLeaks, ThatNeverOccurAreNamedWhenAllTestsRan) {
  const std::vector<std::string> args = {"--isolate_timeout=1s", "--isolate_grace=0",
                                         "--isolate_allow_leaks=ports:never,files:/tmp/*"};
  const Finished all = RunRemains("*", args);
  EXPECT_THAT(all.out, HasSubstr("isolate: these allowed leaks did not occur, and can go:\n"
                                 "  ports:never\n"
                                 "  files:/tmp/never\n"));
  EXPECT_THAT(RunRemains("Clean.*", args).out, Not(HasSubstr("did not occur")));
}

// --- at the end --------------------------------------------------------------------

TEST(LeakSummary, NamesTheWorstFirstAndTheFlagThatMakesItStrict) {
  const Finished finished = RunRemains("Leaky.InItsBody:Leaky.Much");
  EXPECT_THAT(finished.out,
              HasSubstr("[  PASSED  ] 2 tests.\n"
                        "[  LEAKED  ] 2 tests left something behind: 1 port, 30 files\n"
                        "[  LEAKED  ] Leaky.Much: 30 files\n"
                        "[  LEAKED  ] Leaky.InItsBody: 1 port\n"
                        "isolate: --isolate_leaks=fail makes such tests fail, "));
}

TEST(LeakReport, HasWhatAProgramNeeds) {
  const std::string path = ::testing::TempDir() + "/leaks.json";
  RunRemains("Leaky.InItsBody:Clean.Nothing", {"--isolate_report=" + path});
  std::ifstream file(path);
  const json report = json::parse(file, nullptr, /*allow_exceptions=*/false);
  remove(path.c_str());
  ASSERT_FALSE(report.is_discarded());
  EXPECT_FALSE(report["tests"][0].contains("leaks"));
  const json leak = report["tests"][1]["leaks"][0];
  EXPECT_EQ(leak["kind"], "ports");
  EXPECT_EQ(leak["leak"], "tcp 127.0.0.1:8080");
  EXPECT_EQ(leak["protocol"], "tcp");
  EXPECT_EQ(leak["address"], "127.0.0.1");
  EXPECT_EQ(leak["port"], 8080);
  EXPECT_EQ(leak["state"], "listening");
  EXPECT_EQ(leak["pid"], 2);
  EXPECT_GT(leak["fd"], 2);
  EXPECT_EQ(report["leaks"], json({{"ports", 1}}));
}

}  // namespace
}  // namespace isolate::plugin_tests
