#include "isolate/internal/coverage.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

// What coverage tools link in.  gcov's first two come from an archive, and a weak
// reference fetches nothing from there: see the linkopts.  The third one is in every
// program that counts; it knows the counts of its own shared library only.
extern "C" {
__attribute__((weak)) void __gcov_reset();
__attribute__((weak)) void __gcov_dump();
__attribute__((weak)) void __gcov_exit();
__attribute__((weak)) void __llvm_profile_reset_counters();
__attribute__((weak)) int __llvm_profile_write_file();
}

namespace isolate::internal {
namespace {

constexpr unsigned kSeconds = 10;
constexpr int kSignals[] = {SIGALRM, SIGABRT, SIGSEGV, SIGBUS};

sigjmp_buf before_writing;
std::atomic<pid_t> writer = 0;  // a thread; 0: there is nothing to give up

pid_t ThisThread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

extern "C" void GiveUp(int signal) {
  if (writer == ThisThread()) {
    siglongjmp(before_writing, 1);
  }
  // An alarm rings in any thread.
  syscall(SYS_tgkill, getpid(), writer.load(), signal);
}

}  // namespace

void ResetCoverage() {
  if (__gcov_reset != nullptr) {
    __gcov_reset();
  }
  if (__llvm_profile_reset_counters != nullptr) {
    __llvm_profile_reset_counters();
  }
}

void WriteCoverage() {
  if (__gcov_dump != nullptr) {
    __gcov_dump();
  } else if (__gcov_exit != nullptr) {
    __gcov_exit();
  }
  if (__llvm_profile_write_file != nullptr) {
    __llvm_profile_write_file();
  }
}

void TryToWriteCoverage() {
  if (__gcov_dump == nullptr && __gcov_exit == nullptr && __llvm_profile_write_file == nullptr) {
    return;
  }
  struct sigaction give_up = {};
  give_up.sa_handler = GiveUp;
  give_up.sa_flags = SA_ONSTACK;
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kSignals) {
    sigaction(signal, &give_up, nullptr);
    sigaddset(&signals, signal);
  }
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  if (sigsetjmp(before_writing, /*savemask=*/0) == 0) {
    writer = ThisThread();
    // Blocked is the one whose handler this is called from.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    alarm(kSeconds);
    WriteCoverage();
  }
  alarm(0);
  writer = 0;
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  // Not what they were: a sanitizer that keeps account of them does not know which are
  // reset when their handler is called.
  for (const int signal : kSignals) {
    ::signal(signal, SIG_DFL);
  }
}

}  // namespace isolate::internal
