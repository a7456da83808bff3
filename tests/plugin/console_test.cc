#include "tests/plugin/console.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::ElementsAre;
using ::testing::Key;

TEST(WithoutTimes, TakesOutTimesAndNothingElse) {
  EXPECT_EQ(WithoutTimes("[       OK ] A.B (12 ms)\n[----------] 2 tests from A (345 ms total)\n"),
            "[       OK ] A.B (0 ms)\n[----------] 2 tests from A (0 ms total)\n");
  EXPECT_EQ(WithoutTimes("it took (x ms) (5 s) 6 ms"), "it took (x ms) (5 s) 6 ms");
}

TEST(WithoutMainsFile, TakesOutEveryLineOfMains) {
  EXPECT_EQ(WithoutMainsFile("Running main() from a.cc\na\nRunning main() from a.cc\nRunning\n"),
            "a\nRunning\n");
}

TEST(WithoutTimesInReport, TakesOutTimesAndNothingElse) {
  EXPECT_EQ(
      WithoutTimesInReport(R"(<a name="n" time="0.012" timestamp="2023-01-01T00:00:00.123">)"),
      R"(<a name="n" time="0" timestamp="0">)");
  EXPECT_EQ(
      WithoutTimesInReport(R"("time": "0.012s", "timestamp": "2023-01-01T00:00:00Z", "x": "1")"),
      R"("time": "0", "timestamp": "0", "x": "1")");
  EXPECT_EQ(WithoutTimesInReport(R"(time="soon")"), R"(time="soon")");
}

TEST(WithoutAddresses, TakesOutAddressesAndNothingElse) {
  EXPECT_EQ(WithoutAddresses("at 0x55a7f, @0x1, 10x, 0xyz; 0xff"), "at 0x0, @0x0, 10x, 0xyz; 0x0");
}

TEST(WithoutTimesInStream, TakesOutTimesAndNothingElse) {
  EXPECT_EQ(WithoutTimesInStream("event=TestEnd&passed=1&elapsed_time=12ms\n"),
            "event=TestEnd&passed=1&elapsed_time=0ms\n");
  EXPECT_EQ(WithoutTimesInStream("message=12ms"), "message=12ms");
}

TEST(Sections, HoldWhatATestPrinted) {
  const auto sections = Sections(
      "[ RUN      ] A.One\nfirst\nsecond\n[       OK ] A.One (0 ms)\nbetween\n"
      "[ RUN      ] A.Two\n[  FAILED  ] A.Two, where GetParam() = 1 (0 ms)\n"
      "[ RUN      ] A.Three\nlast words\n");
  EXPECT_THAT(sections, ElementsAre(Key("A.One"), Key("A.Three"), Key("A.Two")));
  EXPECT_EQ(sections.at("A.One").text, "first\nsecond\n");
  EXPECT_EQ(sections.at("A.One").ending, "OK");
  EXPECT_EQ(sections.at("A.Two").text, "");
  EXPECT_EQ(sections.at("A.Two").ending, "FAILED");
  EXPECT_EQ(sections.at("A.Three").ending, "");
}

TEST(Count, SeesEveryOne) {
  EXPECT_EQ(Count("a b a", "a"), 2);
  EXPECT_EQ(Count("", "a"), 0);
}

}  // namespace
}  // namespace isolate::plugin_tests
