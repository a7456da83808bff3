// Global environments: they run once, and tests see what they left in memory.
// ENVIRONMENT says what else the second one does.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace {

int value = 0;

bool Asks(const char* what) {
  const char* wanted = getenv("ENVIRONMENT");
  return wanted != nullptr && std::string(wanted) == what;
}

class Talking : public ::testing::Environment {
 public:
  void SetUp() override {
    value = 42;
    printf("environment set up, value %d\n", value);
  }
  void TearDown() override { printf("environment torn down, value %d\n", value); }
};

class Failing : public ::testing::Environment {
 public:
  void SetUp() override {
    if (Asks("fails")) {
      ADD_FAILURE() << "in an environment";
    } else if (Asks("fails fatally")) {
      FAIL() << "in an environment";
    } else if (Asks("starts a thread")) {
      std::thread thread([] { pause(); });
      pthread_setname_np(thread.native_handle(), "background");
      thread.detach();
    } else if (Asks("listens")) {
      // On a port of the kernel's choice.
      listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1);
    } else if (Asks("skips")) {
      GTEST_SKIP() << "in an environment";
    }
  }
  void TearDown() override {
    static int ends = 0;
    if (Asks("fails at the end")) {
      FAIL() << "in an environment";
    }
    if (Asks("exits at the third end") && ++ends == 3) {
      printf("enough\n");
      exit(7);
    }
  }
};

[[maybe_unused]] const bool kAdded = [] {
  ::testing::AddGlobalTestEnvironment(new Talking);
  ::testing::AddGlobalTestEnvironment(new Failing);
  return true;
}();

TEST(Memory, IsSeen) {
  printf("value %d\n", value);
  EXPECT_EQ(value, 42);
}

TEST(Memory, IsSeenAgain) { EXPECT_EQ(value, 42); }

// The one below and the environment see it in a plain run only.
TEST(Memory, IsChanged) {
  if (Asks("is spoilt")) {
    value = 43;
  }
}

TEST(Memory, IsSeenUnchanged) { EXPECT_EQ(value, 42); }

}  // namespace
