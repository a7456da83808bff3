#include "isolate/internal/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>

#if defined(__has_include) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
// Not there in an older glibc, which a program that was built here may run with.
// NOLINTBEGIN(readability-redundant-declaration)
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
// NOLINTEND(readability-redundant-declaration)
#endif

namespace isolate::internal::raw {
namespace {

// From <linux/mount.h>, which cannot be included beside <sys/mount.h>.
constexpr unsigned kOpenTreeClone = 1;
constexpr unsigned kMoveMountFromEmptyPath = 4;
constexpr uint64_t kMountAttrReadOnly = 1;

constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsmountCloexec = 1;
constexpr unsigned kFsconfigCmdCreate = 6;

constexpr unsigned kMfdExec = 0x10;  // glibc 2.36 does not have it

// The same on every architecture.
constexpr long kSysFsopen = 430;
constexpr long kSysFsconfig = 431;
constexpr long kSysFsmount = 432;
constexpr long kSysMountSetattr = 442;

constexpr int kLastPossibleCapability = 63;

int CloseRange(unsigned first, unsigned last) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) {
    return 0;
  }
  if (errno != ENOSYS) {
    return -1;
  }
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return -1;
  }
  for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; ++fd) {
    close(static_cast<int>(fd));
  }
  return 0;
}

}  // namespace

pid_t Clone(int namespaces) {
  return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD | namespaces, nullptr, nullptr, nullptr, 0));
}

int PidfdOpen(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

int PidfdSendSignal(int pidfd, int signal) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

int Setns(int pidfd, int namespaces) {
  return static_cast<int>(syscall(SYS_setns, pidfd, namespaces));
}

int OpenTree(const char* path) {
  return static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, path,
                                  kOpenTreeClone | static_cast<unsigned>(O_CLOEXEC) |
                                      static_cast<unsigned>(AT_RECURSIVE | AT_NO_AUTOMOUNT)));
}

int CopyTree(int descriptor) {
  return static_cast<int>(syscall(SYS_open_tree, descriptor, "",
                                  kOpenTreeClone | static_cast<unsigned>(O_CLOEXEC) |
                                      static_cast<unsigned>(AT_RECURSIVE | AT_EMPTY_PATH)));
}

int OpenMount(const char* path) {
  return static_cast<int>(
      syscall(SYS_open_tree, AT_FDCWD, path,
              static_cast<unsigned>(O_CLOEXEC) | static_cast<unsigned>(AT_NO_AUTOMOUNT)));
}

int MoveMount(int tree, const char* path) {
  return static_cast<int>(
      syscall(SYS_move_mount, tree, "", AT_FDCWD, path, kMoveMountFromEmptyPath));
}

int MountDetached(const char* type) {
  const int context = static_cast<int>(syscall(kSysFsopen, type, kFsopenCloexec));
  if (context < 0) {
    return -1;
  }
  const int mount = syscall(kSysFsconfig, context, kFsconfigCmdCreate, nullptr, nullptr, 0) == 0
                        ? static_cast<int>(syscall(kSysFsmount, context, kFsmountCloexec, 0))
                        : -1;
  const int error = errno;
  close(context);
  errno = error;
  return mount;
}

int MakeTreeReadOnly(const char* path) {
  // struct mount_attr, from <linux/mount.h>.
  const uint64_t attributes[4] = {kMountAttrReadOnly, 0, 0, 0};
  return static_cast<int>(syscall(kSysMountSetattr, AT_FDCWD, path,
                                  static_cast<unsigned>(AT_RECURSIVE), attributes,
                                  sizeof(attributes)));
}

int GetCapabilities(Capabilities* capabilities) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  if (syscall(SYS_capget, &header, capabilities->sets) != 0) {
    return -1;
  }
  capabilities->bounding = 0;
  capabilities->ambient = 0;
  for (int capability = 0; capability <= kLastPossibleCapability; ++capability) {
    const uint64_t bit = uint64_t{1} << capability;
    const int bounding = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (bounding < 0) {
      break;  // EINVAL: the kernel knows no more capabilities
    }
    if (bounding == 1) {
      capabilities->bounding |= bit;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1) {
      capabilities->ambient |= bit;
    }
  }
  return 0;
}

