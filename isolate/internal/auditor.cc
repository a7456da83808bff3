#include "isolate/internal/auditor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "isolate/footprint.h"
#include "isolate/internal/audit_mark.h"
#include "isolate/internal/caller.h"
#include "isolate/internal/frame_channel.h"
#include "isolate/internal/name_record.h"
#include "isolate/internal/record_writer.h"
#include "isolate/internal/sockets.h"
#include "isolate/internal/wire.h"

namespace isolate::internal {
namespace {

// From <linux/seccomp.h>, which may be older than the kernel (Linux 6.6): caller and auditor run
// one after the other on the same processor, which takes an eighth of the time.
constexpr unsigned long kSetFlags = _IOW(SECCOMP_IOC_MAGIC, 4, uint64_t);
constexpr unsigned long kSyncWakeUp = 1;

constexpr size_t kSeen = 4096;

// ip_unprivileged_port_start, as a network namespace begins with it.
constexpr int kFirstFreePort = 1024;

uint64_t Hash(const char* data, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<unsigned char>(data[i])) * 0x100000001b3;
  }
  return hash;
}

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

void Auditor::Begin(int listener, bool calls_once) {
  listener_ = listener;
  calls_once_ = calls_once;
  // Fails where the kernel does not have it; then it takes longer.
  ioctl(listener_, kSetFlags, kSyncWakeUp);
  network_ = OwnNetwork();
  pid_namespace_ = Caller(getpid()).PidNamespace();
  void* const memory = mmap(nullptr, kSeen * sizeof(*seen_), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  seen_ = memory != MAP_FAILED ? static_cast<uint64_t*>(memory) : nullptr;
  channel_.Begin();
}

void Auditor::End() {
  close(listener_);
  listener_ = -1;
}

void Auditor::Answer() {
  union {
    seccomp_notif call;
    char room[256];  // a newer kernel's is larger
  } asked = {};
  if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
    return;  // ENOENT: the caller was killed, or interrupted
  }
  const seccomp_notif& call = asked.call;
  seccomp_notif_resp answer = {call.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  const auto thread = static_cast<pid_t>(call.pid);
  const Caller caller(thread);
  if (TakeMark(call.data, thread, caller)) {
    answer.flags = 0;
  } else {
    stretch_ = StretchOf(thread, caller);
    if (stretch_ != kNoStretch) {
      Look(call.data, caller, answer);
    }
  }
  ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

bool Auditor::TakeMark(const seccomp_data& call, pid_t thread, const Caller& caller) {
  if (call.nr != SYS_prctl || call.args[3] != token_) {
    return false;
  }
  switch (static_cast<AuditMark>(call.args[1])) {
    case AuditMark::kStretch: {
      const ino_t pid_namespace = caller.PidNamespace();
      const auto number = static_cast<uint32_t>(call.args[2]);
      if (pid_namespace == pid_namespace_) {
        own_stretch_ = number;
        break;
      }
      stretches_[stretch_count_++ % kMaxMarks] = {pid_namespace, number};
      break;
    }
    case AuditMark::kAside:
      aside_[aside_count_++ % kMaxMarks] = thread;
      break;
    case AuditMark::kBack:
      std::replace(aside_, aside_ + std::min(aside_count_, kMaxMarks), thread, pid_t{0});
      break;
  }
  return true;
}

uint32_t Auditor::StretchOf(pid_t thread, const Caller& caller) {
  within_ = false;
  pid_t* const aside_end = aside_ + std::min(aside_count_, kMaxMarks);
  if (std::find(aside_, aside_end, thread) != aside_end) {
    return kNoStretch;
  }
  if (stretch_count_ == 0) {
    return own_stretch_;
  }
  const ino_t pid_namespace = caller.PidNamespace();
  // The last mark holds.
  for (size_t i = std::min(stretch_count_, kMaxMarks); i > 0; --i) {
    const Stretch& stretch = stretches_[(stretch_count_ - i) % kMaxMarks];
    if (stretch.pid_namespace == pid_namespace) {
      within_ = true;
      return stretch.number;
    }
  }
  return own_stretch_;
}

void Auditor::Look(const seccomp_data& call, const Caller& caller, seccomp_notif_resp& answer) {
  const auto& arguments = call.args;
  const auto folder = [&](int i) { return DescriptorOf(arguments[i]); };
  switch (call.nr) {
    case SYS_openat:
      return LookAtOpen(caller, folder(0), arguments[1], arguments[2]);
    case SYS_openat2: {
      open_how how = {};
      // Its first fields have been the same since there is one.
      if (caller.Read(arguments[2], &how.flags, sizeof(how.flags))) {
        LookAtOpen(caller, folder(0), arguments[1], how.flags);
      }
      return;
    }
    case SYS_mkdirat:
      return LookAtMaking(caller, folder(0), arguments[1], /*exclusive=*/false);
    case SYS_mknodat:
      return LookAtMaking(caller, folder(0), arguments[1], /*exclusive=*/true);
    case SYS_symlinkat:
      return LookAtMaking(caller, folder(1), arguments[2], /*exclusive=*/true);
    case SYS_linkat:
      return LookAtMaking(caller, folder(2), arguments[3], /*exclusive=*/true);
    case SYS_unlinkat:
      return LookAtRemoval(caller, folder(0), arguments[1]);
    case SYS_renameat2:
      return LookAtRename(caller, folder(0), arguments[1], folder(2), arguments[3],
                          static_cast<unsigned>(arguments[4]));
#ifdef SYS_renameat
    case SYS_renameat:
      return LookAtRename(caller, folder(0), arguments[1], folder(2), arguments[3], 0);
#endif
#ifdef SYS_open
    case SYS_open:
      return LookAtOpen(caller, AT_FDCWD, arguments[0], arguments[1]);
    case SYS_creat:
      return LookAtOpen(caller, AT_FDCWD, arguments[0], O_CREAT | O_WRONLY | O_TRUNC);
    case SYS_mkdir:
      return LookAtMaking(caller, AT_FDCWD, arguments[0], /*exclusive=*/false);
    case SYS_mknod:
      return LookAtMaking(caller, AT_FDCWD, arguments[0], /*exclusive=*/true);
    case SYS_symlink:
    case SYS_link:
      return LookAtMaking(caller, AT_FDCWD, arguments[1], /*exclusive=*/true);
    case SYS_unlink:
    case SYS_rmdir:
      return LookAtRemoval(caller, AT_FDCWD, arguments[0]);
    case SYS_rename:
      return LookAtRename(caller, AT_FDCWD, arguments[0], AT_FDCWD, arguments[1], 0);
#endif
    case SYS_truncate:
      return LookAtTruncation(caller, arguments[0]);
    case SYS_flock:
      if ((arguments[1] & LOCK_UN) == 0) {
        LookAtLock(caller, DescriptorOf(arguments[0]));
      }
      return;
    case SYS_fcntl: {
      struct flock lock;
      if (caller.Read(arguments[2], &lock, sizeof(lock)) && lock.l_type != F_UNLCK) {
        LookAtLock(caller, DescriptorOf(arguments[0]));
      }
      return;
    }
    case SYS_bind:
      return LookAtBind(caller, call, answer);
    // Without IPC_CREAT these only look whether it is there; of a sandbox within, it is not known.
    case SYS_shmget:
      return LookAtKey("shm", arguments[0], arguments[2],
                       !within_ && shmget(static_cast<key_t>(arguments[0]), 0, 0) >= 0);
    case SYS_semget:
      return LookAtKey("sem", arguments[0], arguments[2],
                       !within_ && semget(static_cast<key_t>(arguments[0]), 0, 0) >= 0);
    case SYS_msgget:
      return LookAtKey("msg", arguments[0], arguments[1],
                       !within_ && msgget(static_cast<key_t>(arguments[0]), 0) >= 0);
    case SYS_mq_open:
      return LookAtQueue(caller, arguments[0], static_cast<int>(arguments[1]));
    case SYS_mq_unlink: {
      char name[NAME_MAX + 1];
      if (caller.ReadString(arguments[0], name, sizeof(name))) {
        Begin(NameType::kQueue, kRemoved).Bytes(name, strlen(name));
        TellRecord();
      }
      return;
    }
    case SYS_sethostname:
    case SYS_setdomainname: {
      if (!caller.Has(CAP_SYS_ADMIN)) {
        return;
      }
      const char* name = call.nr == SYS_sethostname ? "host name" : "domain name";
      Begin(NameType::kHostname, kSet).Bytes(name, strlen(name));
      TellRecord();
      return;
    }
    default:
      return;
  }
}

// Into place_.  A path that cannot be read is told of; one that leads nowhere is the caller's own
// failure.
bool Auditor::Resolve(const Caller& caller, int folder, uint64_t path, bool follow) {
  char text[PATH_MAX];
  if (!caller.ReadString(path, text, sizeof(text))) {
    // EFAULT and ENAMETOOLONG, the call itself will meet, too.
    untold_ += errno == EPERM ? 1 : 0;
    return false;
  }
  if (*text == '\0') {
    return false;
  }
  errno = 0;
  if (!caller.Resolve(folder, text, follow, &place_)) {
    untold_ += errno == EAGAIN ? 1 : 0;
    return false;
  }
  return IsShared(place_);
}

void Auditor::TellPlace(uint32_t deeds) {
  Begin(NameType::kPath, deeds).Bytes(place_.path, strlen(place_.path));
  TellRecord();
}

void Auditor::LookAtOpen(const Caller& caller, int folder, uint64_t path, uint64_t flags) {
  constexpr uint64_t kNameless = O_TMPFILE & ~O_DIRECTORY;
  if ((flags & (kNameless | O_PATH)) != 0) {
    return;
  }
  const bool makes = (flags & O_CREAT) != 0;
  const bool exclusive = makes && (flags & O_EXCL) != 0;
  if (!Resolve(caller, folder, path, !exclusive && (flags & O_NOFOLLOW) == 0) || !place_.writable) {
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
void Auditor::LookAtMaking(const Caller& caller, int folder, uint64_t path, bool exclusive) {
  if (Resolve(caller, folder, path, /*follow=*/false) && !place_.exists && place_.writable) {
    TellPlace(Making(exclusive));
  }
}

// One that is not there is often removed first, by whom it belongs to.
void Auditor::LookAtRemoval(const Caller& caller, int folder, uint64_t path) {
  if (Resolve(caller, folder, path, /*follow=*/false)) {
    TellPlace(kRemoved);
  }
}

void Auditor::LookAtRename(const Caller& caller, int from_folder, uint64_t from, int to_folder,
                           uint64_t to, unsigned flags) {
  if (!Resolve(caller, from_folder, from, /*follow=*/false) || !place_.exists) {
    return;
  }
  const bool exchanges = (flags & RENAME_EXCHANGE) != 0;
  TellPlace(exchanges ? kWritten : kRemoved);
  if (!Resolve(caller, to_folder, to, /*follow=*/false)) {
    return;
  }
  if (place_.exists) {
    TellPlace(kWritten);
  } else if (place_.writable && !exchanges) {
    TellPlace(Making((flags & RENAME_NOREPLACE) != 0));
  }
}

void Auditor::LookAtTruncation(const Caller& caller, uint64_t path) {
  if (Resolve(caller, AT_FDCWD, path, /*follow=*/true) && place_.exists && place_.writable) {
    TellPlace(kWritten);
  }
}

void Auditor::LookAtLock(const Caller& caller, int descriptor) {
  if (caller.PathOf(descriptor, &place_) && IsShared(place_)) {
    TellPlace(kLocked);
  }
}

void Auditor::LookAtBind(const Caller& caller, const seccomp_data& call,
                         seccomp_notif_resp& answer) {
  union {
    sockaddr any;
    sockaddr_un path;
    sockaddr_vm vsock;
    sockaddr_storage storage;
    char bytes[sizeof(sockaddr_storage) + 1];
  } address = {};
  const auto size = static_cast<socklen_t>(call.args[2]);
  if (size < sizeof(sa_family_t) || size > sizeof(address.storage)) {
    return;
  }
  if (!caller.Read(call.args[1], &address, size)) {
    untold_ += errno == EPERM ? 1 : 0;
    return;
  }
  switch (address.any.sa_family) {
    case AF_UNIX:
      // Without a name the kernel chooses one.
      if (size <= offsetof(sockaddr_un, sun_path)) {
        return;
      }
      if (address.path.sun_path[0] == '\0') {
        Begin(NameType::kSocket, kBound).U32(AF_UNIX).U32(0).U32(0).U32(0).Bytes(&address, size);
        TellRecord();
      } else if (caller.Resolve(AT_FDCWD, address.path.sun_path, /*follow=*/false, &place_) &&
                 !place_.exists && place_.writable) {
        TellPlace(kBound | Making(/*exclusive=*/true));
      }
      return;
    case AF_VSOCK:
      Begin(NameType::kSocket, kBound).U32(AF_VSOCK).U32(0).U32(0).U32(0).Bytes(&address, size);
      TellRecord();
      return;
    default:
      LookAtInternetBind(caller, call, &address, size, answer);
  }
}

void Auditor::LookAtInternetBind(const Caller& caller, const seccomp_data& call, void* address,
                                 socklen_t size, seccomp_notif_resp& answer) {
  sockaddr_storage bound = {};
  memcpy(&bound, address, size);
  const auto port = [&] {
    return bound.ss_family == AF_INET ? ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port)
                                      : ntohs(reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  };
  const int copy = caller.Copy(DescriptorOf(call.args[0]));
  if (copy < 0) {
    untold_ += errno == EPERM ? 1 : 0;
    return;
  }
  const auto domain = static_cast<uint32_t>(Option(copy, SOL_SOCKET, SO_DOMAIN));
  const auto type = static_cast<uint32_t>(Option(copy, SOL_SOCKET, SO_TYPE));
  // A network that a test makes for itself it shares with nobody.
  const bool shared = (domain == AF_INET || domain == AF_INET6) && type != SOCK_RAW &&
                      (within_ || NetworkOf(copy) == network_);
  uint32_t flags = port() == 0 ? uint32_t{kChosen} : 0;
  bool succeeds =
      shared && (port() == 0 || port() >= kFirstFreePort || caller.Has(CAP_NET_BIND_SERVICE));
  if (succeeds && calls_once_ && (port() == 0 || port() >= kFirstFreePort)) {
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
    Begin(NameType::kSocket, kBound)
        .U32(domain)
        .U32(type)
        .U32(protocol)
        .U32(flags)
        .Bytes(&bound, size);
    TellRecord();
  }
  close(copy);
}

void Auditor::LookAtKey(const char* type, uint64_t key, uint64_t flags, bool exists) {
  const bool makes = (flags & IPC_CREAT) != 0;
  const bool exclusive = makes && (flags & IPC_EXCL) != 0;
  if (exists ? exclusive : !makes && !within_) {
    return;  // it will fail
  }
  Begin(NameType::kSysv, Opening(exists || !makes, exclusive))
      .Bytes(type, strlen(type))
      .U32(static_cast<uint32_t>(key));
  TellRecord();
}

void Auditor::LookAtQueue(const Caller& caller, uint64_t name, int flags) {
  char text[NAME_MAX + 1];
  if (!caller.ReadString(name, text, sizeof(text))) {
    return;
  }
  bool exists = false;
  if (!within_) {
    const int queue =
        static_cast<int>(syscall(SYS_mq_open, text, O_RDONLY | O_CLOEXEC, 0, nullptr));
    exists = queue >= 0 || errno == EACCES;
    if (queue >= 0) {
      close(queue);
    }
  }
  const bool makes = (flags & O_CREAT) != 0;
  const bool exclusive = makes && (flags & O_EXCL) != 0;
  if (exists ? exclusive : !makes && !within_) {
    return;
  }
  Begin(NameType::kQueue, Opening(exists || !makes, exclusive)).Bytes(text, strlen(text));
  TellRecord();
}

RecordWriter& Auditor::Begin(NameType type, uint32_t deeds) {
  record_.Clear();
  return record_.U32(static_cast<uint32_t>(type)).U32(stretch_).U32(deeds);
}

// What was told a short while ago is not told again: the runner takes each name once in a stretch.
void Auditor::TellRecord() {
  const uint64_t hash = Hash(record_.data(), record_.size());
  if (seen_ != nullptr) {
    uint64_t& seen = seen_[hash % kSeen];
    if (seen == hash) {
      return;
    }
    seen = hash;
  }
  if (told_ >= kMaxNames) {
    ++untold_;
    return;
  }
  ++told_;
  channel_.Write(Tag::kName, record_.data(), record_.size());
}

void Auditor::TellRest() {
  if (untold_ > 0) {
    stretch_ = kNoStretch;
    Begin(NameType::kUntold, 0).U32(untold_);
    channel_.Write(Tag::kName, record_.data(), record_.size());
    untold_ = 0;
  }
}

}  // namespace isolate::internal
