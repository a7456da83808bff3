// What becomes of a test, from what binaries of several versions of GoogleTest tell of it.

#include "isolate/command/translation.h"

#include <signal.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"
#include "isolate/internal/wire.h"
#include "isolate/leak.h"
#include "isolate/result.h"

namespace isolate::command {
namespace {

using ::isolate::gtest::MakeTestReports;
using ::isolate::gtest::Part;
using ::isolate::gtest::Step;
using ::isolate::gtest::TestReport;
using ::testing::HasSubstr;
using ::testing::TestPartResult;

constexpr int Exited(int code) { return code << 8; }

// Of a process that RunBinary ran.
Result ResultOf(const std::string& out, const std::string& json, int wait_status) {
  Result result;
  result.outcome = Outcome::kReturned;
  result.code = wait_status == 0 ? 0 : 1;
  result.out = out;
  internal::Encoder head;
  head.U32(0).U32(static_cast<uint32_t>(wait_status));
  result.messages.push_back({head.bytes(), out.size()});
  // In pieces, as a large one comes.
  result.messages.push_back({json.substr(0, json.size() / 2), out.size()});
  result.messages.push_back({json.substr(json.size() / 2), out.size()});
  return result;
}

TestReport ReportOf(Result result) {
  return std::move(MakeTestReports(Translate("A", "b", std::move(result)), 1).front());
}

std::string Json(const std::string& of_test, const std::string& more_tests = "",
                 const std::string& more_suites = "") {
  return absl::StrCat(
      R"({"tests": 1, "name": "AllTests", "testsuites": [{"name": "A", "tests": 1, "of_suite": "s",)",
      R"("testsuite": [{"name": "b", "file": "a.cc", "line": 7, "status": "RUN", "classname": "A",)",
      R"("timestamp": "2023-05-05T00:00:00Z", "time": "0.012s")", of_test, "}", more_tests, "]}",
      more_suites, "]}");
}

std::string Console(const std::string& set_up, const std::string& body, const std::string& ending,
                    const std::string& tear_down = "", const std::string& after = "") {
  return absl::StrCat(
      "Running main() from gtest_main.cc\nNote: Google Test filter = A.b\n"
      "[==========] Running 1 test from 1 test suite.\n"
      "[----------] Global test environment set-up.\n[----------] 1 test from A\n",
      set_up, "[ RUN      ] A.b\n", body, ending, " A.b (12 ms)\n", tear_down,
      "[----------] 1 test from A (12 ms total)\n\n[----------] Global test environment "
      "tear-down\n",
      after, "[==========] 1 test from 1 test suite ran. (12 ms total)\n[  PASSED  ] 1 test.\n");
}

constexpr char kOk[] = "[       OK ]";
constexpr char kFailed[] = "[  FAILED  ]";

std::string OutputOf(const std::vector<Step>& steps) {
  std::string output;
  for (const Step& step : steps) {
    output += step.output;
  }
  return output;
}

std::vector<Part> PartsOf(const std::vector<Step>& steps) {
  std::vector<Part> parts;
  for (const Step& step : steps) {
    if (step.part.has_value()) {
      parts.push_back(*step.part);
    }
  }
  return parts;
}

TEST(Passed, HasItsOutputAlone) {
  const TestReport report = ReportOf(
      ResultOf(Console("set up\n", "body\n", kOk, "torn down\n"), Json(R"(, "key": "value")"), 0));
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(OutcomeOf(report, false), "passed");
  EXPECT_EQ(report.elapsed_ms, 12);
  EXPECT_EQ(OutputOf(report.suite_set_up), "set up\n");
  EXPECT_EQ(OutputOf(report.test), "body\n");
  EXPECT_EQ(OutputOf(report.suite_tear_down), "torn down\n");
  ASSERT_TRUE(report.suite_set_up[0].property.has_value());
  EXPECT_EQ(report.suite_set_up[0].property->key, "of_suite");
  ASSERT_TRUE(report.test[0].property.has_value());
  EXPECT_EQ(report.test[0].property->value, "value");
}

// As a parameter that is a string with letters beyond ASCII.
TEST(Failed, MayBeToldInTwoLines) {
  const std::string out =
      "[----------] 1 test from A\n[ RUN      ] A.b\nbody\n"
      "[  FAILED  ] A.b, where GetParam() = \"h\\xC3\\xA9\"\n    As Text: \"h\u00e9\" (0 ms)\n"
      "torn down\n[----------] 1 test from A (0 ms total)\n";
  const TestReport report = ReportOf(ResultOf(out, Json(""), Exited(1)));
  EXPECT_EQ(OutputOf(report.test), "body\n");
  EXPECT_EQ(OutputOf(report.suite_tear_down), "torn down\n");
  // Of a test without JSON, all is the test's; gtest's line is not there.
  EXPECT_EQ(OutputOf(ReportOf(ResultOf(out, "", SIGSEGV)).test), "body\ntorn down\n");
}

// The bytes that are no UTF-8, as 1.12.1 writes them.
TEST(Failed, StandsWhereItWasPrinted) {
  const TestReport report = ReportOf(ResultOf(
      Console("", "one\na.cc:9: Failure\nno \xff\nmore\ntwo\n", kFailed),
      Json(R"(, "failures": [{"failure": "a.cc:9\nno \u00ff\nmore", "type": ""}])"), Exited(1)));
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(OutcomeOf(report, false), "failed");
  ASSERT_GE(report.test.size(), 2U);
  EXPECT_EQ(report.test[0].output, "one\n");
  ASSERT_TRUE(report.test[0].part.has_value());
  EXPECT_EQ(report.test[0].part->file, "a.cc");
  EXPECT_EQ(report.test[0].part->line, 9);
  EXPECT_EQ(report.test[0].part->message, "no \xff\nmore");
  EXPECT_EQ(OutputOf(report.test), "one\ntwo\n");
}

TEST(Failed, IsToldAlthoughItWasNotPrinted) {
  const TestReport report = ReportOf(
      ResultOf(Console("", "one\n", kFailed),
               Json(R"(, "failures": [{"failure": "unknown file\nno", "type": ""}])"), Exited(1)));
  const std::vector<Part> parts = PartsOf(report.test);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].file, absl::nullopt);
  EXPECT_EQ(parts[0].line, -1);
  EXPECT_EQ(OutputOf(report.test), "one\n");
}

