#ifndef ISOLATE_INTERNAL_RAW_H_
#define ISOLATE_INTERNAL_RAW_H_

// System calls for the window between fork and the test's first line, and for
// the helper and the inits: no malloc, no stdio, no locks.  Everything here
// returns what the system call returns: -1 and errno on failure.
//
// The calls that glibc 2.36 does not wrap, or wraps only in headers that clash
// with <sys/mount.h>, are made by number.

#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include <cstdint>

namespace isolate::internal::raw {

// fork without the at-fork handlers, and with `namespaces` (CLONE_NEW*): for a
// process that stays in this zone until it ends.  Linux 2.6.24 and later.
pid_t Clone(int namespaces);

int PidfdOpen(pid_t pid);                    // Linux 5.3; close-on-exec
int PidfdSendSignal(int pidfd, int signal);  // Linux 5.1
int Setns(int pidfd, int namespaces);        // of a pidfd: Linux 5.8

// A detached copy of the mount tree at `path`, as a close-on-exec descriptor
// (Linux 5.2).  Does not trigger automounts.
int OpenTree(const char* path);
// The same of what a descriptor leads to.
int CopyTree(int descriptor);
// What is at `path`, no copy: for MoveMount, if it is a mount, or for CopyTree.
int OpenMount(const char* path);
// Puts a detached tree on `path`, or moves a mount there (Linux 5.2).
int MoveMount(int tree, const char* path);

// A mount of a file system of the kernel's own, as "mqueue", that is at no path, as a close-on-exec
// descriptor (fsopen(2), fsmount(2), Linux 5.2).
int MountDetached(const char* type);

// Makes the mounts at `path` and below it read-only (mount_setattr(2), Linux
// 5.12).
int MakeTreeReadOnly(const char* path);

// The thread's capability sets (capget(2), capset(2), version 3).
struct Capabilities {
  __user_cap_data_struct sets[2];
  uint64_t bounding = 0;  // a bit for each capability
  uint64_t ambient = 0;
};
int GetCapabilities(Capabilities* capabilities);
// Reduces the thread to what `wanted` has of what the thread has.
int LimitCapabilities(const Capabilities& wanted);

// What the thread is permitted stays so when it executes a program, whoever it is
// (the ambient set, capabilities(7), Linux 4.3).
int KeepCapabilitiesOverExec();

// A file that lies in memory and may be executed, as a close-on-exec descriptor (memfd_create(2)).
int MemoryFile(const char* name);

// Writes all of `size` bytes, over partial writes and EINTR.
int WriteAll(int fd, const void* data, size_t size);
// Opens the existing file at `path`, and writes `size` bytes at once.
int WriteFile(const char* path, const char* data, size_t size);

// Makes the folders that lead to `path`, with mode 0755; an existing one is no
// error.  `path` is absolute and at most PATH_MAX long.
int MakeParents(const char* path);

// Closes every descriptor from `first` on that is none of the `count` sorted
// ones in `keep` (close_range(2), Linux 5.9; before that, up to the limit).
int CloseFrom(int first, const int* keep, size_t count);

// Registers the calling thread's area for restartable sequences with the kernel,
// as glibc 2.35 and later did for the runner's thread; nothing where glibc did not.
// A process that shared its parent's memory has none (rseq(2)), nor has its fork;
// but glibc's sched_getcpu and per-processor allocators believe that there is one.
void RegisterRestartableSequence();

// Ends the process at once; nothing is flushed, no handler is run.  Sanitizers
// do not see it, as they would _exit.
[[noreturn]] void Exit(int code);

}  // namespace isolate::internal::raw

#endif  // ISOLATE_INTERNAL_RAW_H_
