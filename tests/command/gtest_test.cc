// "isolate gtest": a test binary that knows nothing of isolate prints and reports what it does
// when it is run alone, but for times; and what is no such binary is told so.

#include "gtest/gtest.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "tests/plugin/console.h"
#include "tests/plugin/plain_cases.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kIsolate[] = "isolate/command/isolate";
constexpr char kIsolateGtest[] = "isolate/command/isolate_gtest";

Command WithIsolate(Command command, const std::vector<std::string>& options = {}) {
  command.wrapper = {kIsolate, "gtest"};
  command.wrapper.insert(command.wrapper.end(), options.begin(), options.end());
  command.wrapper.emplace_back("--");
  return command;
}

// An Environment's, which belongs to no test; GoogleTest 1.18 writes it into XML as an element.
std::string WithoutPropertyOfProgram(const std::string& report) {
  return absl::StrReplaceAll(report, {{" program=\"recorded\"", ""},
                                      {"\"program\": \"recorded\",\n  ", ""},
                                      {"  <properties>\n"
                                       "    <property name=\"program\" value=\"recorded\"/>\n"
                                       "  </properties>\n",
                                       ""}});
}

void ExpectSame(const Finished& plain, const Finished& isolated) {
  EXPECT_EQ(plain.exit_code, isolated.exit_code);
  EXPECT_EQ(WithoutTimes(WithoutMainsFile(plain.out)),
            WithoutTimes(WithoutMainsFile(isolated.out)));
  EXPECT_EQ(WithoutTimes(plain.err), WithoutTimes(isolated.err));
  EXPECT_EQ(WithoutTimesInReport(WithoutPropertyOfProgram(plain.report)),
            WithoutTimesInReport(isolated.report));
}

class SameAsAlone : public ::testing::TestWithParam<Case> {
 protected:
  static void Compare(bool merge_streams, const std::string& report, const std::string& jobs) {
    const Case& test_case = GetParam();
    if (kHasThreadOfASanitizer && test_case.specimen == absl::string_view("deaths")) {
      GTEST_SKIP() << "gtest warns of the sanitizer's thread before it forks a death test";
    }
    Command command = CommandOf(test_case, merge_streams, report);
    const Finished plain = Execute(command);
    ASSERT_NE(plain.exit_code, 127) << plain.err;
    ASSERT_NE(plain.out, "");
    ExpectSame(plain, Execute(WithIsolate(command, {"--jobs=" + jobs})));
  }
};

TEST_P(SameAsAlone, OnOneStreamAndInXml) { Compare(true, "xml", "8"); }
TEST_P(SameAsAlone, OnTwoStreamsAndInJson) { Compare(false, "json", "1"); }

INSTANTIATE_TEST_SUITE_P(, SameAsAlone,
                         ::testing::ValuesIn(PlainCasesAnd({
                             {"SuitesThatFail", "suites", {"--gtest_filter=-AsksGtest.*"}},
                         })),
                         [](const auto& test) { return test.param.name; });

// Also where the version that the runner has does not know it.
TEST(NoTest, FailsTheRunThatAsksForIt) {
  for (const auto& [filter, value, exit_code] :
       std::vector<std::tuple<const char*, const char*, int>>{
           {"NoSuchTest", "1", 1}, {"NoSuchTest", "0", 0}, {"Simple.Passes", "1", 0}}) {
    Command command = WithIsolate({"kinds"});
    command.args = {absl::StrCat("--gtest_filter=", filter)};
    command.environment = {{"GTEST_FAIL_IF_NO_TEST_SELECTED", value}};
    EXPECT_EQ(Execute(command).exit_code, exit_code) << filter << " " << value;
  }
}

// Over what nothing is left of when the process has ended.
Command Fight() {
  Command command{"fights", Build::kPlain, {"--gtest_filter=Variable.*:AbstractSocket.*"}};
  command.environment = {{"FIGHT_NUMBER", absl::StrCat(getpid())}};
  return command;
}