TEST(Failed, IsNotWhatOnlyLooksLikeIt) {
  const TestReport report =
      ReportOf(ResultOf(Console("", "a.cc:9: Failure\nsaid the test\n", kOk), Json(""), 0));
  EXPECT_EQ(OutcomeOf(report, false), "passed");
  EXPECT_EQ(OutputOf(report.test), "a.cc:9: Failure\nsaid the test\n");
}

TEST(Skipped, IsKnownFromTheConsoleOrFromJson) {
  const std::string body = "a.cc:9: Skipped\nnot here\nafterwards\n";
  for (const char* json :
       {R"(, "result": "SKIPPED")",
        R"(, "result": "SKIPPED", "skipped": [{"message": "a.cc:9\nnot here"}])"}) {
    const TestReport report = ReportOf(ResultOf(Console("", body, "[  SKIPPED ]"), Json(json), 0));
    EXPECT_EQ(OutcomeOf(report, false), "skipped");
    const std::vector<Part> parts = PartsOf(report.test);
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_EQ(parts[0].type, TestPartResult::kSkip);
    EXPECT_EQ(parts[0].message, "not here");
    EXPECT_EQ(OutputOf(report.test), "afterwards\n");
  }
}

// 1.12.1 tells it on the console alone, 1.18 in JSON, too.
TEST(SetUpTestSuite, FailsInEveryVersion) {
  const std::string console = Console("a.cc:3: Failure\nno database\n", "", "[  SKIPPED ]");
  for (const char* of_suite :
       {"",
        R"(, {"name": "", "status": "RUN", "failures": [{"failure": "a.cc:3\nno database"}]})"}) {
    const TestReport report =
        ReportOf(ResultOf(console, Json(R"(, "result": "SKIPPED")", of_suite), Exited(1)));
    const std::vector<Part> parts = PartsOf(report.suite_set_up);
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_EQ(parts[0].message, "no database");
    EXPECT_TRUE(report.whole());
    EXPECT_TRUE(PartsOf(report.test).empty());
  }
}

