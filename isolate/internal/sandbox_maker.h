#ifndef ISOLATE_INTERNAL_SANDBOX_MAKER_H_
#define ISOLATE_INTERNAL_SANDBOX_MAKER_H_

// What the helper does for the rest of its life: it makes a sandbox whenever the runner asks for
// one.  Each is a fork of the process in which this runs, so that process should be small: the
// helper itself, which has all of the runner's memory, or a program that it executes for it
// (maker_program.h).

#include "isolate/internal/sandbox_plan.h"

namespace isolate::internal {

struct MakerDescriptors {
  int control = -1;   // the helper's end of the socket to the runner (control.h)
  int requests = -1;  // an eventfd: how many sandboxes to make
};

// Serves until the runner lets go of the socket or ends; every sandbox ends with it.  Only raw
// system calls.  The process is a child of `plan.runner` with one thread, leads a process group,
// blocks all signals and ignores SIGCHLD, so that it and the inits need reap nobody.
[[noreturn]] void MakeSandboxes(const SandboxPlan& plan, MakerDescriptors descriptors,
                                bool in_user_namespace);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_SANDBOX_MAKER_H_