TEST(Isolation, IsEachTestsOwn) {
  const Finished finished = Execute(WithIsolate(Fight(), {"--jobs=8"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.out;
  EXPECT_EQ(Count(finished.out, "[       OK ] "), 4);
}

TEST(Isolation, IsNoneIfItIsOff) {
  const Finished plain = Execute(Fight());
  EXPECT_EQ(plain.exit_code, 1);
  EXPECT_EQ(WithoutTimes(plain.out),
            WithoutTimes(Execute(WithIsolate(Fight(), {"--isolate=off"})).out));
}

// A sanitizer tells of the signal itself, and exits.
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr char kFollowedNull[] = "exited with code";
#else
constexpr char kFollowedNull[] = "died of SIGSEGV before the test ended";
#endif

TEST(Ends, AreToldAsTheyWere) {
  const Finished finished = Execute(WithIsolate({"ends"}, {"--jobs=8"}));
  EXPECT_EQ(finished.exit_code, 1);
  auto sections = Sections(finished.out);
  for (const auto& [test, told] : std::vector<std::pair<std::string, std::string>>{
           {"InSetUpTestSuite_Abort.Ends", "died of SIGABRT in SetUpTestSuite"},
           {"InBody_FollowNull.Ends", kFollowedNull},
           {"InBody_Exit0.Ends", "exited with code 0 before the test ended"},
           {"InBody_Exit3.Ends", "exited with code 3 before the test ended"},
           {"InBody_Kill.Ends", "died of SIGKILL before the test ended"},
           {"InDestructor_Terminate.Ends", "died of SIGABRT before the test ended"},
       }) {
    EXPECT_THAT(sections[test].text, HasSubstr(told)) << test;
    EXPECT_EQ(sections[test].ending, "FAILED") << test;
  }
  EXPECT_EQ(sections["Bystander.Passes"].ending, "OK");
  EXPECT_EQ(sections["Bystander.PassesToo"].ending, "OK");
}

TEST(Ends, KeepFailuresThatCameBefore) {
  Command command = WithIsolate({"ends"});
  command.args = {"--gtest_filter=InBody_Exit3.*"};
  command.report = "xml";
  const Finished finished = Execute(command);
  EXPECT_THAT(finished.report,
              AllOf(HasSubstr("before the end"), HasSubstr("isolate_outcome\" value=\"exited")));
}

TEST(TimeLimit, EndsATestAndWhatItStarted) {
  Command command = WithIsolate({"waits"}, {"--timeout=500ms", "--grace=100ms"});
  command.args = {"--gtest_filter=Stubborn.*:Bystander.*"};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1);
  auto sections = Sections(finished.out);
  EXPECT_THAT(sections["Stubborn.IgnoresSigterm"].text, HasSubstr("time limit of 500ms"));
  EXPECT_THAT(sections["Stubborn.IgnoresSigterm"].text, Not(HasSubstr("LEAKED")));
  EXPECT_EQ(sections["Bystander.Passes"].ending, "OK");
}

TEST(Leaks, AreFoundWhenTheBinaryHasEnded) {
  Command command = WithIsolate({"ends"}, {"--leaks=processes:fail"});
  command.args = {"--gtest_filter=Daemon.*:Bystander.*"};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 1);
  auto sections = Sections(finished.out);
  EXPECT_EQ(sections["Daemon.Stays"].ending, "FAILED");
  EXPECT_EQ(sections["Bystander.Passes"].ending, "OK");
}

TEST(Many, Pass) {
  Command command = WithIsolate({"many"}, {"--jobs=4", "--leaks=off"});
  command.environment = {{"MANY_SUITES", "10"}, {"MANY_TESTS", "1000"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(Count(finished.out, "[       OK ] "), 1000);
}

TEST(Report, IsWritten) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/gtest_report.json");
  Execute(WithIsolate({"results"}, {"--report=" + path}));
  std::ifstream file(path);
  const std::string report{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(report, HasSubstr("\"Passed\""));
}

TEST(PluginsBinary, IsIsolatedOnce) {
  const Command plain{"kinds"};
  Command isolated = WithIsolate({"kinds", Build::kIsolated}, {"--jobs=4"});
  EXPECT_EQ(WithoutTimes(WithoutMainsFile(Execute(plain).out)),
            WithoutTimes(Execute(isolated).out));
}

TEST(Bazel, FindsItsFiles) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bazel";
  fs::create_directories(folder);
  Command command{"kinds"};
  command.wrapper = {kIsolateGtest};
  command.environment = {{"XML_OUTPUT_FILE", folder / "test.xml"},
                         {"GTEST_TOTAL_SHARDS", "2"},
                         {"GTEST_SHARD_INDEX", "1"},
                         {"GTEST_SHARD_STATUS_FILE", folder / "shard"},
                         {"ISOLATE_JOBS", "3"}};
  const Finished isolated = Execute(command);
  std::ifstream file(folder / "test.xml");
  const std::string report{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(fs::exists(folder / "shard"));
  command.wrapper = {};
  const Finished plain = Execute(command);
  std::ifstream plain_file(folder / "test.xml");
  const std::string plain_report{std::istreambuf_iterator<char>(plain_file), {}};
  EXPECT_THAT(report, HasSubstr("</testsuites>"));
  EXPECT_EQ(WithoutTimesInReport(plain_report), WithoutTimesInReport(report));
  EXPECT_EQ(WithoutTimes(WithoutMainsFile(plain.out)), WithoutTimes(isolated.out));
}

// A shell script that is executed in place of a specimen, which its text names as "$binary"; it
// finds the specimen's path among its own arguments, too.
class Script : public ::testing::Test {
 protected:
  Finished Run(const std::string& text, const std::vector<std::string>& args = {},
               const std::vector<std::string>& options = {}, const char* program = kIsolate) {
    const std::string path =
        absl::StrCat(::testing::TempDir(), "/script_",
                     ::testing::UnitTest::GetInstance()->current_test_info()->name(), count_++);
    std::ofstream(path) << "#!/bin/sh\nbinary=" << fs::absolute(PathOf(specimen_)).string() << "\n"
                        << text << "\n";
    chmod(path.c_str(), 0755);
    Command command;
    command.wrapper = {program};
    if (program == kIsolate) {
      command.wrapper.emplace_back("gtest");
    }
    command.wrapper.insert(command.wrapper.end(), options.begin(), options.end());
    command.wrapper.push_back(path);
    command.args = args;
    return Execute(command);
  }

  const Command specimen_{"kinds"};
  int count_ = 0;
};

TEST_F(Script, ThatExecutesABinaryServes) {
  const Finished plain = Execute(specimen_);
  const Finished isolated = Run("echo noise\nexec \"$binary\" \"$@\"");
  EXPECT_EQ(isolated.exit_code, plain.exit_code);
  EXPECT_EQ(Sections(WithoutTimes(plain.out)).size(), Sections(isolated.out).size());
  EXPECT_EQ(Count(isolated.out, "noise"), Count(isolated.out, " ms total)") - 1);
}

// As of a version that writes no list as JSON.
TEST_F(Script, WhoseListIsTextServes) {
  const Finished plain = Execute(specimen_);
  const Finished isolated =
      Run("case \"$*\" in *list_tests=1*) exec \"$binary\" --gtest_list_tests;; esac\n"
          "exec \"$binary\" \"$@\"");
  EXPECT_EQ(WithoutTimes(WithoutMainsFile(plain.out)), WithoutTimes(isolated.out));
}

TEST_F(Script, ThatListsWhatIsNotThereStopsTheRun) {
  const Finished finished =
      Run("case \"$*\" in *list_tests=1*) echo Suite.; echo '  Test'; exit;; esac\n"
          "exec \"$binary\" \"$@\"");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(finished.err, HasSubstr("is not there when it is executed"));
}

TEST_F(Script, ThatCrashesWhenItListsIsToldSo) {
  const Finished finished = Run("echo before the crash; kill -SEGV $$");
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("died of SIGSEGV when it was to list its tests"),
                                  HasSubstr("before the crash")));
  EXPECT_EQ(finished.out, "");
}

TEST_F(Script, ThatDoesNotEndIsToldSo) {
  const Finished finished = Run("sleep 1000 & wait", {}, {"--timeout=300ms", "--grace=100ms"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("did not list its tests (--gtest_list_tests) within 300ms"));
}

TEST_F(Script, ThatIsNoGtestIsToldWhatServes) {
  for (const char* program : {kIsolate, kIsolateGtest}) {
    const Finished finished = Run("echo \"a shell test\"; exit 7", {}, {}, program);
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_THAT(finished.err, AllOf(HasSubstr("exited with 7"), HasSubstr("no GoogleTest binary"),
                                    HasSubstr("isolate_run"), HasSubstr("a shell test")));
  }
}

TEST_F(Script, GetsItsOwnArgumentsAndNotTheRunners) {
  const Finished finished = Run(
      "echo \"$@\" >&2; exec \"$binary\" \"$@\"",
      {"--own=1", "--gtest_filter=Simple.*", "--gtest_repeat=2", "--gtest_death_test_style=fast"});
  EXPECT_EQ(Count(finished.out, "Repeating all tests (iteration"), 2);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("--gtest_death_test_style=fast"), HasSubstr("--own=1"),
                                  Not(HasSubstr("--gtest_filter=Simple.* ")),
                                  Not(HasSubstr("--gtest_repeat=2"))));
}