TEST(SetUpTestSuite, ThatFailedIsToldBehindATestThatCrashed) {
  const TestReport report =
      ReportOf(ResultOf("[----------] 1 test from A\na.cc:3: Failure\nno database\n"
                        "[ RUN      ] A.b\na.cc:9: Failure\nno\n",
                        "", SIGSEGV));
  EXPECT_EQ(OutcomeOf(report, false), "crashed");
  EXPECT_TRUE(PartsOf(report.suite_set_up).empty());
  ASSERT_FALSE(PartsOf(report.test).empty());
  EXPECT_EQ(PartsOf(report.test)[0].message, "no");
}

// Versions before 1.12 run the tests all the same.  The runner's gtest would skip them.
TEST(SetUpTestSuite, ThatFailedIsToldBehindATestThatRan) {
  const TestReport report = ReportOf(ResultOf(
      Console("words\na.cc:3: Failure\nno database\n", "a.cc:9: Failure\nno\n", kFailed),
      Json(R"(, "result": "COMPLETED", "failures": [{"failure": "a.cc:9\nno"}])"), Exited(1)));
  EXPECT_EQ(OutputOf(report.suite_set_up), "words\n");
  EXPECT_TRUE(PartsOf(report.suite_set_up).empty());
  ASSERT_EQ(PartsOf(report.test).size(), 1U);
  EXPECT_EQ(PartsOf(report.test)[0].message, "no");
  ASSERT_EQ(PartsOf(report.suite_tear_down).size(), 1U);
  EXPECT_EQ(PartsOf(report.suite_tear_down)[0].message, "no database");
}

// gtest runs no test then, and tells of it as of one that passed.
TEST(Environment, ThatFailsFailsTheTest) {
  const std::string console =
      "[==========] Running 1 test from 1 test suite.\n"
      "[----------] Global test environment set-up.\nwords\ne.cc:3: Failure\nno network\n"
      "[----------] Global test environment tear-down\n"
      "[==========] 0 tests from 1 test suite ran. (0 ms total)\n[  PASSED  ] 0 tests.\n";
  const std::string json =
      R"({"name": "AllTests", "testsuites": [{"name": "A", "testsuite": [{"name": "b",
          "status": "RUN", "result": "COMPLETED", "timestamp": "1970-01-01T00:00:00Z",
          "time": "0s"}]})";
  for (const char* outer :
       {"]}",
        "    {\n      \"name\": \"NonTestSuiteFailure\", \"testsuite\": [{\"name\": \"\", "
        "\"status\": \"RUN\", \"failures\": [{\"failure\": \"e.cc:3\\nno network\", "
        "\"type\": \"\"}]}]}]}",  // as 1.12 writes it
        R"(, {"name": "NonTestSuiteFailure", "testsuite": [{"name": "", "status": "RUN",
           "failures": [{"failure": "e.cc:3\nno network", "type": ""}]}]}]})"}) {
    const TestReport report = ReportOf(ResultOf(console, json + outer, Exited(1)));
    EXPECT_EQ(OutcomeOf(report, false), "failed");
    const std::vector<Part> parts = PartsOf(report.test);
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_EQ(parts[0].file, "e.cc");
    EXPECT_THAT(OutputOf(report.test), HasSubstr("words\n"));
  }
  const TestReport skipped = ReportOf(ResultOf("", json + "]}", 0));
  EXPECT_EQ(OutcomeOf(skipped, false), "skipped");
}

