// What tests share, by --isolate_scope, --isolate_suite_setup and --isolate_spawn.  That all else
// is the same, same_as_plain_test says.

#include <signal.h>

#include <ostream>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Way {
  const char* name;
  std::vector<std::string> args;
  // What each test that comes to its end prints.
  const char* first;
  const char* second;
  const char* fourth;
  const char* sixth;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

const Way kWays[] = {
    {"EachTestAlone",
     {},
     "memory 11, file st\n",
     "memory 11, file st\n",
     "memory 11, file st\n",
     "memory 11, file st\n"},
    // Another process goes on after the one that crashed, and another after the one that was ended.
    {"SuiteInOneSandbox",
     {"--isolate_scope=suite"},
     "memory 11, file st\n",
     "memory 12, file stt\n",
     "memory 11, file st\n",
     "memory 11, file st\n"},
    {"Snapshot",
     {"--isolate_suite_setup=snapshot"},
     "memory 11, file st\n",
     "memory 11, file st\n",
     "memory 11, file st\n",
     "memory 11, file st\n"},
    {"SnapshotInOneSandbox",
     {"--isolate_scope=suite", "--isolate_suite_setup=snapshot"},
     "memory 11, file st\n",
     "memory 11, file stt\n",
     "memory 11, file stttt\n",
     "memory 11, file stttttt\n"},
};

class ScopeTest : public ::testing::TestWithParam<Way> {};

TEST_P(ScopeTest, SharesWhatItSays) {
  Command command{"scopes",
                  Build::kIsolated,
                  {"--isolate_jobs=2", "--isolate_timeout=3s", "--isolate_grace=60s",
                   "--isolate_leaks=off", "--gtest_filter=Sharing.*:Bystander.*"}};
  command.args.insert(command.args.end(), GetParam().args.begin(), GetParam().args.end());
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.err, "");
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.at("Sharing.First").text, GetParam().first);
  EXPECT_EQ(sections.at("Sharing.Second").text, GetParam().second);
  EXPECT_EQ(sections.at("Sharing.Fourth").text, GetParam().fourth);
  EXPECT_EQ(sections.at("Sharing.Sixth").text, GetParam().sixth);
  EXPECT_THAT(sections.at("Sharing.Crashes").text,
              HasSubstr("died of SIGABRT before the test ended"));
  EXPECT_THAT(sections.at("Sharing.WaitsForEver").text,
              AllOf(HasSubstr("took longer than its time limit of 3s"),
                    HasSubstr("(anonymous namespace)::WaitForEver()")));
  for (const char* test : {"First", "Second", "Fourth", "Sixth"}) {
    EXPECT_EQ(sections.at(std::string("Sharing.") + test).ending, "OK") << test;
  }
  EXPECT_EQ(sections.at("Bystander.Passes").ending, "OK");
  EXPECT_EQ(Count(finished.out, "set up\n"), 1);
  EXPECT_EQ(Count(finished.out, "torn down: "), 1);
}

TEST_P(ScopeTest, TellsWhereTestsStoodWhenTheRunIsEnded) {
  Command command{"scopes",
                  Build::kIsolated,
                  {"--isolate_grace=60s", "--gtest_filter=Sharing.*-Sharing.Crashes"}};
  command.args.insert(command.args.end(), GetParam().args.begin(), GetParam().args.end());
  command.report = "xml";
  const Finished finished = ExecuteUntilTold(command, 1, SIGTERM);
  EXPECT_EQ(finished.signal, SIGTERM);
  EXPECT_THAT(finished.err, StartsWith("isolate: the run was ended by SIGTERM; these tests were "
                                       "running:\n  Sharing.WaitsForEver"));
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.at("Sharing.WaitsForEver").ending, "FAILED");
  EXPECT_THAT(sections.at("Sharing.WaitsForEver").text,
              AllOf(HasSubstr("the run was ended while this test was running"),
                    HasSubstr("Sharing_WaitsForEver_Test::TestBody()")));
  EXPECT_EQ(sections.at("Sharing.Sixth").ending, "SKIPPED");
  EXPECT_THAT(finished.report, HasSubstr("</testsuites>"));
}

INSTANTIATE_TEST_SUITE_P(, ScopeTest, ::testing::ValuesIn(kWays),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Snapshot, RefusesASetUpThatLeavesThreads) {
#ifdef ABSL_HAVE_THREAD_SANITIZER
  GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
#endif
  const Finished finished =
      Execute({"scopes",
               Build::kIsolated,
               {"--isolate_suite_setup=snapshot", "--gtest_filter=LeavesAThread.*:Bystander.*"}});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(
      finished.out,
      AllOf(HasSubstr("isolate: SetUpTestSuite left threads, which tests that are forked "
                      "from a snapshot do not have: stayer\n"),
            HasSubstr("--isolate_scope=suite"), HasSubstr("[  SKIPPED ] LeavesAThread.First"),
            HasSubstr("[       OK ] Bystander.Passes")));
}

