#include "gtest_plugin/timeline.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"
#include "isolate/result.h"

namespace isolate::gtest {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

constexpr absl::Time At(int seconds) { return absl::FromUnixSeconds(seconds); }

// A test that began and ended then; without an end, of a process that died in it.
TestReport Ran(int started, int ended = -1) {
  TestReport report;
  report.started = true;
  report.started_at = At(started);
  report.worker = 3;
  if (ended >= 0) {
    report.ended = true;
    report.ended_at = At(ended);
  }
  return report;
}

// A process whose tests ran between 20 and 80.
Times UsualTimes() {
  Times times;
  times.started = At(0);
  times.forked = At(1);
  times.entered = At(10);
  times.ended = At(90);
  times.looked = At(95);
  times.over = At(96);
  return times;
}

class Timeline : public ::testing::Test {
 protected:
  // Each slice in words: its worker, name, begin and end.
  static std::vector<std::string> Words(TimedProcess process, std::vector<TestReport> reports,
                                        Times times = UsualTimes()) {
    reports.back().times = std::move(times);
    process.reports = &reports;
    std::vector<std::string> words;
    for (const Slice& slice : SlicesOf(process)) {
      words.push_back(absl::StrCat(slice.worker, " ", slice.name, " ",
                                   absl::ToUnixSeconds(slice.begun), "-",
                                   absl::ToUnixSeconds(slice.ended)));
    }
    return words;
  }

  static TimedProcess Of(std::vector<std::string> tests) {
    TimedProcess process;
    process.suite = "Suite";
    process.tests = std::move(tests);
    process.workers = {3};
    return process;
  }
};

TEST_F(Timeline, OfOneTestHasItsNameAndWhatCameBeforeAndAfter) {
  EXPECT_THAT(Words(Of({"Test"}), {Ran(20, 80)}),
              ElementsAre("3 Suite.Test 0-96", "3 wait for a sandbox 0-1", "3 fork and enter 1-10",
                          "3 SetUpTestSuite 10-20", "3 Test 20-80",
                          "3 TearDownTestSuite and leak look 80-90", "3 post-mortem 90-95",
                          "3 end of the sandbox 95-96"));
}

TEST_F(Timeline, OfATestThatDiedEndsItWithTheProcess) {
  EXPECT_THAT(Words(Of({"Test"}), {Ran(20)}),
              ElementsAre("3 Suite.Test 0-96", "3 wait for a sandbox 0-1", "3 fork and enter 1-10",
                          "3 SetUpTestSuite 10-20", "3 Test 20-90", "3 post-mortem 90-95",
                          "3 end of the sandbox 95-96"));
}

TEST_F(Timeline, OfASuiteThatDiedInItsSetUpHasNoTest) {
  EXPECT_THAT(
      Words(Of({"Test"}), {TestReport()}),
      ElementsAre("3 Suite.Test 0-96", "3 wait for a sandbox 0-1", "3 fork and enter 1-10",
                  "3 SetUpTestSuite 10-90", "3 post-mortem 90-95", "3 end of the sandbox 95-96"));
}

TEST_F(Timeline, OfAProcessThatNeverGotInEndsThere) {
  Times times = UsualTimes();
  times.entered = absl::InfinitePast();
  times.looked = absl::InfinitePast();
  EXPECT_THAT(Words(Of({"Test"}), {TestReport()}, times),
              ElementsAre("3 Suite.Test 0-96", "3 wait for a sandbox 0-1", "3 fork and enter 1-90",
                          "3 end of the sandbox 90-96"));
}

TEST_F(Timeline, OfSeveralTestsHasThoseThatTheProcessCameTo) {
  EXPECT_THAT(Words(Of({"First", "Second", "Third"}), {Ran(20, 30), Ran(40)}),
              ElementsAre("3 Suite 0-96", "3 wait for a sandbox 0-1", "3 fork and enter 1-10",
                          "3 SetUpTestSuite 10-20", "3 First 20-30", "3 Second 40-90",
                          "3 post-mortem 90-95", "3 end of the sandbox 95-96"));
}

TEST_F(Timeline, SaysThatTheProgramWasExecuted) {
  TimedProcess process = Of({"Test"});
  process.executed = true;
  EXPECT_THAT(Words(process, {Ran(20, 80)}), Contains("3 execute, main and SetUpTestSuite 10-20"));
}

TEST_F(Timeline, PointsToTheReports) {
  std::vector<TestReport> reports = {Ran(20, 30), Ran(40, 50)};
  TimedProcess process = Of({"First", "Second"});
  process.reports = &reports;
  reports.back().times = UsualTimes();
  for (const Slice& slice : SlicesOf(process)) {
    EXPECT_EQ(slice.process, slice.name == "Suite" ? &reports[1] : nullptr);
    EXPECT_EQ(slice.test, slice.name == "First"    ? &reports[0]
                          : slice.name == "Second" ? &reports[1]
                                                   : nullptr);
  }
}

class SnapshotTimeline : public Timeline {
 protected:
  static TestReport Own(int worker, int started, int over) {
    TestReport report = Ran(20, 80);
    report.worker = worker;
    report.own_process = {0, At(started), At(over)};
    return report;
  }
  static std::vector<std::string> WordsOfTests(std::vector<TestReport> reports) {
    TimedProcess process = Of({"First", "Second", "Third"});
    process.snapshot = true;
    process.workers = {3, 5};
    std::vector<std::string> words = Words(process, std::move(reports));
    EXPECT_EQ(words.size(), 10U);
    return {words.end() - 3, words.end()};
  }
};

TEST_F(SnapshotTimeline, HasTheTestsOnTheWorkersThatTheyHad) {
  EXPECT_THAT(WordsOfTests({Own(3, 21, 40), Own(5, 22, 30), Own(5, 30, 50)}),
              ElementsAre("3 Suite.First 21-40", "5 Suite.Second 22-30", "5 Suite.Third 30-50"));
}

TEST_F(SnapshotTimeline, HasThemInOrderWhateverTheOrderOfTheirReports) {
  EXPECT_THAT(WordsOfTests({Own(3, 50, 60), Own(3, 30, 40), Own(3, 21, 30)}),
              ElementsAre("3 Suite.Third 21-30", "3 Suite.Second 30-40", "3 Suite.First 50-60"));
}

TEST_F(SnapshotTimeline, CutsWhatCannotBe) {
  EXPECT_THAT(WordsOfTests({Own(3, 15, 40), Own(3, 30, 35), Own(3, 60, 85)}),
              ElementsAre("3 Suite.First 20-40", "3 Suite.Second 40-40", "3 Suite.Third 60-80"));
}

TEST(Lanes, AreAsFewAsAreNeeded) {
  Lanes lanes;
  EXPECT_EQ(lanes.Place(At(0), At(10)), 0U);
  EXPECT_EQ(lanes.Place(At(5), At(15)), 1U);
  EXPECT_EQ(lanes.Place(At(10), At(20)), 0U);
  EXPECT_EQ(lanes.Place(At(16), At(30)), 1U);
  EXPECT_EQ(lanes.Place(At(17), At(31)), 2U);
}

TEST(Lanes, LeaveRoomForOneThatComesLate) {
  Lanes lanes;
  EXPECT_EQ(lanes.Place(At(0), At(10)), 0U);
  EXPECT_EQ(lanes.Place(At(5), At(11)), 1U);
  // Into the lane that has been free for the shorter time.
  EXPECT_EQ(lanes.Place(At(20), At(30)), 1U);
  EXPECT_EQ(lanes.Place(At(12), At(18)), 0U);
}

}  // namespace
}  // namespace isolate::gtest