int LimitCapabilities(const Capabilities& wanted) {
  // The bounding set first, while CAP_SETPCAP is still there.
  for (int capability = 0; capability <= kLastPossibleCapability; ++capability) {
    const int bounding = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (bounding < 0) {
      break;
    }
    if (bounding == 1 && (wanted.bounding & uint64_t{1} << capability) == 0 &&
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return -1;
    }
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) {
    return -1;
  }
  for (int i = 0; i < 2; ++i) {
    sets[i].permitted &= wanted.sets[i].permitted;
    sets[i].effective = sets[i].permitted & wanted.sets[i].effective;
    sets[i].inheritable = sets[i].permitted & wanted.sets[i].inheritable;
  }
  if (syscall(SYS_capset, &header, sets) != 0) {
    return -1;
  }
  for (int capability = 0; capability <= kLastPossibleCapability; ++capability) {
    if ((wanted.ambient & uint64_t{1} << capability) != 0 &&
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) {
      return -1;
    }
  }
  return 0;
}

int KeepCapabilitiesOverExec() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) != 0) {
    return -1;
  }
  for (__user_cap_data_struct& set : sets) {
    set.inheritable = set.permitted;
  }
  if (syscall(SYS_capset, &header, sets) != 0) {
    return -1;
  }
  for (int capability = 0; capability <= kLastPossibleCapability; ++capability) {
    const bool permitted = (sets[capability / 32].permitted & 1U << capability % 32) != 0;
    if (permitted && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) {
      return -1;
    }
  }
  return 0;
}

int MemoryFile(const char* name) {
  const int file = memfd_create(name, MFD_CLOEXEC | kMfdExec);
  // Before Linux 6.3 every one may be executed, and the flag is not known.
  return file < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC) : file;
}

int WriteAll(int fd, const void* data, size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return -1;
    }
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return 0;
}

int WriteFile(const char* path, const char* data, size_t size) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  // Files such as uid_map take one write only.
  const ssize_t written = write(fd, data, size);
  const int error = errno;
  close(fd);
  errno = error;
  return written == static_cast<ssize_t>(size) ? 0 : -1;
}

int MakeParents(const char* path) {
  char parent[PATH_MAX];
  const size_t size = strlen(path);
  if (size >= sizeof(parent)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(parent, path, size + 1);
  for (size_t i = 1; i < size; ++i) {
    if (parent[i] == '/') {
      parent[i] = '\0';
      if (mkdir(parent, 0755) != 0 && errno != EEXIST) {
        return -1;
      }
      parent[i] = '/';
    }
  }
  return 0;
}

int CloseFrom(int first, const int* keep, size_t count) {
  unsigned next = static_cast<unsigned>(first);
  for (size_t i = 0; i < count; ++i) {
    if (keep[i] >= first) {
      const unsigned kept = static_cast<unsigned>(keep[i]);
      if (kept > next && CloseRange(next, kept - 1) != 0) {
        return -1;
      }
      next = kept + 1;
    }
  }
  return CloseRange(next, UINT_MAX);
}

void RegisterRestartableSequence() {
#ifdef RSEQ_SIG
  if (&__rseq_size == nullptr || __rseq_size == 0) {
    return;
  }
  // Newer versions of glibc tell the size of the fields that are in use, and
  // register no less than the first version's area.
  constexpr unsigned kFirstSize = 32;
  const unsigned size = __rseq_size > kFirstSize ? __rseq_size : kFirstSize;
  // It fails where a filter refuses it, and then glibc's own has failed as well.
  syscall(SYS_rseq, static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset, size, 0,
          RSEQ_SIG);
#endif
}

void Exit(int code) {
  for (;;) {
    syscall(SYS_exit_group, code);
  }
}

}  // namespace isolate::internal::raw