TEST(WrongUse, IsToldBeforeAnythingRuns) {
  struct Wrong {
    std::vector<std::string> wrapper;
    std::vector<std::pair<std::string, std::string>> environment;
    int exit_code;
    const char* told;
  };
  const Wrong wrong_uses[] = {
      {{kIsolate, "gtest", "--jobs=none"}, {}, 2, "--isolate_jobs=none"},
      {{kIsolate, "gtest", "--jops=2"}, {}, 2, "unrecognized option '--jops=2'"},
      {{kIsolate, "gtest", "--scope=suite"}, {}, 2, "unrecognized option '--scope=suite'"},
      {{kIsolate, "gtest"}, {{"ISOLATE_SCOPE", "suite"}}, 2, "ISOLATE_SCOPE=suite"},
      {{kIsolate, "gtest"}, {{"ISOLATE_SUITE_SETUP", "snapshot"}}, 2, "ISOLATE_SUITE_SETUP"},
      {{kIsolate, "gtest", "/no/such/file"}, {}, 127, "/no/such/file: there is no such file"},
      {{kIsolate, "gtest", "no-such-file"}, {}, 127, "no-such-file: there is no such file"},
      {{kIsolate, "gtest", "/etc/passwd"}, {}, 126, "/etc/passwd: cannot be executed"},
      {{kIsolateGtest, "--jobs=2"}, {}, 2, "usage: isolate_gtest BINARY"},
  };
  for (const Wrong& wrong : wrong_uses) {
    Command command{"kinds"};
    command.wrapper = wrong.wrapper;
    command.environment = wrong.environment;
    const Finished finished = Execute(command);
    EXPECT_EQ(finished.exit_code, wrong.exit_code) << wrong.told;
    EXPECT_THAT(finished.err, HasSubstr(wrong.told));
    EXPECT_EQ(finished.out, "");
  }
}

TEST(Help, NamesTheOptions) {
  Command command{"kinds"};
  command.wrapper = {kIsolate, "gtest", "--help"};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, AllOf(HasSubstr("usage: isolate gtest"), HasSubstr("--isolate_jobs=")));
}

}  // namespace
}  // namespace isolate::plugin_tests
