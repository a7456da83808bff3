// Death tests.

#include <assert.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <future>
#include <iterator>
#include <stdexcept>
#include <thread>

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

TEST(DeathTest, OfEachStyle) {
  for (const char* style : {"fast", "threadsafe"}) {
    SCOPED_TRACE(style);
    GTEST_FLAG_SET(death_test_style, style);
    EXPECT_EXIT(exit(7), ExitedWithCode(7), "");
    EXPECT_EXIT(Die(), ExitedWithCode(7), "last words");
  }
}

std::ptrdiff_t CountThreads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

// Each expects to die where assert() is compiled in, and only there.
TEST(DeathTest, DiesInADebugBuild) {
  EXPECT_DEBUG_DEATH(assert(false), "assert|Assertion");
  EXPECT_DEBUG_DEATH(assert(true), "assert|Assertion");
}

TEST(DeathTest, ReturnsInstead) { EXPECT_DEATH(return, "last words"); }
TEST(DeathTest, ThrowsInstead) { EXPECT_DEATH(throw std::runtime_error("thrown"), "last words"); }

// gtest warns of the threads that the child will not have, and counts them.
TEST(DeathTest, BesideAThread) {
  const auto threads = CountThreads();
  std::promise<void> done;
  std::thread thread([&] { done.get_future().wait(); });
  EXPECT_DEATH(Die(), "last words");
  done.set_value();
  thread.join();
  // It may be counted for a moment more: a thread is joined before the kernel is done with it.
  while (CountThreads() > threads) {
    sched_yield();
  }
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
