#ifndef ISOLATE_INTERNAL_STRAYS_H_
#define ISOLATE_INTERNAL_STRAYS_H_

// Children of the runner's that the runner never forked: a process in a sandbox
// makes one by clone(2) with CLONE_PARENT, and a joiner that is killed leaves one.
// Their pid namespace, and with it its init, does not end before they have been
// waited for (pid_namespaces(7)).

#include <sys/types.h>

#include "absl/container/flat_hash_set.h"

namespace isolate::internal {

// Waits for each ended child of the calling process that is in one of these pid
// namespaces, given by their inodes; never for a child of another.  Does not block.
// Costs a few files of /proc for each child; finds none on a kernel without
// CONFIG_PROC_CHILDREN.
void ReapStrays(const absl::flat_hash_set<ino_t>& pid_namespaces);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_STRAYS_H_
