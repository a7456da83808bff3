// --isolate_history and --isolate_verbose=timing.

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class History : public ::testing::Test {
 protected:
  static std::string Path() { return ::testing::TempDir() + "/history.json"; }
  static std::string ReportPath() { return ::testing::TempDir() + "/report.json"; }

  void TearDown() override {
    remove(Path().c_str());
    remove((Path() + ".file").c_str());
    remove(ReportPath().c_str());
  }

  // Six tests in two suites: Suite0.Test0, Suite1.Test1, Suite0.Test2...
  static Command Remembering(std::vector<std::string> args = {}) {
    args.push_back("--isolate_history=" + Path());
    return {"many", Build::kIsolated, std::move(args), {{"MANY_SUITES", "2"}, {"MANY_TESTS", "6"}}};
  }

  static json Read(const std::string& path) {
    std::ifstream file(path);
    return json::parse(file, nullptr, /*allow_exceptions=*/false);
  }

  static void Write(const std::string& text) { std::ofstream(Path()) << text; }

  // The tests in the order in which they were started, as the report has it.
  static std::vector<std::string> OrderOfStart() {
    std::vector<std::pair<double, std::string>> tests;
    const json report = Read(ReportPath());
    for (const json& test : report["tests"]) {
      tests.emplace_back(
          test["start_ms"].get<double>(),
          absl::StrCat(test["suite"].get<std::string>(), ".", test["name"].get<std::string>()));
    }
    std::sort(tests.begin(), tests.end());
    std::vector<std::string> names;
    for (auto& [start, name] : tests) {
      names.push_back(std::move(name));
    }
    return names;
  }
};

TEST_F(History, IsOfEveryTestThatRan) {
  const Finished finished = Execute(Remembering({"--gtest_filter=Suite0.*"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const json history = Read(Path());
  EXPECT_EQ(history["isolate_history"], 1);
  std::vector<std::string> names;
  for (const auto& [name, milliseconds] : history["milliseconds"].items()) {
    names.push_back(name);
    EXPECT_GT(milliseconds.get<double>(), 0) << name;
  }
  EXPECT_THAT(names, ElementsAre("Suite0.Test0", "Suite0.Test2", "Suite0.Test4"));
}

TEST_F(History, IsKeptOfTestsThatDidNotRunAndDroppedOfTestsThatAreNoMore) {
  Write(R"({"isolate_history": 1, "milliseconds": {"Suite1.Test1": 12345, "Gone.Test": 1}})");
  Execute(Remembering({"--gtest_filter=Suite0.Test0"}));
  const json milliseconds = Read(Path())["milliseconds"];
  EXPECT_EQ(milliseconds["Suite1.Test1"], 12345);
  EXPECT_TRUE(milliseconds.contains("Suite0.Test0"));
  EXPECT_FALSE(milliseconds.contains("Gone.Test"));
}

TEST_F(History, KeepsTheLinkToItsFileAndTheModeOfThat) {
  Write(R"({"isolate_history": 1, "milliseconds": {}})");
  const std::string file = Path() + ".file";
  ASSERT_EQ(rename(Path().c_str(), file.c_str()), 0);
  ASSERT_EQ(chmod(file.c_str(), 0640), 0);
  ASSERT_EQ(symlink(file.c_str(), Path().c_str()), 0);
  const Finished finished = Execute(Remembering({"--gtest_filter=Suite0.Test0"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  struct stat status;
  ASSERT_EQ(lstat(Path().c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640);
  EXPECT_TRUE(Read(file)["milliseconds"].contains("Suite0.Test0"));
}

TEST_F(History, StartsTheLongestFirstAndBeforeThemWhatItDoesNotKnow) {
  Write(R"({"isolate_history": 1, "milliseconds": {"Suite0.Test0": 1, "Suite0.Test2": 300,
            "Suite1.Test1": 20, "Suite1.Test3": 400, "Suite1.Test5": 2}})");
  const Finished finished =
      Execute(Remembering({"--isolate_jobs=2", "--isolate_report=" + ReportPath()}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(OrderOfStart(), ElementsAre("Suite0.Test4", "Suite1.Test3", "Suite0.Test2",
                                          "Suite1.Test1", "Suite1.Test5", "Suite0.Test0"));
  // gtest's own order all the same.
  EXPECT_LT(finished.out.find("Suite0.Test0"), finished.out.find("Suite0.Test2"));
  EXPECT_LT(finished.out.find("Suite0.Test4"), finished.out.find("Suite1.Test1"));
}

TEST_F(History, OfSomethingElseIsRefusedBeforeAnyTestAndLeftAsItIs) {
  for (const std::string text : {"", "notes", "[]", "{}", R"({"isolate_history": "1"})",
                                 R"({"isolate_history": 2, "milliseconds": {}})"}) {
    SCOPED_TRACE(text);
    Write(text);
    const Finished finished = Execute(Remembering());
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_THAT(finished.err, AllOf(HasSubstr("--isolate_history=" + Path()),
                                    HasSubstr("this is no history that an earlier run wrote")));
    EXPECT_THAT(finished.out, Not(HasSubstr("[ RUN ")));
    std::ifstream file(Path());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
  }
}

TEST_F(History, ThatIsAFolderOrAPipeIsRefused) {
  ASSERT_EQ(mkfifo(Path().c_str(), 0600), 0);
  EXPECT_EQ(Execute(Remembering()).exit_code, 2);
  remove(Path().c_str());
  ASSERT_EQ(mkdir(Path().c_str(), 0700), 0);
  const Finished finished = Execute(Remembering());
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("it is no regular file"));
}

TEST_F(History, InAFolderThatIsNotThereIsRefused) {
  Command command = Remembering();
  command.args = {"--isolate_history=/not/there/history"};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("the folder /not/there is not there"));
}

TEST(Verbose, TimingSaysWhereTheTimeWent) {
  const Finished finished = Execute({"many",
                                     Build::kIsolated,
                                     {"--isolate_verbose=timing"},
                                     {{"MANY_SUITES", "2"}, {"MANY_TESTS", "6"}}});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("isolate: where the time of 6 processes went\n"),
                                  HasSubstr("set up: create the sandbox's namespaces"),
                                  HasSubstr("set up: mount a tmpfs"), HasSubstr("\nfork and enter"),
                                  HasSubstr("\ntest"), HasSubstr("\nend of the sandbox")));
  EXPECT_THAT(finished.out, Not(HasSubstr("where the time")));
}

TEST(Verbose, OffSaysNothing) {
  const Finished finished =
      Execute({"many", Build::kIsolated, {}, {{"MANY_SUITES", "2"}, {"MANY_TESTS", "6"}}});
  EXPECT_THAT(finished.err, IsEmpty());
}

}  // namespace
}  // namespace isolate::plugin_tests
