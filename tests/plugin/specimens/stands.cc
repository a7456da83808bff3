// A test that waits for ever, with threads and processes that wait with it, each in a
// function of its own.  It writes a byte to descriptor TELL_FD when all of them do.

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace {

[[noreturn]] void WaitForEver() {
  for (;;) {
    pause();
  }
}

// Waits until `start`, which gets the writing end, has let everything know that it stands.
void WaitFor(const std::function<void(int)>& start) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  start(ends[1]);
  char byte;
  ASSERT_GE(read(ends[0], &byte, 1), 0);
}

void Tell(int descriptor) { ASSERT_EQ(write(descriptor, "x", 1), 1); }

__attribute__((noinline)) void StandInAThread(int tell) {
  pthread_setname_np(pthread_self(), "stander");
  Tell(tell);
  WaitForEver();
}

__attribute__((noinline)) void StandDeaf(int tell) {
  pthread_setname_np(pthread_self(), "deaf");
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  Tell(tell);
  WaitForEver();
}

__attribute__((noinline)) void StandInAFork(int tell) {
  Tell(tell);
  WaitForEver();
}

// Says proc(5) of another program, which tells nobody that it has come so far.
bool SleepsInTheKernel(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/wchan");
  std::string function;
  return std::getline(file, function) && function.find("sleep") != std::string::npos;
}

TEST(Crowd, Stands) {
  WaitFor([](int tell) { std::thread(StandInAThread, tell).detach(); });
  WaitFor([](int tell) { std::thread(StandDeaf, tell).detach(); });
  WaitFor([](int tell) {
    if (fork() == 0) {
      StandInAFork(tell);
    }
  });
  const pid_t program = fork();
  if (program == 0) {
    execlp("sleep", "sleep", "1234567", nullptr);
  }
  while (!SleepsInTheKernel(program)) {
    sched_yield();
  }
  if (const char* descriptor = getenv("TELL_FD")) {
    Tell(atoi(descriptor));
  }
  WaitForEver();
}

// It asks for what the machinery uses, too, and must not notice.
TEST(Fork, MayBeTerminatedInSilence) {
  const pid_t child = fork();
  if (child == 0) {
    WaitForEver();
  }
  ASSERT_EQ(kill(child, SIGTERM), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

}  // namespace
