#include "isolate/internal/audited_call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>

#include "isolate/footprint.h"
#include "isolate/internal/caller.h"
#include "isolate/internal/name_record.h"
#include "isolate/internal/name_teller.h"
#include "isolate/internal/sockets.h"

namespace isolate::internal {
namespace {

// ip_unprivileged_port_start, as a network namespace begins with it.
constexpr int kFirstFreePort = 1024;

int DescriptorOf(uint64_t argument) { return static_cast<int>(argument); }

int Option(int socket, int level, int option) {
  int value = 0;
  socklen_t size = sizeof(value);
  return getsockopt(socket, level, option, &value, &size) == 0 ? value : 0;
}

bool IsSystemOf(const char* path, const char* folder) {
  return strncmp(path, folder, strlen(folder)) == 0;
}

uint32_t Making(bool exclusive) {
  uint32_t deeds = kMade;
  if (exclusive) {
    deeds |= kExclusive;
  }
  return deeds;
}

// Of an object of IPC.
uint32_t Opening(bool uses, bool exclusive) {
  if (uses) {
    return kUsed;
  }
  return Making(exclusive);
}

// A device is nothing that a test makes its own, and a process's files in /proc are its own
// already.
bool IsShared(const Place& place) {
  if (place.exists && (S_ISCHR(place.mode) || S_ISBLK(place.mode))) {
    return false;
  }
  return !IsSystemOf(place.path, "/proc/") || IsSystemOf(place.path, "/proc/sys/");
}

}  // namespace

void AuditedCall::Tell(seccomp_notif_resp& answer) {
  const auto& arguments = call_.args;
  const auto folder = [&](int i) { return DescriptorOf(arguments[i]); };
  switch (call_.nr) {
    case SYS_openat:
      return LookAtOpen(folder(0), arguments[1], arguments[2]);
    case SYS_openat2: {
      open_how how = {};
      // Its first fields have been the same since there is one.
      if (caller_.Read(arguments[2], &how.flags, sizeof(how.flags))) {
        LookAtOpen(folder(0), arguments[1], how.flags);
      }
      return;
    }
    case SYS_mkdirat:
      return LookAtMaking(folder(0), arguments[1], /*exclusive=*/false);
    case SYS_mknodat:
      return LookAtMaking(folder(0), arguments[1], /*exclusive=*/true);
    case SYS_symlinkat:
      return LookAtMaking(folder(1), arguments[2], /*exclusive=*/true);
    case SYS_linkat:
      return LookAtMaking(folder(2), arguments[3], /*exclusive=*/true);
    case SYS_unlinkat:
      return LookAtRemoval(folder(0), arguments[1]);
    case SYS_renameat2:
      return LookAtRename(folder(0), arguments[1], folder(2), arguments[3],
                          static_cast<unsigned>(arguments[4]));
#ifdef SYS_renameat
    case SYS_renameat:
      return LookAtRename(folder(0), arguments[1], folder(2), arguments[3], 0);
#endif
#ifdef SYS_open
    case SYS_open:
      return LookAtOpen(AT_FDCWD, arguments[0], arguments[1]);
    case SYS_creat:
      return LookAtOpen(AT_FDCWD, arguments[0], O_CREAT | O_WRONLY | O_TRUNC);
    case SYS_mkdir:
      return LookAtMaking(AT_FDCWD, arguments[0], /*exclusive=*/false);
    case SYS_mknod:
      return LookAtMaking(AT_FDCWD, arguments[0], /*exclusive=*/true);
    case SYS_symlink:
    case SYS_link:
      return LookAtMaking(AT_FDCWD, arguments[1], /*exclusive=*/true);
    case SYS_unlink:
    case SYS_rmdir:
      return LookAtRemoval(AT_FDCWD, arguments[0]);
    case SYS_rename:
      return LookAtRename(AT_FDCWD, arguments[0], AT_FDCWD, arguments[1], 0);
#endif
    case SYS_truncate:
      return LookAtTruncation(arguments[0]);
    case SYS_flock:
      if ((arguments[1] & LOCK_UN) == 0) {
        LookAtLock(DescriptorOf(arguments[0]));
      }
      return;
    case SYS_fcntl: {
      struct flock lock;
      if (caller_.Read(arguments[2], &lock, sizeof(lock)) && lock.l_type != F_UNLCK) {
        LookAtLock(DescriptorOf(arguments[0]));
      }
      return;
    }
    case SYS_bind:
      return LookAtBind(answer);
    // Without IPC_CREAT these only look whether it is there; of a sandbox within, it is not known.
    case SYS_shmget:
      return LookAtKey("shm", arguments[0], arguments[2],
                       !rules_.within && shmget(static_cast<key_t>(arguments[0]), 0, 0) >= 0);
    case SYS_semget:
      return LookAtKey("sem", arguments[0], arguments[2],
                       !rules_.within && semget(static_cast<key_t>(arguments[0]), 0, 0) >= 0);
    case SYS_msgget:
      return LookAtKey("msg", arguments[0], arguments[1],
                       !rules_.within && msgget(static_cast<key_t>(arguments[0]), 0) >= 0);
    case SYS_mq_open:
      return LookAtQueue(arguments[0], static_cast<int>(arguments[1]));
    case SYS_mq_unlink: {
      char name[NAME_MAX + 1];
      if (caller_.ReadString(arguments[0], name, sizeof(name))) {
        names_.Record(NameType::kQueue, kRemoved).Bytes(name, strlen(name));
        names_.Tell();
      }
      return;
    }
    case SYS_sethostname:
    case SYS_setdomainname: {
      if (!caller_.Has(CAP_SYS_ADMIN)) {
        return;
      }
      const char* name = call_.nr == SYS_sethostname ? "host name" : "domain name";
      names_.Record(NameType::kHostname, kSet).Bytes(name, strlen(name));
      names_.Tell();
      return;
    }
    default:
      return;
  }
}

// Into place_.  A path that cannot be read is told of; one that leads nowhere is the caller's own
// failure.
bool AuditedCall::Resolve(int folder, uint64_t path, bool follow) {
  char text[PATH_MAX];
  if (!caller_.ReadString(path, text, sizeof(text))) {
    // EFAULT and ENAMETOOLONG, the call itself will meet, too.
    if (errno == EPERM) {
      names_.CountUntold();
    }
    return false;
  }
  if (*text == '\0') {
    return false;
  }
  errno = 0;
  if (!caller_.Resolve(folder, text, follow, &place_)) {
    if (errno == EAGAIN) {
      names_.CountUntold();
    }
    return false;
  }
  return IsShared(place_);
}

void AuditedCall::TellPlace(uint32_t deeds) {
  names_.Record(NameType::kPath, deeds).Bytes(place_.path, strlen(place_.path));
  names_.Tell();
}

void AuditedCall::LookAtOpen(int folder, uint64_t path, uint64_t flags) {
  constexpr uint64_t kNameless = O_TMPFILE & ~O_DIRECTORY;
  if ((flags & (kNameless | O_PATH)) != 0) {
    return;
  }
  const bool makes = (flags & O_CREAT) != 0;
  const bool exclusive = makes && (flags & O_EXCL) != 0;
  if (!Resolve(folder, path, !exclusive && (flags & O_NOFOLLOW) == 0) || !place_.writable) {
    return;
  }
  const bool writes = (flags & (O_WRONLY | O_RDWR | O_TRUNC)) != 0;
  if (!place_.exists) {
    if (makes) {
      TellPlace(Making(exclusive));
    }
  } else if (!exclusive && writes && !S_ISDIR(place_.mode)) {
    TellPlace(kWritten);
  }
}

// `exclusive`: that it fails where the name is there is taken for a failure; who makes a folder
// often does not mind.
void AuditedCall::LookAtMaking(int folder, uint64_t path, bool exclusive) {
  if (Resolve(folder, path, /*follow=*/false) && !place_.exists && place_.writable) {
    TellPlace(Making(exclusive));
  }
}

// One that is not there is often removed first, by whom it belongs to.
void AuditedCall::LookAtRemoval(int folder, uint64_t path) {
  if (Resolve(folder, path, /*follow=*/false)) {
    TellPlace(kRemoved);
  }
}

void AuditedCall::LookAtRename(int from_folder, uint64_t from, int to_folder, uint64_t to,
                               unsigned flags) {
  if (!Resolve(from_folder, from, /*follow=*/false) || !place_.exists) {
    return;
  }
  const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
  TellPlace(exchanges ? kWritten : kRemoved);
  if (!Resolve(to_folder, to, /*follow=*/false)) {
    return;
  }
  if (place_.exists) {
    TellPlace(kWritten);
  } else if (place_.writable && !exchanges) {
    TellPlace(Making((flags & RENAME_NOREPLACE) != 0));
  }
}

void AuditedCall::LookAtTruncation(uint64_t path) {
  if (Resolve(AT_FDCWD, path, /*follow=*/true) && place_.exists && place_.writable) {
    TellPlace(kWritten);
  }
}

void AuditedCall::LookAtLock(int descriptor) {
  if (caller_.PathOf(descriptor, &place_) && IsShared(place_)) {
    TellPlace(kLocked);
  }
}

void AuditedCall::LookAtBind(seccomp_notif_resp& answer) {
  union {
    sockaddr any;
    sockaddr_un path;
    sockaddr_vm vsock;
    sockaddr_storage storage;
    char bytes[sizeof(sockaddr_storage) + 1];
  } address = {};
  const auto size = static_cast<socklen_t>(call_.args[2]);
  if (size < sizeof(sa_family_t) || size > sizeof(address.storage)) {
    return;
  }
  if (!caller_.Read(call_.args[1], &address, size)) {
    if (errno == EPERM) {
      names_.CountUntold();
    }
    return;
  }
  switch (address.any.sa_family) {
    case AF_UNIX:
      // Without a name the kernel chooses one.
      if (size <= offsetof(sockaddr_un, sun_path)) {
        return;
      }
      if (address.path.sun_path[0] == '\0') {
        names_.Record(NameType::kSocket, kBound)
            .U32(AF_UNIX)
            .U32(0)
            .U32(0)
            .U32(0)
            .Bytes(&address, size);
        names_.Tell();
      } else if (caller_.Resolve(AT_FDCWD, address.path.sun_path, /*follow=*/false, &place_) &&
                 !place_.exists && place_.writable) {
        TellPlace(kBound | Making(/*exclusive=*/true));
      }
      return;
    case AF_VSOCK:
      names_.Record(NameType::kSocket, kBound)
          .U32(AF_VSOCK)
          .U32(0)
          .U32(0)
          .U32(0)
          .Bytes(&address, size);
      names_.Tell();
      return;
    default:
      LookAtInternetBind(&address, size, answer);
  }
}

void AuditedCall::LookAtInternetBind(void* address, socklen_t size, seccomp_notif_resp& answer) {
  sockaddr_storage bound = {};
  memcpy(&bound, address, size);
  const auto port = [&] {
    return bound.ss_family == AF_INET ? ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port)
                                      : ntohs(reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  };
  const int copy = caller_.Copy(DescriptorOf(call_.args[0]));
  if (copy < 0) {
    if (errno == EPERM) {
      names_.CountUntold();
    }
    return;
  }
  const auto domain = static_cast<uint32_t>(Option(copy, SOL_SOCKET, SO_DOMAIN));
  const auto type = static_cast<uint32_t>(Option(copy, SOL_SOCKET, SO_TYPE));
  // A network that a test makes for itself it shares with nobody.
  const bool shared = (domain == AF_INET || domain == AF_INET6) && type != SOCK_RAW &&
                      (rules_.within || NetworkOf(copy) == rules_.network);
  uint32_t flags = port() == 0 ? uint32_t{kChosen} : 0;
  bool succeeds =
      shared && (port() == 0 || port() >= kFirstFreePort || caller_.Has(CAP_NET_BIND_SERVICE));
  if (succeeds && rules_.calls_once && (port() == 0 || port() >= kFirstFreePort)) {
    // In the caller's place.  No rights of ours are involved: any process may bind these ports.
    succeeds = bind(copy, reinterpret_cast<sockaddr*>(address), size) == 0;
    answer.flags = 0;
    answer.error = succeeds ? 0 : -errno;
    socklen_t length = sizeof(bound);
    getsockname(copy, reinterpret_cast<sockaddr*>(&bound), &length);
    size = length;
  }
  if (succeeds && port() != 0) {
    const auto protocol = static_cast<uint32_t>(Option(copy, SOL_SOCKET, SO_PROTOCOL));
    if (domain == AF_INET6 && Option(copy, IPPROTO_IPV6, IPV6_V6ONLY) != 0) {
      flags |= kOnlyIpv6;
    }
    names_.Record(NameType::kSocket, kBound)
        .U32(domain)
        .U32(type)
        .U32(protocol)
        .U32(flags)
        .Bytes(&bound, size);
    names_.Tell();
  }
  close(copy);
}

void AuditedCall::LookAtKey(const char* type, uint64_t key, uint64_t flags, bool exists) {
  const bool makes = (flags & IPC_CREAT) != 0;
  const bool exclusive = makes && (flags & IPC_EXCL) != 0;
  if (exists ? exclusive : !makes && !rules_.within) {
    return;  // it will fail
  }
  names_.Record(NameType::kSysv, Opening(exists || !makes, exclusive))
      .Bytes(type, strlen(type))
      .U32(static_cast<uint32_t>(key));
  names_.Tell();
}

void AuditedCall::LookAtQueue(uint64_t name, int flags) {
  char text[NAME_MAX + 1];
  if (!caller_.ReadString(name, text, sizeof(text))) {
    return;
  }
  bool exists = false;
  if (!rules_.within) {
    const int queue =
        static_cast<int>(syscall(SYS_mq_open, text, O_RDONLY | O_CLOEXEC, 0, nullptr));
    exists = queue >= 0 || errno == EACCES;
    if (queue >= 0) {
      close(queue);
    }
  }
  const bool makes = (flags & O_CREAT) != 0;
  const bool exclusive = makes && (flags & O_EXCL) != 0;
  if (exists ? exclusive : !makes && !rules_.within) {
    return;
  }
  names_.Record(NameType::kQueue, Opening(exists || !makes, exclusive)).Bytes(text, strlen(text));
  names_.Tell();
}

}  // namespace isolate::internal
