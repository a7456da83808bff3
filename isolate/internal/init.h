#ifndef ISOLATE_INTERNAL_INIT_H_
#define ISOLATE_INTERNAL_INIT_H_

// Pid 1 of a sandbox.  It makes the sandbox what the plan says, announces it to
// the runner, and then does nothing but be there: it holds the namespaces, and
// orphans come to it and are reaped.  When the runner asks, it looks at what the test left
// (post_mortem.h).  It never runs test code.  When it is
// killed, the kernel kills all else in the sandbox.

#include <cstdint>

#include "isolate/internal/sandbox_plan.h"

namespace isolate::internal {

// What an init has from the helper.
struct InitDescriptors {
  int control = -1;
  int answered = -1;     // gets a byte when the runner is about to be answered
  int helper = -1;       // a pidfd of its parent: when that ends, the init does
  int post_mortem = -1;  // the init's end of the socket for its post-mortem; or -1
  int runners_end = -1;  // the other end, for the runner
  uint32_t number = 0;   // of the sandbox among its helper's, from 0 on
};

// The whole life of an init.  `begun_ns`: when its parent began to make it (realtime.h).  Only raw
// system calls (design, error zones).
[[noreturn]] void RunInit(const SandboxPlan& plan, const InitDescriptors& descriptors,
                          bool in_user_namespace, int64_t begun_ns);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_INIT_H_
