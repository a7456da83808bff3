// Runs covered code: before main, in an environment, and in many tests.  One of them
// ends as COVERAGE says afterwards.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/plugin/specimens/covered.h"

namespace {

class Covering : public ::testing::Environment {
 public:
  void SetUp() override { EXPECT_EQ(StepsFrom(6), 8); }
  void TearDown() override { EXPECT_EQ(StepsFrom(7), 16); }
};

[[maybe_unused]] const auto* const kCovering = ::testing::AddGlobalTestEnvironment(new Covering);

class Steps : public ::testing::TestWithParam<int> {};
TEST_P(Steps, AreNotNegative) { EXPECT_GE(StepsFrom(GetParam()), 0); }
INSTANTIATE_TEST_SUITE_P(Many, Steps, ::testing::Range(1, 33));

TEST(Steps, BeforeMain) { EXPECT_EQ(StepsBeforeMain(), 111); }

TEST(End, AfterSteps) {
  EXPECT_EQ(StepsFrom(97), 118);
  const char* variable = getenv("COVERAGE");
  const std::string end = variable != nullptr ? variable : "";
  if (end == "crashes") {
    raise(SIGSEGV);
  } else if (end == "aborts") {
    abort();
  } else if (end == "exits") {
    exit(0);
  } else if (end == "waits") {
    pause();
  }
}

}  // namespace
