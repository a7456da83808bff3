#include "isolate/command/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolate/internal/fd.h"

namespace isolate::command {
namespace {

// By the very signal, as a shell names it; but for those that the kernel ignores where no shell is
// left, and that would come again at once.
void StopBy(int signal) {
  signal = signal == SIGTSTP ? SIGTSTP : SIGSTOP;
  struct sigaction stops = {};
  stops.sa_handler = SIG_DFL;
  struct sigaction before;
  // That of SIGSTOP cannot be another.
  const bool restore = sigaction(signal, &stops, &before) == 0;
  kill(getpid(), signal);
  if (restore) {
    sigaction(signal, &before, nullptr);
  }
}

}  // namespace

Terminal::Terminal()
    : terminal_(internal::AboveStandardStreams(
          internal::Fd(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)))),
      began_in_background_(terminal_.valid() && tcgetpgrp(terminal_.get()) != getpgrp()) {}

void Terminal::LendTo(pid_t process) const {
  if (began_in_background_ && process > 0 && tcgetpgrp(terminal_.get()) == getpgrp()) {
    SetForeground(getpgid(process));
  }
}

void Terminal::StopWith(pid_t process) const {
  siginfo_t stopped = {};
  if (!terminal_.valid() || process <= 0 ||
      waitid(P_PID, static_cast<id_t>(process), &stopped, WSTOPPED | WNOHANG) != 0 ||
      stopped.si_pid == 0) {
    return;
  }
  const pid_t group = getpgid(process);
  const bool same = group == getpgrp();
  const bool wants_terminal = stopped.si_status == SIGTTIN || stopped.si_status == SIGTTOU;
  if (!same && wants_terminal && tcgetpgrp(terminal_.get()) == getpgrp()) {
    // The program was given it meanwhile.
    SetForeground(group);
    kill(-group, SIGCONT);
    return;
  }
  if (!same && tcgetpgrp(terminal_.get()) == group) {
    SetForeground(getpgrp());
  }
  StopBy(stopped.si_status);
  if (!same && tcgetpgrp(terminal_.get()) == getpgrp()) {
    SetForeground(group);
  }
  // In the program's own group who continued that has done so.
  if (!same) {
    kill(-group, SIGCONT);
  }
}

void Terminal::TakeBack() const {
  if (!terminal_.valid()) {
    return;
  }
  const pid_t group = tcgetpgrp(terminal_.get());
  if (group != getpgrp() && (group <= 0 || (kill(-group, 0) != 0 && errno == ESRCH))) {
    SetForeground(getpgrp());
  }
}

// Who is in the background may do so with SIGTTOU blocked (tcsetpgrp(3)).
void Terminal::SetForeground(pid_t group) const {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTTOU);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  tcsetpgrp(terminal_.get(), group);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace isolate::command
