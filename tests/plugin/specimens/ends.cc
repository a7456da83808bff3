// Tests that end their process, in every way and in every part of a test.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <exception>
#include <string>

#include "gtest/gtest.h"

namespace {

void Crash() { raise(SIGSEGV); }
void FollowNull() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}
void Abort() { abort(); }
void Exit0() { exit(0); }
void Exit3() { exit(3); }
void UnderscoreExit() { _exit(4); }
void Kill() { raise(SIGKILL); }
void Terminate() { std::terminate(); }

enum class Part {
  kSetUpTestSuite,
  kConstructor,
  kSetUp,
  kBody,
  kTearDown,
  kDestructor,
  kTearDownTestSuite
};

template <Part where, void (*how)()>
class Ending : public ::testing::Test {
 public:
  static void SetUpTestSuite() { Reach(Part::kSetUpTestSuite); }
  static void TearDownTestSuite() { Reach(Part::kTearDownTestSuite); }

  Ending() { Reach(Part::kConstructor); }
  ~Ending() override { Reach(Part::kDestructor); }

 protected:
  void SetUp() override { Reach(Part::kSetUp); }
  void TestBody() override { Reach(Part::kBody); }
  void TearDown() override { Reach(Part::kTearDown); }

 private:
  static void Reach(Part part) {
    if (part == where) {
      printf("about to end\n");
      if (part != Part::kSetUpTestSuite) {
        EXPECT_TRUE(false) << "before the end";
      }
      how();
    }
  }
};

template <Part where, void (*how)()>
void Register(const std::string& part, const char* end) {
  ::testing::RegisterTest(("In" + part).append("_").append(end).c_str(), "Ends", nullptr, nullptr,
                          __FILE__, __LINE__,
                          []() -> Ending<where, how>* { return new Ending<where, how>; });
}

template <Part where>
void RegisterEnds(const std::string& part) {
  Register<where, Crash>(part, "Crash");
  Register<where, FollowNull>(part, "FollowNull");
  Register<where, Abort>(part, "Abort");
  Register<where, Exit0>(part, "Exit0");
  Register<where, Exit3>(part, "Exit3");
  Register<where, UnderscoreExit>(part, "UnderscoreExit");
  Register<where, Kill>(part, "Kill");
  Register<where, Terminate>(part, "Terminate");
}

[[maybe_unused]] const bool kRegistered = [] {
  RegisterEnds<Part::kSetUpTestSuite>("SetUpTestSuite");
  RegisterEnds<Part::kConstructor>("Constructor");
  RegisterEnds<Part::kSetUp>("SetUp");
  RegisterEnds<Part::kBody>("Body");
  RegisterEnds<Part::kTearDown>("TearDown");
  RegisterEnds<Part::kDestructor>("Destructor");
  RegisterEnds<Part::kTearDownTestSuite>("TearDownTestSuite");
  return true;
}();

// A suite whose set-up fails first and then ends the process.
class FailsAndEnds : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    EXPECT_TRUE(false) << "before the end";
    abort();
  }
};

TEST_F(FailsAndEnds, First) {}
TEST_F(FailsAndEnds, Second) {}

// What is printed here must not stay in a buffer.
void SayLastWords() {
  puts("puts");
  for (int round = 1; round < 3; ++round) {
    printf("printf %d\n", round);
  }
  Kill();
}

TEST(LastWords, First) { SayLastWords(); }
TEST(LastWords, Second) { SayLastWords(); }

TEST(Bystander, Passes) { SUCCEED(); }
TEST(Bystander, PassesToo) { SUCCEED(); }

// Leaves a process that holds the test's output for ever.
TEST(Descriptors, AreClosed) {
  for (int descriptor = STDERR_FILENO + 1; descriptor < 1024; ++descriptor) {
    close(descriptor);
  }
}

TEST(Daemon, Stays) {
  fflush(nullptr);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setsid();
    if (fork() != 0) {
      _exit(0);
    }
    for (;;) {
      pause();
    }
  }
  printf("left a daemon\n");
}

}  // namespace
