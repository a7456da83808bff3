#include "isolate/command/test_list.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::command {
namespace {

using ::testing::HasSubstr;

TEST(ParseJsonList, HasWhatIsTold) {
  const auto tests = ParseJsonList(R"({"tests": 2, "name": "AllTests", "testsuites": [
      {"name": "A", "tests": 1, "testsuite": [{"name": "b", "file": "a.cc", "line": 7}]},
      {"name": "P/A/0", "tests": 1, "testsuite": [
          {"name": "b/1", "value_param": "4", "type_param": "int", "file": "p.cc", "line": 8}]}]})");
  ASSERT_TRUE(tests.has_value());
  ASSERT_EQ(tests->size(), 2U);
  EXPECT_EQ((*tests)[0].suite, "A");
  EXPECT_EQ((*tests)[0].name, "b");
  EXPECT_EQ((*tests)[0].file, "a.cc");
  EXPECT_EQ((*tests)[0].line, 7);
  EXPECT_EQ((*tests)[0].type_param, absl::nullopt);
  EXPECT_EQ((*tests)[1].suite, "P/A/0");
  EXPECT_EQ((*tests)[1].value_param, "4");
  EXPECT_EQ((*tests)[1].type_param, "int");
}

TEST(ParseJsonList, KnowsAnEmptyList) {
  const auto tests = ParseJsonList(R"({"tests": 0, "name": "AllTests", "testsuites": []})");
  ASSERT_TRUE(tests.has_value());
  EXPECT_TRUE(tests->empty());
}

TEST(ParseTextList, OverlooksNoise) {
  const auto tests = ParseTextList(
      "Running main() from gtest_main.cc\n"
      "  indented noise before any suite\n"
      "A.\n"
      "  b\n"
      "  DISABLED_c\n"
      "noise with words.\n"
      "  of no suite\n"
      "P/A/0.  # TypeParam = std::vector<int>\n"
      "  b/1  # GetParam() = (4, \"x\")\n");
  ASSERT_TRUE(tests.has_value());
  ASSERT_EQ(tests->size(), 3U);
  EXPECT_EQ((*tests)[1].name, "DISABLED_c");
  EXPECT_EQ((*tests)[2].suite, "P/A/0");
  EXPECT_EQ((*tests)[2].type_param, "std::vector<int>");
  EXPECT_EQ((*tests)[2].name, "b/1");
  EXPECT_EQ((*tests)[2].value_param, "(4, \"x\")");
  EXPECT_EQ((*tests)[2].file, absl::nullopt);
}

TEST(ParseTextList, FindsNoneInOtherText) {
  EXPECT_EQ(ParseTextList("").has_value(), false);
  EXPECT_EQ(ParseTextList("usage: program [FILE]\n  an option\n").has_value(), false);
}

TEST(FilterOf, StandsForSpecialCharacters) {
  EXPECT_EQ(FilterOf("P/A", "b/1"), "P/A.b/1");
  EXPECT_EQ(FilterOf("A", "b-c:d*e?f"), "A.b?c?d?e?f");
}

TEST(CheckThatFiltersTellThemApart, NamesTwoThatCannotBe) {
  const ListedTest dash{"A", "b-c", {}, {}, {}};
  const ListedTest underscore{"A", "b_c", {}, {}, {}};
  const ListedTest other{"A", "b_cd", {}, {}, {}};
  EXPECT_TRUE(CheckThatFiltersTellThemApart({dash, other}).ok());
  const absl::Status status = CheckThatFiltersTellThemApart({underscore, other, dash});
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("A.b-c from A.b_c"));
}

TEST(CheckThatFiltersTellThemApart, NamesTwoThatAreCalledTheSame) {
  const absl::Status status =
      CheckThatFiltersTellThemApart({{"A.B", "c", {}, {}, {}}, {"A", "B.c", {}, {}, {}}});
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("called A.B.c"));
}

}  // namespace
}  // namespace isolate::command