TEST(Snapshot, NamesWhatTheSetUpLeftListening) {
  Command command{
      "scopes", Build::kIsolated, {"--isolate_suite_setup=snapshot", "--gtest_filter=Listens.*"}};
  const Finished apart = Execute(command);
  EXPECT_EQ(apart.exit_code, 0);
  EXPECT_THAT(apart.err, AllOf(HasSubstr("cannot reach what its SetUpTestSuite left listening: "
                                         "127.0.0.1:8080\n"),
                               HasSubstr("--isolate_scope=suite")));
  command.args.emplace_back("--isolate_scope=suite");
  const Finished together = Execute(command);
  EXPECT_EQ(together.exit_code, 0);
  EXPECT_EQ(together.err, "");
}

TEST(Snapshot, CopiesTheWorkingDirectoryToo) {
  const Finished finished =
      Execute({"scopes",
               Build::kIsolated,
               {"--isolate_suite_setup=snapshot", "--isolate_jobs=2", "--gtest_filter=Moves.*"}});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
}

TEST(Snapshot, TellsWhereATearDownHangs) {
  const Finished finished = Execute({"scopes",
                                     Build::kIsolated,
                                     {"--isolate_suite_setup=snapshot", "--isolate_timeout=2s",
                                      "--isolate_grace=60s", "--gtest_filter=HangsAtTheEnd.*"}});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.out,
              AllOf(HasSubstr("took longer than its time limit of 2s (--isolate_timeout) and was "
                              "ended\n"),
                    HasSubstr("HangsAtTheEnd::TearDownTestSuite()")));
}

TEST(Snapshot, IsNotEndedByATest) {
  const Finished finished = Execute(
      {"scopes",
       Build::kIsolated,
       {"--isolate_suite_setup=snapshot", "--isolate_scope=suite", "--gtest_filter=KillsAll.*"}});
  EXPECT_THAT(Sections(finished.out).at("KillsAll.Second").text, HasSubstr("second\n"));
}

Command SpawnsCommand(const std::string& filter) {
  return {"spawns", Build::kIsolated, {"--isolate_spawn=exec", "--gtest_filter=" + filter}};
}

class SpawnInScope : public ::testing::TestWithParam<const char*> {};

TEST_P(SpawnInScope, GivesTestsTheProgramsThreads) {
  Command command = SpawnsCommand("Threads.*:Spawned.*-*DeathTest");
  command.args.emplace_back("--isolate_jobs=2");
  command.args.emplace_back(GetParam());
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(Count(finished.out, "suite set up\n"), 1);
  EXPECT_EQ(Count(finished.out, "suite torn down\n"), 1);
}

TEST_P(SpawnInScope, GivesThemToDeathTests) {
  Command command = SpawnsCommand("*DeathTest");
  command.args.emplace_back(GetParam());
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("[  PASSED  ] 1 test."));
}

INSTANTIATE_TEST_SUITE_P(, SpawnInScope,
                         ::testing::Values("--isolate_scope=test", "--isolate_scope=suite"),
                         [](const auto& test) { return std::string(test.param + 16); });

TEST(Spawn, IsNamedWhereAForkHasFewerThreads) {
  const Finished finished = Execute({"spawns", Build::kIsolated, {"--gtest_filter=Spawned.*"}});
  EXPECT_EQ(finished.exit_code, 0);
#ifndef ABSL_HAVE_THREAD_SANITIZER
  EXPECT_THAT(finished.err, HasSubstr("or give --isolate_spawn=exec"));
#endif
}

TEST(Spawn, TellsWhatFailsInAnEnvironmentOfTheSandbox) {
  Command command = SpawnsCommand("Spawned.*");
  command.environment = {{"FAIL_INSIDE", "1"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.out, HasSubstr("in the environment of a sandbox"));
}

TEST(Spawn, StopsTheRunWhereTheTestIsNotThereAgain) {
  Command command = SpawnsCommand("Changing.*");
  command.environment = {{"CHANGING", "1"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("cannot isolate: Changing.Of"),
                                  HasSubstr("register the same tests each time")));
}

TEST(Spawn, RefusesASnapshot) {
  Command command = SpawnsCommand("*");
  command.args.emplace_back("--isolate_suite_setup=snapshot");
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("--isolate_spawn=exec: not with"));
}

TEST(Spawn, RefusesAVariableThatIsNotItsOwn) {
  Command command = SpawnsCommand("*");
  command.environment = {{"ISOLATE_SPAWNED", "0"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("ISOLATE_SPAWNED is for isolate's own use; unset it"));
}

}  // namespace
}  // namespace isolate::plugin_tests
