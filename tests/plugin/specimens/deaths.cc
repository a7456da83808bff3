// Death tests.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "gtest/gtest.h"

namespace {

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

void Die() {
  fprintf(stderr, "last words\n");
  abort();
}

void Live() {}

TEST(DeathTest, Dies) { EXPECT_DEATH(Die(), "last words"); }
TEST(DeathTest, DiesOfASignal) { ASSERT_EXIT(Die(), KilledBySignal(SIGABRT), "last"); }
TEST(DeathTest, Exits) { EXPECT_EXIT(exit(7), ExitedWithCode(7), ""); }
TEST(DeathTest, Lives) { EXPECT_DEATH(Live(), "last words"); }
TEST(DeathTest, SaysSomethingElse) { EXPECT_DEATH(Die(), "first words"); }
TEST(DeathTest, ExitsWithAnotherCode) { EXPECT_EXIT(exit(7), ExitedWithCode(8), ""); }

TEST(DeathTest, Twice) {
  printf("before\n");
  EXPECT_DEATH(Die(), "last words");
  printf("between\n");
  EXPECT_DEATH(Die(), "last words");
  printf("after\n");
}

class InSetUpDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { EXPECT_DEATH(Die(), "last words"); }
};

TEST_F(InSetUpDeathTest, DiesThere) {}
TEST_F(InSetUpDeathTest, AndInTheBody) { EXPECT_DEATH(Die(), "last words"); }

class ParameterDeathTest : public ::testing::TestWithParam<int> {};
TEST_P(ParameterDeathTest, Exits) { EXPECT_EXIT(exit(GetParam()), ExitedWithCode(GetParam()), ""); }
INSTANTIATE_TEST_SUITE_P(Codes, ParameterDeathTest, ::testing::Values(0, 3));

}  // namespace
