#include "tests/real/report.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::real {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What GoogleTest writes for a suite of five tests: two passed, one failed, one
// was skipped, one is disabled.
constexpr std::string_view kReport =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" disabled="1" errors="0" time="0.012" timestamp="2024-05-06T07:08:09.101" name="AllTests">
  <testsuite name="Cache" tests="3" failures="1" disabled="0" skipped="0" errors="0" time="0.01" timestamp="2024-05-06T07:08:09.102">
    <testcase name="Hits" file="cache_test.cc" line="10" status="run" result="completed" time="0.001" timestamp="2024-05-06T07:08:09.103" classname="Cache" />
    <testcase name="Misses" file="cache_test.cc" line="20" status="run" result="completed" time="0.002" timestamp="2024-05-06T07:08:09.104" classname="Cache">
      <failure message="cache_test.cc:23&#x0A;Expected: 1&#x0A;Which is: 2" type=""><![CDATA[cache_test.cc:23
Expected: 1
Which is: 2]]></failure>
    </testcase>
    <testcase name="Evicts" file="cache_test.cc" line="30" status="run" result="completed" time="0.003" timestamp="2024-05-06T07:08:09.105" classname="Cache">
      <properties>
        <property name="entries" value="7"/>
      </properties>
    </testcase>
  </testsuite>
  <testsuite name="Disk" tests="2" failures="0" disabled="1" skipped="1" errors="0" time="0.002" timestamp="2024-05-06T07:08:09.106">
    <testcase name="Full" file="disk_test.cc" line="10" status="run" result="skipped" time="0.001" timestamp="2024-05-06T07:08:09.107" classname="Disk">
      <skipped message="disk_test.cc:11&#x0A;no quota"><![CDATA[disk_test.cc:11
no quota]]></skipped>
    </testcase>
    <testcase name="DISABLED_Slow" file="disk_test.cc" line="20" status="notrun" result="suppressed" time="0." timestamp="2024-05-06T07:08:09.108" classname="Disk" />
  </testsuite>
</testsuites>
)";

// The report with every `from` replaced, which must be there for that.
std::string With(std::string_view from, std::string_view to) {
  std::string changed(kReport);
  const int count = absl::StrReplaceAll({{from, to}}, &changed);
  EXPECT_GT(count, 0) << from;
  return changed;
}

std::string DifferencesFromReport(std::string_view isolated) {
  return Differences(ReadReport(kReport), ReadReport(isolated));
}

TEST(ReadReport, CountsOutcomes) {
  const Report report = ReadReport(kReport);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.Count("passed"), 2);
  EXPECT_EQ(report.Count("failed"), 1);
  EXPECT_EQ(report.Count("skipped"), 1);
  EXPECT_EQ(report.Count("did not run"), 1);
}

TEST(ReadReport, ATestThatSkipsAndFailsHasFailed) {
  const std::string_view skipped = "      <skipped message=";
  const std::string failure = "      <failure message=\"x\"></failure>\n";
  for (const std::string& both : {
           With(skipped, failure + std::string(skipped)),
           With("no quota]]></skipped>\n", "]]></skipped>\n" + failure),
       }) {
    EXPECT_EQ(ReadReport(both).Count("failed"), 2);
    EXPECT_EQ(ReadReport(both).Count("skipped"), 0);
  }
}

TEST(Differences, NoneBetweenEqualReports) {
  EXPECT_THAT(DifferencesFromReport(kReport), IsEmpty());
}

TEST(Differences, NoneWhenOnlyTimesChange) {
  EXPECT_THAT(DifferencesFromReport(With("time=\"0.0", "time=\"47.11")), IsEmpty());
  EXPECT_THAT(DifferencesFromReport(With("2024-05-06T07:", "2025-06-07T08:")), IsEmpty());
}

TEST(Differences, NoneWhenOnlyHostNamesChange) {
  const std::string_view suite = "<testsuite name=";
  EXPECT_THAT(Differences(ReadReport(With(suite, "<testsuite hostname=\"a\" name=")),
                          ReadReport(With(suite, "<testsuite hostname=\"b\" name="))),
              IsEmpty());
}

TEST(Differences, ATimeInAMessageIsNoTime) {
  EXPECT_THAT(
      Differences(ReadReport(With("\nWhich is: 2", "\n time=\"1\"")),
                  ReadReport(With("\nWhich is: 2", "\n time=\"2\""))),
      AllOf(HasSubstr("Cache.Misses"), HasSubstr("-  time=\"1\""), HasSubstr("+  time=\"2\"")));
}

