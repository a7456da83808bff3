#ifndef ISOLATE_INTERNAL_FORK_GENERATION_H_
#define ISOLATE_INTERNAL_FORK_GENERATION_H_

namespace isolate::internal {

// Counts the forks (fork(3), not a raw clone) between the calling process and the
// first one that asked.  Pids do not tell processes apart: they repeat between pid
// namespaces.  Async-signal-safe but for the first call.
int ForkGeneration();

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_FORK_GENERATION_H_
