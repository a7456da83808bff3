#include "isolate/command/signal_relay.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

namespace isolate::command {
namespace {

// SIGCONT last: it lets a command that is stopped hear of those before it.
constexpr int kSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT};
constexpr size_t kCount = sizeof(kSignals) / sizeof(kSignals[0]);

std::function<void()>* wake_up = nullptr;
std::atomic<bool> begun;
std::atomic<int> last_ending;

// Of each of them, whether it came since it was last passed on.
std::atomic<bool> sent[kCount];
std::atomic<bool> typed[kCount];  // at the terminal
static_assert(std::atomic<bool>::is_always_lock_free, "a handler writes them");

bool IsKey(int signal) { return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP; }

extern "C" void OnRelayedSignal(int signal, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  for (size_t i = 0; i < kCount; ++i) {
    if (kSignals[i] == signal) {
      if (signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM) {
        last_ending = signal;
      }
      (IsKey(signal) && info->si_code == SI_KERNEL ? typed : sent)[i] = true;
    }
  }
  // What neither ends a process nor asks it for anything has nothing to say before there is one.
  if (begun || (signal != SIGCHLD && signal != SIGTSTP && signal != SIGCONT)) {
    (*wake_up)();
  }
  errno = error;
}

bool IsIgnored(int signal) {
  struct sigaction now;
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

void Catch(int signal) {
  struct sigaction action = {};
  action.sa_sigaction = OnRelayedSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

SignalRelay::SignalRelay(bool stops, std::function<void()> wake) {
  begun = false;
  last_ending = 0;
  wake_up = new std::function<void()>(std::move(wake));
  for (const int signal : kSignals) {
    if ((signal != SIGTSTP || stops) && !IsIgnored(signal)) {
      Catch(signal);
    }
  }
  Catch(SIGCHLD);
}

SignalRelay::~SignalRelay() {
  for (const int signal : kSignals) {
    ::signal(signal, SIG_IGN);
  }
  ::signal(SIGCHLD, SIG_DFL);
  delete std::exchange(wake_up, nullptr);
}

int SignalRelay::ending() const { return last_ending; }

void SignalRelay::Begin(pid_t process) {
  begun = true;
  PassOn(process);
  (*wake_up)();  // the process may have stopped already
}

void SignalRelay::PassOn(pid_t process) {
  const bool shares_session = getsid(process) == getsid(0);
  for (size_t i = 0; i < kCount; ++i) {
    const bool was_sent = sent[i].exchange(false);
    const bool was_typed = typed[i].exchange(false);
    if (process > 0 && (was_sent || (was_typed && !shares_session))) {
      kill(process, kSignals[i]);
    }
  }
}

}  // namespace isolate::command
