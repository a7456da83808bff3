#ifndef BENCHMARKS_FLOOR_H_
#define BENCHMARKS_FLOOR_H_

// The kernel's own price for a process in a sandbox, without anything of ours: system calls alone,
// each sandbox made when it is wanted.

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace isolate::benchmarks {

// How long a fork of the calling process takes, that ends at once and is waited for; the mean of
// `count`, one after another.
absl::StatusOr<absl::Duration> MeasureFork(int count);

// The same in fresh pid, net, ipc, uts and mount namespaces: lo is up; a tmpfs is on /tmp, /var/tmp
// and /dev/shm, as far as they exist; /proc, /sys and a file system of message queues are mounted;
// then the init forks the process, waits for it, and ends.  Up to `in_flight` such sandboxes at
// once. Takes CAP_SYS_ADMIN; an ordinary user gets it in a user namespace of his own, made once.
absl::StatusOr<absl::Duration> MeasureSandbox(int in_flight, int count);

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_FLOOR_H_
