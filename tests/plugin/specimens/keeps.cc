// Tests that leave files in their scratch folder, and fail or not.

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace {

void Leave(const std::string& name) { std::ofstream(::testing::TempDir() + "/" + name) << name; }

// In the program, where the plugin would ask: this puts its process group into the background.
class Background : public ::testing::Environment {
 public:
  void SetUp() override {
    if (getenv("KEEPS_WITHOUT_TERMINAL") != nullptr) {
      const pid_t other = fork();
      if (other == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        _exit(tcsetpgrp(STDIN_FILENO, getpgrp()) == 0 ? 0 : 1);
      }
      int status = 0;
      ASSERT_EQ(waitpid(other, &status, 0), other);
      ASSERT_EQ(status, 0);
    }
  }
};
[[maybe_unused]] auto* const kBackground = ::testing::AddGlobalTestEnvironment(new Background);

TEST(Leaves, AndPasses) { Leave("of_passed"); }

TEST(Leaves, AndFails) {
  Leave("of_failed");
  FAIL();
}

TEST(Leaves, AndCrashes) {
  Leave("of_crashed");
  abort();
}

TEST(Leaves, NothingAndFails) { FAIL(); }

class LeavesInSetUp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { Leave("of_suite"); }
};

TEST_F(LeavesInSetUp, AndPasses) {}
TEST_F(LeavesInSetUp, AndFails) {
  Leave("of_test");
  FAIL();
}

class FailsInSetUp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    Leave("of_failed_suite");
    FAIL();
  }
};

TEST_F(FailsInSetUp, First) {}
TEST_F(FailsInSetUp, Second) {}

}  // namespace
