#include "gtest_plugin/replay.h"

#include <signal.h>

#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"
#include "isolate/result.h"

namespace isolate::gtest {
namespace {

// How far a test process came.
enum class Progress { kSuiteSetUp, kTest, kSuiteTearDown };

struct EndCase {
  const char* name;
  Outcome outcome;
  int code;
  Progress progress;
  const char* expected;
};

std::ostream& operator<<(std::ostream& out, const EndCase& end) { return out << end.name; }

TestReport ReportOf(const EndCase& end) {
  TestReport report;
  report.outcome = end.outcome;
  report.code = end.code;
  report.started = end.progress != Progress::kSuiteSetUp;
  report.ended = end.progress == Progress::kSuiteTearDown;
  return report;
}

class ExplainEndTest : public ::testing::TestWithParam<EndCase> {};

TEST_P(ExplainEndTest, TellsWhatEndedTheProcessAndWhen) {
  EXPECT_EQ(ExplainEnd(ReportOf(GetParam()), absl::Milliseconds(1500)), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Replay, ExplainEndTest,
    ::testing::Values(
        EndCase{"CrashInTheSuitesSetUp", Outcome::kSignaled, SIGSEGV, Progress::kSuiteSetUp,
                "isolate: the test's process died of SIGSEGV in SetUpTestSuite, before the test "
                "began; no handler could run, as where a thread's stack has overflowed"},
        EndCase{"CrashInTheTest", Outcome::kSignaled, SIGABRT, Progress::kTest,
                "isolate: the test's process died of SIGABRT before the test ended"},
        EndCase{"CrashInTheSuitesTearDown", Outcome::kSignaled, SIGSEGV, Progress::kSuiteTearDown,
                "isolate: the test's process died of SIGSEGV after the test, in TearDownTestSuite "
                "or at the process's end; no handler could run, as where a thread's stack has "
                "overflowed"},
        EndCase{"Exit", Outcome::kExited, 0, Progress::kTest,
                "isolate: the test's process exited with code 0 before the test ended: it called "
                "exit, executed another program, or closed descriptors that it had not opened"},
        EndCase{"ExitInTheSuitesTearDown", Outcome::kExited, 3, Progress::kSuiteTearDown,
                "isolate: the test's process exited with code 3 after the test, in "
                "TearDownTestSuite or at the process's end: it called exit, executed another "
                "program, or closed descriptors that it had not opened"},
        EndCase{"TimeOut", Outcome::kTimedOut, SIGKILL, Progress::kTest,
                "isolate: the test took longer than its time limit of 1.5s (--isolate_timeout) and "
                "was ended"},
        EndCase{"ReturnWithoutTheTestsEnd", Outcome::kReturned, 0, Progress::kTest,
                "isolate: the test's process ended without reporting that the test had finished"},
        EndCase{"LostStatus", Outcome::kLost, 0, Progress::kTest,
                "isolate: the test's process ended, and something else in this process, such as a "
                "SIGCHLD handler, took its exit status"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ExplainEnd, OfADamagedReportTellsTheDamageBeforeAllElse) {
  TestReport report = ReportOf({"", Outcome::kSignaled, SIGSEGV, Progress::kTest, ""});
  report.damage = "the report is damaged: it has a second hello";
  EXPECT_EQ(ExplainEnd(report, absl::InfiniteDuration()),
            "isolate: the report is damaged: it has a second hello (the test's process died of "
            "SIGSEGV)");
}

TEST(ExplainEnd, OfASanitizersFindingPointsToItsReport) {
  TestReport report = ReportOf({"", Outcome::kExited, 66, Progress::kTest, ""});
  report.sanitizer = true;
  EXPECT_EQ(ExplainEnd(report, absl::InfiniteDuration()),
            "isolate: a sanitizer found an error before the test ended, and ended the test's "
            "process with code 66; its report is in the output");
}

TEST(ExplainEnd, OfATestThatToldNothingNamesAllProcesses) {
  TestReport report = ReportOf({"", Outcome::kTimedOut, SIGKILL, Progress::kTest, ""});
  report.processes = {{2, 0, "test --flag", {{2, "test", 'R', ""}, {3, "worker", 'D', "io_wait"}}},
                      {4, 2, "", {{4, "gone", 'Z', ""}}}};
  EXPECT_EQ(ExplainEnd(report, absl::Seconds(1)),
            "isolate: the test took longer than its time limit of 1s (--isolate_timeout) and was "
            "ended\n"
            "  process 2: test --flag\n"
            "    thread 2 (test) runs\n"
            "    thread 3 (worker) waits in io_wait\n"
            "  process 4, child of 2: (ended)\n"
            "    thread 4 (gone) has ended, and nobody has waited for it");
}

TEST(ExplainEnd, OfATestThatToldItsStacksNamesTheOtherProcesses) {
  TestReport report = ReportOf({"", Outcome::kTimedOut, SIGTERM, Progress::kTest, ""});
  report.crash = "\n    @ 0x1  Wait()";
  report.processes = {{2, 0, "test", {{2, "test", 'S', ""}}}, {4, 2, "sleep 9", {}}};
  EXPECT_EQ(ExplainEnd(report, absl::Seconds(1)),
            "isolate: the test took longer than its time limit of 1s (--isolate_timeout) and was "
            "ended\n"
            "    @ 0x1  Wait()\n"
            "  process 4, child of 2: sleep 9");
}

}  // namespace
}  // namespace isolate::gtest
