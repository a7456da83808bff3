#ifndef ISOLATE_INTERNAL_CALLER_H_
#define ISOLATE_INTERNAL_CALLER_H_

// A thread that waits in a system call while an auditor looks at it: its memory, and what its paths
// and descriptors lead to.  Lives in an init.  Raw system calls only.

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>

namespace isolate::internal {

// What a path leads to, or would.
struct Place {
  char path[PATH_MAX];  // from the caller's root, with all links on the way resolved
  bool exists = false;
  mode_t mode = 0;  // where it exists
  // The caller may write to it, or, where it does not exist, make it.
  bool writable = false;
};

class Caller {
 public:
  explicit Caller(pid_t thread) : thread_(thread) {}

  // Copies `size` bytes of its memory; false where that cannot be had.
  bool Read(uint64_t address, void* to, size_t size) const;
  // Copies a string, and its NUL; false where it is longer than `size`, too.
  bool ReadString(uint64_t address, char* to, size_t size) const;

  // Where a path leads, of which the caller says that it begins at `folder` (a descriptor, or
  // AT_FDCWD).  False where the caller's own call would not get there either; with errno EAGAIN
  // where it might.
  bool Resolve(int folder, const char* path, bool follow, Place* place) const;

  // What a descriptor leads to, if that is a file with a path.
  bool PathOf(int descriptor, Place* place) const;

  // A copy of a descriptor (pidfd_getfd(2), Linux 5.6), or -1 and errno.
  int Copy(int descriptor) const;

  // Whether it has a capability (capabilities(7)).
  bool Has(int capability) const;

  // The number of its pid namespace; 0 where it is gone.
  ino_t PidNamespace() const;

 private:
  int OpenBase(int folder, bool absolute) const;
  bool TakeWhatIsThere(int file, Place* place) const;
  bool TakeWhatIsMissing(int folder, const char* name, Place* place) const;
  bool MayWrite(int file, const struct stat& status) const;
  bool IsInGroup(gid_t group) const;
  bool ReadStatus(char* text, size_t size) const;

  const pid_t thread_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_CALLER_H_
