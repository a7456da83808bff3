#ifndef ISOLATE_COMMAND_SIGNAL_RELAY_H_
#define ISOLATE_COMMAND_SIGNAL_RELAY_H_

// Passes the signals that the program gets on to the process that it waits for: SIGHUP, SIGINT,
// SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT and, at a terminal, SIGTSTP, but for those that the
// program was started to ignore, as nohup(1) does.
//
//   SignalRelay relay(/*stops=*/terminal.valid(), [&] { executor->Interrupt(); });
//   ...                                  // the process is started
//   relay.Begin(process);
//   ...                                  // the wait was interrupted
//   relay.PassOn(process);
//
// One at a time in a process.

#include <sys/types.h>

#include <functional>

namespace isolate::command {

class SignalRelay {
 public:
  // `wake` is called when one of them has come: in a signal handler, so it must be
  // async-signal-safe.  After Begin also when a child has stopped or ended.
  // With `stops` SIGTSTP is one of them.  The program is then not stopped before its process is,
  // which may have to put the terminal in order first, and until then reads what is typed.
  SignalRelay(bool stops, std::function<void()> wake);
  // From then on they are ignored.
  ~SignalRelay();
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;

  // From now on there is `process`, a child of the caller's: sends it those that came before, as
  // PassOn does, and calls `wake`.
  void Begin(pid_t process);

  // Sends `process` those that came since the last time.  A key of the terminal is for all
  // processes of the foreground group: one that shares the program's session has got it already, if
  // it was meant.
  void PassOn(pid_t process);

  // The last of SIGHUP, SIGINT, SIGQUIT and SIGTERM that came; 0: none did.
  int ending() const;
};

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_SIGNAL_RELAY_H_
