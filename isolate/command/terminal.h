#ifndef ISOLATE_COMMAND_TERMINAL_H_
#define ISOLATE_COMMAND_TERMINAL_H_

// The program's controlling terminal, which it lends to the process that it waits for: as a shell
// with job control, that may put another process group into the foreground, and stop.

#include <sys/types.h>

#include "isolate/internal/fd.h"

namespace isolate::command {

class Terminal {
 public:
  // Without a terminal nothing below does anything; where the program's job is in the background,
  // nothing takes the terminal from who has it.
  Terminal();

  bool valid() const { return terminal_.valid(); }
  // Whether somebody else had it when the program began.  Then the process that the program waits
  // for has a group of its own.
  bool began_in_background() const { return began_in_background_; }

  // Gives `process` the terminal that the program was given, where it began in the background.
  void LendTo(pid_t process) const;

  // Where `process`, a child of the caller's, has been stopped, but not for want of a terminal that
  // the program has: stops the program, too, so that whoever started it learns of it.  When it is
  // continued, so is the process, with the terminal.
  void StopWith(pid_t process) const;

  // Puts the program's own group into the foreground, where a group of those that it waited for is
  // left there.
  void TakeBack() const;

 private:
  void SetForeground(pid_t group) const;

  internal::Fd terminal_;
  bool began_in_background_ = false;
};

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_TERMINAL_H_
