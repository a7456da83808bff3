#include "isolate/command/gtest_json.h"

#include <string>

#include "gtest/gtest.h"

namespace isolate::command {
namespace {

TEST(ParseGtestJson, GivesBytesBackInWhicheverWayTheyAreWritten) {
  // As bytes, and as GoogleTest escapes a byte that is negative as a char.
  const auto report = ParseGtestJson(
      "{\"testsuites\": [{\"raw\": \"\xc3\xa9 \xff\", \"escaped\": \"\\u00c3\\u00A9 \\u00ff\"}]}");
  ASSERT_TRUE(report.has_value());
  const auto& suite = ElementsOf(*report, "testsuites").at(0);
  EXPECT_EQ(StringOf(suite, "raw"), "\xc3\xa9 \xff");
  EXPECT_EQ(StringOf(suite, "escaped"), "\xc3\xa9 \xff");
}

TEST(ParseGtestJson, GivesNothingForWhatIsNoReport) {
  for (const char* text : {"", "noise", "[]", "{}", "{\"testsuites\": 1}", "{\"testsuites\": ["}) {
    EXPECT_FALSE(ParseGtestJson(text).has_value()) << text;
  }
}

TEST(Members, OfAnotherTypeAreNotThere) {
  const auto report = ParseGtestJson("{\"testsuites\": [], \"a\": 1, \"b\": \"1\"}");
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(StringOf(*report, "a"), absl::nullopt);
  EXPECT_EQ(NumberOf(*report, "b"), absl::nullopt);
  EXPECT_EQ(NumberOf(*report, "a"), 1);
  EXPECT_TRUE(ElementsOf(*report, "b").empty());
  EXPECT_EQ(StringOf(*report, "c"), absl::nullopt);
}

}  // namespace
}  // namespace isolate::command
