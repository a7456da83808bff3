#ifndef ISOLATE_INTERNAL_JOIN_H_
#define ISOLATE_INTERNAL_JOIN_H_

// Forks the calling process into a sandbox.
//
// What makes it hard: setns(2) of a user or mount namespace wants a process
// with one thread, glibc's fork is needed because its handlers keep malloc and
// the sanitizers whole, and each copy of the runner costs its page tables.  So:
//
//   runner --__vfork--> joiner --setns, fork--> test process
//
// The joiner shares the runner's memory instead of copying it, has one thread
// whatever the runner has, and is a process of its own to the kernel, so that
// it may join the sandbox.  It lives in the runner's place (vfork suspends the
// runner's thread, and lends its stack and its thread-local storage), and so
// its fork is one by the runner's thread for all that glibc and the sanitizers
// can see: their locks are taken and given back in the shared memory.  The
// runner is a subreaper for the moment, so that the test process becomes its
// child when the joiner ends.
//
// One copy of the runner's memory, as root and without privilege; proved with
// gcc 12 and clang 14, plain, asan and tsan, with and without other threads
// (docs/decisions/0001-one-copy.md).

#include <sys/types.h>

#include "isolate/setup_failure.h"

namespace isolate::internal {

struct Joined {
  // The test process, a child of the caller; 0 in the test process itself; -1
  // where a step failed.
  pid_t pid = -1;
  Step step = Step::kForkJoiner;
  int error = 0;
  // A pidfd of the test process, for the caller to own.
  int process = -1;
  // In the test process: what WaitAtGate takes.
  int gate = -1;
};

// Forks; the child is in `namespaces` (CLONE_NEW*) of the process behind
// `pidfd`, and with a mount namespace also in the root directory `root`: setns
// alone would put it into that namespace's own, out of a chroot of the runner's
// (setns(2)).  With `namespaces` of 0 this is a fork.  The child may do nothing of the
// user's, nor end, before it has waited at the gate.  To be called with all signals blocked.  Costs
// one fork, one vfork and the namespaces' setns.
Joined ForkInto(int pidfd, int root, int namespaces);

// In the test process: until it is the runner's child for good, and the runner has its pidfd.  Ends
// it where the runner died or gave up.  Leaves errno alone.
void WaitAtGate(int gate);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_JOIN_H_
