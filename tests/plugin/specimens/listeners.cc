// A main of its own, with listeners of its own.  LISTENER says when they are
// added: "before" the plugin, "after" it, or "instead" of gtest's printer; with
// "twice" it is the plugin that is added again.
// Prints what is left of the command line.

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/plugin/specimens/install.h"

namespace {

using ::testing::TestInfo;
using ::testing::TestPartResult;
using ::testing::TestSuite;
using ::testing::UnitTest;

class Teller : public ::testing::TestEventListener {
 public:
  explicit Teller(const char* name) : name_(name) {}

  void OnTestProgramStart(const UnitTest&) override { Tell("program starts"); }
  void OnTestIterationStart(const UnitTest&, int) override { Tell("iteration starts"); }
  void OnEnvironmentsSetUpStart(const UnitTest&) override { Tell("environments"); }
  void OnEnvironmentsSetUpEnd(const UnitTest&) override { Tell("environments are set up"); }
  void OnTestSuiteStart(const TestSuite& suite) override { Tell("starts", suite.name()); }
  void OnTestStart(const TestInfo& test) override { Tell("starts", test.name()); }
  void OnTestDisabled(const TestInfo& test) override { Tell("is disabled", test.name()); }
  void OnTestPartResult(const TestPartResult& part) override {
    Tell(part.failed() ? "failure" : "no failure", part.summary());
  }
  void OnTestEnd(const TestInfo& test) override {
    Tell(test.result()->Passed() ? "passed" : "did not pass", test.name());
    for (int i = 0; i < test.result()->test_property_count(); ++i) {
      const ::testing::TestProperty& property = test.result()->GetTestProperty(i);
      Tell(property.key(), property.value());
    }
    Tell("parts", std::to_string(test.result()->total_part_count()).c_str());
    CheckTimes(*test.result());
  }
  void OnTestSuiteEnd(const TestSuite& suite) override { Tell("ends", suite.name()); }
  void OnEnvironmentsTearDownStart(const UnitTest&) override { Tell("end of environments"); }
  void OnEnvironmentsTearDownEnd(const UnitTest&) override { Tell("environments are gone"); }
  void OnTestIterationEnd(const UnitTest& unit_test, int) override {
    Tell("iteration ends, failed", std::to_string(unit_test.failed_test_count()).c_str());
  }
  void OnTestProgramEnd(const UnitTest&) override { Tell("program ends"); }

 private:
  void Tell(const char* what, const char* whom = "") const {
    printf("%s listener: %s %s\n", name_, what, whom);
    fflush(stdout);
  }

  // All listeners see the same times.
  void CheckTimes(const ::testing::TestResult& result) const {
    static const ::testing::TestResult* last_result = nullptr;
    static ::testing::TimeInMillis last_elapsed = 0;
    if (last_result == &result && last_elapsed != result.elapsed_time()) {
      Tell("sees a time of its own");
    }
    last_result = &result;
    last_elapsed = result.elapsed_time();
  }

  const char* const name_;
};

TEST(Tests, Pass) { printf("body\n"); }
TEST(Tests, Fail) {
  RecordProperty("key", "value");
  EXPECT_EQ(1, 2) << "streamed";
  FAIL();
}
TEST(Tests, Skip) { GTEST_SKIP() << "a reason"; }
TEST(Tests, DISABLED_Wait) {}
TEST(Others, Succeed) { SUCCEED(); }
// Where two run at once, the runner waits for the second less than that takes.
TEST(Times, First) { poll(nullptr, 0, 30); }   // NOLINT(sleep)
TEST(Times, Second) { poll(nullptr, 0, 30); }  // NOLINT(sleep)

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = UnitTest::GetInstance()->listeners();
  const char* variable = getenv("LISTENER");
  const std::string when = variable != nullptr ? variable : "";
  if (when == "instead") {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new Teller("only"));
  }
  if (when == "before" || when == "both") {
    listeners.Append(new Teller("first"));
  }
  Install(&argc, argv);
  if (when == "twice") {
    Install(&argc, argv);
  }
  if (when == "after" || when == "both") {
    listeners.Append(new Teller("last"));
  }
  for (int i = 1; i <= argc; ++i) {
    printf("argument %d: %s\n", i, argv[i] != nullptr ? argv[i] : "(null)");
  }
  return RUN_ALL_TESTS();
}
