// What a fork of the program does not have: threads that its static variables, its main's libraries
// or its Environments started.  THREADS of them can be asked to work.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace {

// Adds one to what it is asked, in a thread that was started with the program.
class Worker {
 public:
  Worker() {
    std::thread([this] { Work(); }).detach();
  }

  int Ask(int question) {
    std::unique_lock<std::mutex> lock(mutex_);
    question_ = question;
    asked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !asked_; });
    return answer_;
  }

 private:
  [[noreturn]] void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return asked_; });
      answer_ = question_ + 1;
      asked_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  int question_ = 0;
  int answer_ = 0;
};

Worker* the_worker = new Worker;
Worker* the_environments_worker = nullptr;

class Environment : public ::testing::Environment {
  void SetUp() override {
    if (getenv("FAIL_INSIDE") != nullptr && getppid() == 0) {
      FAIL() << "in the environment of a sandbox";
    }
    the_environments_worker = new Worker;
  }
  void TearDown() override {
    if (getppid() == 0) {
      printf("environment torn down in the sandbox\n");
    }
  }
};
[[maybe_unused]] const auto* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new Environment);

class Threads : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { printf("suite set up\n"); }
  static void TearDownTestSuite() { printf("suite torn down\n"); }
};

TEST_F(Threads, AreThere) { EXPECT_EQ(the_worker->Ask(1), 2); }
TEST_F(Threads, OfAnEnvironmentAreThere) { EXPECT_EQ(the_environments_worker->Ask(5), 6); }
TEST_F(Threads, AreThereInADeathTest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(_exit(the_worker->Ask(6)), ::testing::ExitedWithCode(7), "");
}

TEST(Spawned, HasNoTraceOfHow) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    EXPECT_NE(std::string(*entry).rfind("ISOLATE_SPAWNED", 0), 0U);
  }
}

// Not the same tests each time that the program is executed.
[[maybe_unused]] const bool kChanging = [] {
  if (getenv("CHANGING") != nullptr) {
    class Empty : public ::testing::Test {
      void TestBody() override {}
    };
    ::testing::RegisterTest("Changing", ("Of" + std::to_string(getpid())).c_str(), nullptr, nullptr,
                            __FILE__, __LINE__, []() -> ::testing::Test* { return new Empty; });
  }
  return true;
}();

}  // namespace
