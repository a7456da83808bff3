#ifndef ISOLATE_INTERNAL_INIT_H_
#define ISOLATE_INTERNAL_INIT_H_

// Pid 1 of a sandbox.  It makes the sandbox what the plan says, announces it to
// the runner, and then does nothing but be there: it holds the namespaces, and
// orphans come to it and are reaped.  It never runs test code.  When it is
// killed, the kernel kills all else in the sandbox.

#include "isolate/internal/sandbox_plan.h"

namespace isolate::internal {

// The whole life of an init.  It writes a byte to `answered` when it is about
// to answer the runner.  `helper` is a pidfd of its parent: when that ends, the init does.  Only
// raw system calls (design, error zones).
[[noreturn]] void RunInit(const SandboxPlan& plan, int control, int answered, int helper,
                          bool in_user_namespace);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_INIT_H_