// 1.8.1 tells no time stamp, by which that would be known.
TEST(Environment, ThatFailsFailsTheTestOfAnOldVersion) {
  const TestReport report = ReportOf(ResultOf(
      "[==========] Running 1 test from 1 test case.\n"
      "[----------] Global test environment set-up.\ne.cc:3: Failure\nno network\n"
      "[----------] Global test environment tear-down\n",
      R"({"testsuites": [{"name": "A", "testsuite": [{"name": "b", "status": "RUN", "time": "0s"}]}]})",
      Exited(1)));
  EXPECT_EQ(OutcomeOf(report, false), "failed");
  ASSERT_EQ(PartsOf(report.test).size(), 1U);
  EXPECT_EQ(PartsOf(report.test)[0].message, "no network");
  EXPECT_EQ(OutputOf(report.test), "");
}

TEST(Exit, WithAnErrorBehindAPassIsNoPass) {
  const TestReport report = ReportOf(ResultOf(Console("", "", kOk), Json(""), Exited(23)));
  EXPECT_FALSE(report.whole());
  EXPECT_EQ(OutcomeOf(report, false), "exited");
  EXPECT_EQ(report.code, 23);
  EXPECT_TRUE(report.ended);
}

TEST(Exit, WithoutAReportIsNoPass) {
  const TestReport report = ReportOf(ResultOf("[ RUN      ] A.b\nwords\n", "", Exited(0)));
  EXPECT_FALSE(report.whole());
  EXPECT_EQ(OutcomeOf(report, false), "exited");
  EXPECT_TRUE(report.started);
  EXPECT_EQ(OutputOf(report.test), "words\n");
}

TEST(Crash, KeepsWhatCameBefore) {
  const TestReport report =
      ReportOf(ResultOf("[ RUN      ] A.b\none\na.cc:9: Failure\nno\nand then\n", "", SIGSEGV));
  EXPECT_EQ(OutcomeOf(report, false), "crashed");
  EXPECT_EQ(report.code, SIGSEGV);
  const std::vector<Part> parts = PartsOf(report.test);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].line, 9);
  EXPECT_THAT(parts[0].message, HasSubstr("no\n"));
}

TEST(Crash, KeepsALineThatLooksLikeGtestsEnd) {
  const std::string out =
      "[----------] 1 test from A\n[ RUN      ] A.b\nsays [       OK ] A.b\nmore\n";
  const TestReport report = ReportOf(ResultOf(out, "", SIGSEGV));
  EXPECT_FALSE(report.whole());
  EXPECT_EQ(OutputOf(report.test), "says [       OK ] A.b\nmore\n");
}

TEST(TimeLimit, IsNotALeakOfTheBinarysProcess) {
  Result result;
  result.outcome = Outcome::kTimedOut;
  result.out = "[ RUN      ] A.b\nwaiting\n";
  result.leaks.resize(2);
  result.leaks[0].kind = LeakKind::kProcess;
  result.leaks[1].kind = LeakKind::kFile;
  const TestReport report = ReportOf(std::move(result));
  EXPECT_EQ(OutcomeOf(report, false), "timed out");
  EXPECT_EQ(OutputOf(report.test), "waiting\n");
  ASSERT_EQ(report.leaks.size(), 1U);
  EXPECT_EQ(report.leaks[0].kind, LeakKind::kFile);
}

TEST(Binary, ThatHasNoSuchTestOrCannotBeExecutedIsNotIsolated) {
  EXPECT_THAT(ReportOf(ResultOf("", R"({"testsuites": []})", 0)).not_isolated,
              HasSubstr("is not there when it is executed"));
  Result result = ResultOf("", "", 0);
  internal::Encoder head;
  head.U32(13).U32(0);
  result.messages.front().payload = head.bytes();
  EXPECT_THAT(ReportOf(std::move(result)).not_isolated, HasSubstr("Permission denied"));
}

TEST(Printer, OfAnotherKindLeavesItsText) {
  const TestReport report = ReportOf(ResultOf("ok 1 - A.b\n", Json(""), 0));
  EXPECT_EQ(OutcomeOf(report, false), "passed");
  EXPECT_EQ(OutputOf(report.test), "ok 1 - A.b\n");
}

}  // namespace
}  // namespace isolate::command
