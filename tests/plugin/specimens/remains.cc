// Tests that leave something behind, and tests that clean up.

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "gtest_plugin/traits.h"

namespace {

int Listen(uint16_t port) {
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listening, 1), 0);
  return listening;
}

void Touch(const char* path) { close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); }

int OpenSomething() { return open("/etc/passwd", O_RDONLY | O_CLOEXEC); }

void LeaveDaemon() {
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) {
      setsid();
      for (;;) {
        pause();
      }
    }
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

// Tells that it is here, and stays.
__attribute__((noinline)) void StandStill(int here) {
  (void)!write(here, "x", 1);
  for (;;) {
    pause();
  }
}

class Clean : public ::testing::Test {
 protected:
  ~Clean() override { close(until_destruction_); }
  void TearDown() override { close(until_tear_down_); }

  int until_tear_down_ = -1;
  int until_destruction_ = -1;
};

TEST_F(Clean, Nothing) {}
TEST_F(Clean, FixedInTearDown) { until_tear_down_ = Listen(8080); }
TEST_F(Clean, FixedInDestructor) { until_destruction_ = OpenSomething(); }
TEST_F(Clean, DeathTest) { EXPECT_DEATH(abort(), ""); }
TEST_F(Clean, Output) {
  ::testing::internal::CaptureStdout();
  puts("captured");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "captured\n");
}

class Leaky : public ::testing::Test {
 protected:
  ~Leaky() override {
    if (at_destruction_) {
      OpenSomething();
    }
  }

  bool at_destruction_ = false;
};

TEST_F(Leaky, InItsBody) { Listen(8080); }
TEST_F(Leaky, InItsDestructor) { at_destruction_ = true; }
TEST_F(Leaky, Thread) {
  int here[2];
  ASSERT_EQ(pipe2(here, O_CLOEXEC), 0);
  std::thread(StandStill, here[1]).detach();
  char byte;
  ASSERT_EQ(read(here[0], &byte, 1), 1);
}
TEST_F(Leaky, State) { setenv("LEFT", "behind", 1); }
TEST_F(Leaky, AndFails) {
  Touch("/tmp/of_failed");
  ADD_FAILURE() << "for another reason";
}
TEST_F(Leaky, AndSkips) {
  Touch("/tmp/of_skipped");
  GTEST_SKIP();
}
TEST_F(Leaky, Much) {
  for (int i = 0; i < 30; ++i) {
    Touch(("/tmp/file" + std::to_string(i)).c_str());
  }
}

class Shared : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { suites_ = Listen(8081); }
  static void TearDownTestSuite() {
    close(suites_);
    close(until_tear_down_);
    Touch("/tmp/of_tear_down");
  }

  static int suites_;
  static int until_tear_down_;
};
int Shared::suites_ = -1;
int Shared::until_tear_down_ = -1;

TEST_F(Shared, First) {}
TEST_F(Shared, Second) { OpenSomething(); }
TEST_F(Shared, Third) {
  until_tear_down_ = OpenSomething();
  Touch("/tmp/of_third");
}
TEST_F(Shared, Fourth) {}

TEST(Ends, ByCrash) {
  (void)shmget(0x1234, 100, IPC_CREAT | 0600);
  LeaveDaemon();
  abort();
}
TEST(Ends, ByExit) {
  Touch("/tmp/of_exited");
  exit(3);
}
TEST(Ends, ByTimeLimit) {
  Touch("/tmp/of_timed_out");
  for (;;) {
    pause();
  }
}

TEST(Meant, LeavesWhatIsMeant) { Touch("/tmp/meant"); }
TEST(Meant, LeavesMore) {
  Touch("/tmp/meant");
  Touch("/tmp/not_meant");
}
TEST(NotMeant, LeavesWhatIsMeantElsewhere) { Touch("/tmp/meant"); }

const bool kTraits = isolate::gtest::SetTraits("Meant.*", [](isolate::gtest::Traits& traits) {
  traits.allow_leaks = {"files:/tmp/meant", "files:/tmp/never"};
});

}  // namespace
