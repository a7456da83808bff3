#include "gtest_plugin/interruption.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace isolate::gtest {
namespace {

constexpr int kSignaled = 128;  // as a shell has it
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<int> the_interruption{0};
std::atomic<void (*)()> the_notify{nullptr};

extern "C" void OnInterruption(int signal) {
  the_interruption = signal;
  if (void (*notify)() = the_notify; notify != nullptr) {
    notify();
  }
}

extern "C" void OnTermination(int signal, siginfo_t* info, void*) {
  // A sender outside of the pid namespace has no id here.
  if (info->si_pid == 0) {
    OnInterruption(signal);
  }
}

// Whether a signal's action is this one.
bool Is(int signal, sighandler_t action) {
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  return (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == action;
}

}  // namespace

void CatchInterruptions(void (*notify)()) {
  the_notify = notify;
  for (const int signal : kSignals) {
    if (Is(signal, SIG_DFL)) {
      struct sigaction action = {};
      action.sa_handler = OnInterruption;
      action.sa_flags = SA_RESTART | SA_RESETHAND;
      sigaction(signal, &action, nullptr);
    }
  }
}

void CatchTermination(void (*notify)()) {
  the_notify = notify;
  if (Is(SIGTERM, SIG_DFL)) {
    struct sigaction action = {};
    action.sa_sigaction = OnTermination;
    action.sa_flags = SA_RESTART | SA_SIGINFO;
    sigaction(SIGTERM, &action, nullptr);
  }
}

void ReleaseInterruptions() {
  struct sigaction now = {};
  sigaction(SIGTERM, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == OnTermination) {
    ::signal(SIGTERM, SIG_DFL);
  }
  for (const int signal : kSignals) {
    if (Is(signal, OnInterruption)) {
      ::signal(signal, SIG_DFL);
    }
  }
}

int Interruption() { return the_interruption; }

void DieOfInterruption() {
  ReleaseInterruptions();
  raise(the_interruption);
  _exit(kSignaled + the_interruption);  // the signal is blocked
}

}  // namespace isolate::gtest
