// Tests that wait for ever.  Each writes a byte to descriptor TELL_FD, if that
// is set, when it does, and has a child that waits with it.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace {

[[noreturn]] void Wait() {
  for (;;) {
    pause();
  }
}

void TellAndWait() {
  printf("waiting\n");
  fflush(nullptr);
  // Blocked until the child ignores it.
  sigset_t termination;
  sigset_t before;
  sigemptyset(&termination);
  sigaddset(&termination, SIGTERM);
  sigprocmask(SIG_BLOCK, &termination, &before);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setsid();
    signal(SIGTERM, SIG_IGN);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    Wait();
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (const char* descriptor = getenv("TELL_FD")) {
    ASSERT_EQ(write(atoi(descriptor), "x", 1), 1);
  }
  Wait();
}

class Waits : public ::testing::TestWithParam<int> {};
TEST_P(Waits, ForEver) { TellAndWait(); }
INSTANTIATE_TEST_SUITE_P(Several, Waits, ::testing::Range(0, 6));

TEST(Stubborn, IgnoresSigterm) {
  signal(SIGTERM, SIG_IGN);
  EXPECT_TRUE(false) << "before the wait";
  TellAndWait();
}

TEST(Second, Passes) {}
TEST(Second, Waits) { TellAndWait(); }
TEST(Second, WaitsToo) { TellAndWait(); }

// Tests that must not start, because another one or an environment has failed.

TEST(Failure, First) { FAIL(); }
TEST(Failure, Waits) { TellAndWait(); }
TEST(Failure, WaitsToo) { TellAndWait(); }

class SuiteFailure : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ADD_FAILURE(); }
};

TEST_F(SuiteFailure, Waits) { TellAndWait(); }
TEST_F(SuiteFailure, WaitsToo) { TellAndWait(); }

class Environment : public ::testing::Environment {
  void SetUp() override {
    if (getenv("FAIL_IN_ENVIRONMENT") != nullptr) {
      FAIL() << "in the environment";
    }
  }
};

[[maybe_unused]] const auto* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new Environment);

TEST(Bystander, Passes) {}

}  // namespace
