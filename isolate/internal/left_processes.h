#ifndef ISOLATE_INTERNAL_LEFT_PROCESSES_H_
#define ISOLATE_INTERNAL_LEFT_PROCESSES_H_

// Processes that a test left, as evidence.  Raw system calls only.

#include "isolate/internal/evidence.h"

namespace isolate::internal {

// The children of the calling process's, alive or unreaped.  Costs 1 us where there is none.
void TellChildren(EvidenceWriter& evidence);

// Whether there is nobody in the calling process's pid namespace but the init and the caller, not
// even one that has ended and was not waited for.  Costs 1 us.
bool IsAlone();

// Everybody in the calling process's pid namespace but the init and the caller, and with `ports`
// the sockets of theirs that are of its network namespace, as far as the caller may look at them
// (an init may; Linux 5.14).  Who has ended, or is about to as SIGKILL was sent, is not told of.
// /proc must be that namespace's.  Costs 2 us where there is nobody.
void TellOthers(bool ports, EvidenceWriter& evidence);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_LEFT_PROCESSES_H_
