// --isolate_report, read back.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <map>
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
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Lt;
using ::testing::Not;
using ::testing::StartsWith;

class RunReport : public ::testing::Test {
 protected:
  static std::string Path() { return ::testing::TempDir() + "/report.json"; }

  static std::string PagePath() { return ::testing::TempDir() + "/report.html"; }

  void TearDown() override {
    remove(Path().c_str());
    remove(PagePath().c_str());
  }

  // A specimen that is to write the report, to other files as well.
  static Command Reporting(const std::string& specimen, std::vector<std::string> args = {},
                           const std::vector<std::string>& others = {}) {
    std::string files = Path();
    for (const std::string& other : others) {
      absl::StrAppend(&files, ",", other);
    }
    args.push_back("--isolate_report=" + files);
    return {specimen, Build::kIsolated, std::move(args)};
  }

  static json Read() {
    std::ifstream file(Path());
    json report = json::parse(file, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(report.is_discarded());
    return report;
  }

  static std::string ReadPage() {
    std::ifstream file(PagePath());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // What a browser takes for the text of the element that has the report: all up to the next end
  // of a script, or of the file.
  static std::string DataOf(const std::string& page) {
    const std::string beginning = "<script type=\"application/json\" id=\"report\">";
    const size_t begin = page.find(beginning);
    if (begin == std::string::npos) {
      ADD_FAILURE() << "there is no report";
      return "";
    }
    const std::string rest = page.substr(begin + beginning.size());
    return rest.substr(0, rest.find("</script"));
  }

  // What gtest would call it.
  static std::string NameOf(const json& test) {
    return absl::StrCat(test.value("suite", ""), ".", test.value("name", ""));
  }

  static std::map<std::string, json> ByName(const json& report) {
    std::map<std::string, json> tests;
    for (const json& test : report["tests"]) {
      tests.emplace(NameOf(test), test);
    }
    return tests;
  }
};

TEST_F(RunReport, SaysOfEveryTestWhatGtestSays) {
  const Finished finished = Execute(Reporting("results"));
  EXPECT_EQ(finished.exit_code, 1);
  const json report = Read();
  EXPECT_EQ(report["version"], 1);
  const auto sections = Sections(finished.out);
  const std::map<std::string, std::string> outcomes = {
      {"OK", "passed"}, {"FAILED", "failed"}, {"SKIPPED", "skipped"}};
  EXPECT_EQ(report["tests"].size(), sections.size());
  std::map<std::string, int> counted;
  for (const json& test : report["tests"]) {
    EXPECT_EQ(test["outcome"], outcomes.at(sections.at(NameOf(test)).ending)) << test;
    EXPECT_THAT(test["file"].get<std::string>(), HasSubstr("results.cc"));
    EXPECT_GT(test["line"], 0);
    EXPECT_EQ(test["iteration"], 1);
    ++counted[test["outcome"]];
  }
  EXPECT_THAT(counted, IsSupersetOf({::testing::Key("passed"), ::testing::Key("failed"),
                                     ::testing::Key("skipped")}));
  EXPECT_EQ(report["outcomes"], json(counted));
  EXPECT_FALSE(report.contains("error"));
}

TEST_F(RunReport, TellsOfEachProcess) {
  Execute(Reporting("results"));
  const json report = Read();
  ASSERT_FALSE(report["tests"].empty());
  for (const json& test : report["tests"]) {
    const json& process = test["process"];
    EXPECT_GT(process["wall_ms"], 0) << test;
    EXPECT_GT(process["peak_memory_bytes"], 0) << test;
    EXPECT_EQ(process["omitted_output_bytes"], 0) << test;
    EXPECT_THAT(process["isolated"].get<std::vector<std::string>>(),
                IsSupersetOf({"pid", "net", "ipc", "uts", "mnt"}));
  }
}

TEST_F(RunReport, SaysWhenAndWhereATestRan) {
  Execute(Reporting("results", {"--isolate_jobs=2"}));
  const json report = Read();
  ASSERT_FALSE(report["tests"].empty());
  for (const json& test : report["tests"]) {
    EXPECT_THAT(test["worker"].get<int>(), AllOf(Ge(0), Lt(2))) << test;
    EXPECT_GE(test["start_ms"], 0) << test;
    EXPECT_LE(test["start_ms"], report["wall_ms"]) << test;
  }
}

TEST_F(RunReport, SaysWhenEachOfSeveralTestsInAProcessBegan) {
  for (const std::string way : {"--isolate_scope=suite", "--isolate_suite_setup=snapshot"}) {
    Execute(Reporting("results", {"--gtest_filter=Passed.*", "--isolate_jobs=1", way}));
    const json report = Read();
    ASSERT_EQ(report["tests"].size(), 2) << way;
    EXPECT_EQ(report["tests"][0]["worker"], 0) << way;
    EXPECT_EQ(report["tests"][1]["worker"], 0) << way;
    EXPECT_LT(report["tests"][0]["start_ms"], report["tests"][1]["start_ms"]) << way;
  }
}

TEST_F(RunReport, SaysNotWhenATestThatWasSkippedRan) {
  Execute(Reporting("waits", {"--gtest_filter=SuiteFailure.*"}));
  const json report = Read();
  ASSERT_EQ(report["tests"].size(), 2);
  for (const json& test : report["tests"]) {
    EXPECT_FALSE(test.contains("start_ms")) << test;
    EXPECT_FALSE(test.contains("worker")) << test;
  }
}

TEST_F(RunReport, NamesNoNamespaceThatIsShared) {
  Execute(Reporting("results", {"--gtest_filter=Passed.*", "--isolate_network=host"}));
  const json report = Read();
  ASSERT_FALSE(report["tests"].empty());
  for (const json& test : report["tests"]) {
    EXPECT_THAT(test["process"]["isolated"].get<std::vector<std::string>>(),
                AllOf(Contains("pid"), Not(Contains("net"))));
  }
}

TEST_F(RunReport, HasTheSignalOrTheCode) {
  Execute(Reporting("ends", {"--gtest_filter=InBody*:FailsAndEnds*"}));
  const json report = Read();
  const auto tests = ByName(report);
  EXPECT_EQ(tests.at("InBody_Abort.Ends")["outcome"], "crashed");
  EXPECT_EQ(tests.at("InBody_Abort.Ends")["signal"], "SIGABRT");
  EXPECT_EQ(tests.at("InBody_Exit3.Ends")["outcome"], "exited");
  EXPECT_EQ(tests.at("InBody_Exit3.Ends")["exit_code"], 3);
  // Its set-up ends the process, so that none of its tests runs.
  ASSERT_EQ(report["failed_suites"].size(), 1);
  EXPECT_EQ(report["failed_suites"][0]["name"], "FailsAndEnds");
  EXPECT_EQ(report["failed_suites"][0]["outcome"], "crashed");
}

TEST_F(RunReport, HasWhatRanWhenTheRunWasEnded) {
  const Finished finished = ExecuteUntilTold(
      Reporting("waits", {"--gtest_filter=Second.Waits", "--isolate_grace=60s"}), 1, SIGTERM);
  EXPECT_EQ(finished.signal, SIGTERM);
  EXPECT_EQ(ByName(Read()).at("Second.Waits")["outcome"], "interrupted");
}

TEST_F(RunReport, HasATestThatTookTooLong) {
  Execute(Reporting("waits", {"--gtest_filter=Second.Waits", "--isolate_timeout=1s"}));
  EXPECT_EQ(ByName(Read()).at("Second.Waits")["outcome"], "timed out");
}

TEST_F(RunReport, HasEveryIteration) {
  Execute(Reporting("results", {"--gtest_filter=Passed.InSilence", "--gtest_repeat=3"}));
  std::vector<int> iterations;
  const json report = Read();
  ASSERT_FALSE(report["tests"].empty());
  for (const json& test : report["tests"]) {
    iterations.push_back(test["iteration"]);
  }
  EXPECT_THAT(iterations, ElementsAre(1, 2, 3));
}

TEST_F(RunReport, HasOneProcessForTestsThatShareIt) {
  Execute(Reporting("results", {"--gtest_filter=Passed.*", "--isolate_scope=suite"}));
  const json report = Read();
  ASSERT_EQ(report["tests"].size(), 2);
  EXPECT_FALSE(report["tests"][0].contains("process"));
  EXPECT_TRUE(report["tests"][1].contains("process"));
  EXPECT_EQ(report["scope"], "suite");
}

TEST_F(RunReport, IsWholeWhateverTheArgumentsAre) {
  Execute(Reporting("results", {"--gtest_filter=Passed.*", "\"\n\xff\\"}));
  EXPECT_EQ(Read()["arguments"][2], "\"\n\xef\xbf\xbd\\");
}

TEST_F(RunReport, SaysWhyTestsCouldNotBeIsolated) {
  // Later tests find no sandbox: a path that traits ask for is not there.
  Command command = Reporting("traits", {"--gtest_filter=Usual.*"});
  command.environment = {{"WRONG_PATH", "1"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 3) << finished.err;
  EXPECT_THAT(Read()["error"].get<std::string>(), HasSubstr("/no/such/path"));
}

TEST_F(RunReport, IsAmongTheOutputsThatBazelKeepsWhereItsPathIsRelative) {
  Command command{
      "results", Build::kIsolated, {"--gtest_filter=Passed.*", "--isolate_report=report.json"}};
  command.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", ::testing::TempDir()}};
  Execute(command);
  EXPECT_EQ(Read()["tests"].size(), 2);
}

TEST_F(RunReport, ThatCannotBeOpenedIsAnErrorBeforeAnyTest) {
  const Finished finished =
      Execute({"results", Build::kIsolated, {"--isolate_report=/no/such/folder/report"}});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_THAT(finished.err, HasSubstr("--isolate_report=/no/such/folder/report: "));
}

// Its reader might go away, and the program with it.
TEST_F(RunReport, IsNoPipe) {
  ASSERT_EQ(mkfifo(Path().c_str(), 0600), 0);
  const int reader = open(Path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  EXPECT_EQ(Execute(Reporting("results")).exit_code, 2);
  close(reader);
  EXPECT_EQ(Execute(Reporting("results")).exit_code, 2);
}

TEST_F(RunReport, ThatCannotBeWrittenIsNamed) {
  const Finished finished = Execute(
      {"results", Build::kIsolated, {"--gtest_filter=Passed.*", "--isolate_report=/dev/full"}});
  EXPECT_THAT(finished.err, HasSubstr("isolate: cannot write /dev/full: No space left on device"));
}

TEST_F(RunReport, IsAPageWhereTheNameSaysSo) {
  Execute(
      {"results", Build::kIsolated, {"--gtest_filter=Passed.*", "--isolate_report=" + PagePath()}});
  const std::string page = ReadPage();
  EXPECT_THAT(page, StartsWith("<!DOCTYPE html>\n"));
  EXPECT_THAT(page, EndsWith("</script>\n</body>\n</html>\n"));
  const json report = json::parse(DataOf(page), nullptr, /*allow_exceptions=*/false);
  ASSERT_FALSE(report.is_discarded());
  EXPECT_EQ(report["tests"].size(), 2);
}

TEST_F(RunReport, IsTheSameInEveryFileOfOneRun) {
  Execute(Reporting("results", {"</script><img src=x>", "<!--", "\\u003c", "&lt;"}, {PagePath()}));
  const json report = Read();
  EXPECT_THAT(report["arguments"].get<std::vector<std::string>>(),
              IsSupersetOf({"</script><img src=x>", "<!--", "\\u003c", "&lt;"}));
  const std::string data = DataOf(ReadPage());
  EXPECT_THAT(data, Not(HasSubstr("<")));
  EXPECT_EQ(json::parse(data, nullptr, /*allow_exceptions=*/false), report);
}

TEST_F(RunReport, HasInThePageOfAKilledRunnerWhatHadEnded) {
  ExecuteUntilTold({"waits",
                    Build::kIsolated,
                    {"--gtest_filter=Second.Waits", "--isolate_report=" + PagePath()}},
                   1, SIGKILL);
  const std::string page = ReadPage();
  EXPECT_THAT(page, Not(HasSubstr("</html>")));
  EXPECT_THAT(DataOf(page), StartsWith("\n{\"version\":1,"));
}

TEST_F(RunReport, CannotBeInTheSameFileTwice) {
  for (const std::string& other : {Path(), ::testing::TempDir() + "/./report.json"}) {
    const Finished finished = Execute(Reporting("results", {}, {other}));
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_EQ(finished.out, "");
    EXPECT_THAT(finished.err, HasSubstr("the file " + other + " is named twice"));
  }
}

TEST_F(RunReport, WantsANameOnEachSideOfAComma) {
  for (const std::string value : {",", "/dev/null,", ",/dev/null", "/dev/null,,/dev/zero"}) {
    const Finished finished = Execute({"results", Build::kIsolated, {"--isolate_report=" + value}});
    EXPECT_EQ(finished.exit_code, 2) << value;
    EXPECT_THAT(finished.err, HasSubstr("--isolate_report=" + value + ": expected names of files"));
  }
}

TEST_F(RunReport, NamesTheOneOfSeveralFilesThatCannotBeOpened) {
  const Finished finished = Execute(Reporting("results", {}, {"/no/such/folder/page.html"}));
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_THAT(finished.err, HasSubstr("the file /no/such/folder/page.html cannot be written"));
}

TEST_F(RunReport, IsWholeThoughAnotherFileIsFull) {
  ASSERT_EQ(symlink("/dev/full", PagePath().c_str()), 0);
  const Finished finished =
      Execute(Reporting("results", {"--gtest_filter=Passed.*"}, {PagePath()}));
  EXPECT_THAT(finished.err,
              HasSubstr("isolate: cannot write " + PagePath() + ": No space left on device\n"));
  EXPECT_EQ(Read()["tests"].size(), 2);
}

TEST_F(RunReport, IsNotForARunWithoutIsolation) {
  const Finished finished =
      Execute(Reporting("results", {"--gtest_filter=Passed.*", "--isolate=off"}));
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.err, HasSubstr("there is no report"));
}

}  // namespace
}  // namespace isolate::plugin_tests