TEST(Differences, NameAMissingTest) {
  const std::string_view line =
      "    <testcase name=\"Hits\" file=\"cache_test.cc\" line=\"10\" "
      "status=\"run\" result=\"completed\" time=\"0.001\" "
      "timestamp=\"2024-05-06T07:08:09.103\" classname=\"Cache\" />\n";
  const std::string without = With(line, "");
  EXPECT_EQ(DifferencesFromReport(without), "Cache.Hits: passed plain, missing isolated\n");
  EXPECT_EQ(Differences(ReadReport(without), ReadReport(kReport)),
            "Cache.Hits: missing plain, passed isolated\n");
}

TEST(Differences, NameATestThatRanTwice) {
  const std::string_view name = "<testcase name=\"Evicts\"";
  EXPECT_THAT(DifferencesFromReport(With(name, "<testcase name=\"Hits\"")),
              AllOf(HasSubstr("Cache.Evicts: passed plain, missing isolated"),
                    HasSubstr("Cache.Hits (2): missing plain, passed isolated"),
                    Not(HasSubstr("Cache.Misses"))));
}

TEST(Differences, NameATestWithAnotherOutcome) {
  const std::string isolated = With("classname=\"Cache\" />",
                                    "classname=\"Cache\">\n"
                                    "      <failure message=\"died\"><![CDATA[died]]></failure>\n"
                                    "    </testcase>");
  EXPECT_THAT(
      DifferencesFromReport(isolated),
      AllOf(HasSubstr("Cache.Hits: passed plain, failed isolated\n"),
            HasSubstr("    +       <failure message=\"died\">"), Not(HasSubstr("Cache.Misses"))));
}

TEST(Differences, NameATestThatDidNotRun) {
  EXPECT_THAT(DifferencesFromReport(With("status=\"run\" result=\"skipped\"",
                                         "status=\"notrun\" result=\"suppressed\"")),
              HasSubstr("Disk.Full"));
}

TEST(Differences, NameATestWithAnotherMessage) {
  EXPECT_EQ(DifferencesFromReport(With("\nWhich is: 2", "\nWhich is: 3")),
            "Cache.Misses: not reported alike\n"
            "    - Which is: 2]]></failure>\n"
            "    + Which is: 3]]></failure>\n");
}

TEST(Differences, NameATestWithAnotherProperty) {
  EXPECT_EQ(DifferencesFromReport(With("value=\"7\"", "value=\"8\"")),
            "Cache.Evicts: not reported alike\n"
            "    -         <property name=\"entries\" value=\"7\"/>\n"
            "    +         <property name=\"entries\" value=\"8\"/>\n");
}

TEST(Differences, NameATestSuiteWithOtherTotals) {
  EXPECT_THAT(DifferencesFromReport(With("skipped=\"1\"", "skipped=\"0\"")),
              HasSubstr("test suite Disk: not reported alike\n"));
}

TEST(Differences, NameAReportWithOtherTotals) {
  EXPECT_THAT(DifferencesFromReport(With("<testsuites tests=\"5\"", "<testsuites tests=\"6\"")),
              HasSubstr("the report: not reported alike\n"));
}

TEST(Differences, TellOfAnotherOrder) {
  const auto report = [](std::string_view first, std::string_view second) {
    const auto test = [](std::string_view name) {
      return absl::StrCat("    <testcase name=\"", name,
                          "\" status=\"run\" classname=\"Cache\" />\n");
    };
    return ReadReport(absl::StrCat("<testsuites tests=\"2\">\n  <testsuite name=\"Cache\">\n",
                                   test(first), test(second), "  </testsuite>\n</testsuites>\n"));
  };
  EXPECT_THAT(Differences(report("Hits", "Misses"), report("Hits", "Misses")), IsEmpty());
  EXPECT_EQ(Differences(report("Hits", "Misses"), report("Misses", "Hits")),
            "the same tests in another order\n"
            "    - Cache.Hits\n"
            "    + Cache.Misses\n");
}

TEST(Differences, TellOfAReportThatBreaksOff) {
  const Report none = ReadReport("");
  const Report half = ReadReport(kReport.substr(0, kReport.size() / 2));
  EXPECT_THAT(Differences(ReadReport(kReport), half),
              HasSubstr("the isolated report breaks off\n"));
  EXPECT_THAT(Differences(none, none), AllOf(HasSubstr("the plain report breaks off\n"),
                                             HasSubstr("the isolated report breaks off\n")));
}

TEST(Differences, ShowNoMoreOfALineThanIsReadable) {
  const std::string isolated = With("\nWhich is: 2", "\nWhich is: " + std::string(100000, 'x'));
  EXPECT_LT(DifferencesFromReport(isolated).size(), 2000u);
}

}  // namespace
}  // namespace isolate::real
