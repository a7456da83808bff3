#ifndef ISOLATE_INTERNAL_LEFT_PROCESSES_H_
#define ISOLATE_INTERNAL_LEFT_PROCESSES_H_

// Processes that a test left, as evidence.  Raw system calls only.

#include "isolate/internal/evidence.h"

namespace isolate::internal {

// The children of the calling process's, alive or unreaped.  Costs 1 us where there is none.
void TellChildren(EvidenceWriter& evidence);

// In an init: everybody else in its pid namespace, and with `ports` the sockets of theirs that are
// of its network namespace.  Who has ended, or is about to as SIGKILL was sent, is not told of.
// Costs 2 us where there is nobody.
void TellSurvivors(bool ports, EvidenceWriter& evidence);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_LEFT_PROCESSES_H_
