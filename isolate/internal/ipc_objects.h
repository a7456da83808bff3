#ifndef ISOLATE_INTERNAL_IPC_OBJECTS_H_
#define ISOLATE_INTERNAL_IPC_OBJECTS_H_

// The System V objects and the POSIX message queues of the calling process's IPC namespace, as
// evidence.  Raw system calls only.

#include "isolate/internal/evidence.h"

namespace isolate::internal {

// Costs 1 us where there is none (shmctl(2) SHM_INFO and the like).
void TellSysvObjects(EvidenceWriter& evidence);

// Costs 3 us with /dev/mqueue.  Without that folder the file system is mounted for the moment, at
// no path, which takes CAP_SYS_ADMIN (fsmount(2), Linux 5.2); without either nothing is told.
//
// `sizes`: also how much is in each, for which it has to be opened; in a process that asked to be
// told of messages (mq_notify(3)), closing it takes that back.
void TellQueues(bool sizes, EvidenceWriter& evidence);

// Whether there is no queue in the file system of such queues whose folder `queues` is, of whatever
// namespace.  Costs 1 us.
bool HasNoQueues(int queues);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_IPC_OBJECTS_H_
