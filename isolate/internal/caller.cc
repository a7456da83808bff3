#include "isolate/internal/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "isolate/internal/directory.h"
#include "isolate/internal/raw.h"

namespace isolate::internal {
namespace {

// How many links one after another a path may lead over, at its end.
constexpr int kMaxLinks = 8;

constexpr size_t kPageSize = 4096;

// Where something is mounted or renamed anywhere on the machine while a path with ".." in it is
// resolved within a root, that has to be tried again (EAGAIN, openat2(2)).
constexpr int kMaxTries = 1000;

// Closes a descriptor at the end.
class Opened {
 public:
  explicit Opened(int descriptor) : descriptor_(descriptor) {}
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() { Reset(-1); }
  int get() const { return descriptor_; }
  bool valid() const { return descriptor_ >= 0; }
  int Release() { return std::exchange(descriptor_, -1); }
  void Reset(int descriptor) {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
    descriptor_ = descriptor;
  }

 private:
  int descriptor_;
};

// Where `absolute`, the folder is the root, also for links that are met on the way.
int OpenPath(int folder, bool absolute, const char* path, int flags) {
  if (!absolute) {
    return openat(folder, path, O_PATH | O_CLOEXEC | flags);
  }
  open_how how = {};
  how.flags = static_cast<uint64_t>(O_PATH | O_CLOEXEC | flags);
  how.resolve = RESOLVE_IN_ROOT;
  int opened;
  int tries = kMaxTries;
  do {
    opened = static_cast<int>(syscall(SYS_openat2, folder, path, &how, sizeof(how)));
  } while (opened < 0 && errno == EAGAIN && --tries > 0);
  return opened;
}

ssize_t ReadLink(const char* link, char* to, size_t size) {
  const ssize_t length = readlink(link, to, size - 1);
  if (length >= 0) {
    to[length] = '\0';
  }
  return length;
}

// No malloc for numbers, here and below.
bool ReadPathOf(int file, char* path, size_t size) {
  char link[64];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  return ReadLink(link, path, size) > 0;
}

// Where nobody makes files.
bool BelongsToKernel(const struct statfs& system) {
  return system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC;
}

// At its end they say no more than that it is a folder.
void CutSlashes(char* path) {
  for (size_t size = strlen(path); size > 1 && path[size - 1] == '/'; --size) {
    path[size - 1] = '\0';
  }
}

const char* NameIn(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

int OpenFolderOf(int base, bool absolute, const char* path, const char* name) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof(folder), "%.*s", static_cast<int>(name - path), path);
  return OpenPath(base, absolute, *folder != '\0' ? folder : ".", O_DIRECTORY);
}

// What follows a label, in the text of a file in /proc.
const char* After(const char* text, const char* label) {
  const char* found = strstr(text, label);
  return found != nullptr ? found + strlen(label) : nullptr;
}

}  // namespace

bool Caller::Read(uint64_t address, void* to, size_t size) const {
  const iovec ours = {to, size};
  const iovec theirs = {reinterpret_cast<void*>(address), size};
  return process_vm_readv(thread_, &ours, 1, &theirs, 1, 0) == static_cast<ssize_t>(size);
}

bool Caller::ReadString(uint64_t address, char* to, size_t size) const {
  // Behind its end there may be nothing: page by page, and seldom more than one.
  for (size_t read = 0; read < size;) {
    const size_t piece =
        std::min(size - read, kPageSize - static_cast<size_t>((address + read) % kPageSize));
    if (!Read(address + read, to + read, piece)) {
      return false;
    }
    if (memchr(to + read, '\0', piece) != nullptr) {
      return true;
    }
    read += piece;
  }
  errno = ENAMETOOLONG;
  return false;
}

int Caller::OpenBase(int folder, bool absolute) const {
  char path[64];
  if (absolute) {
    snprintf(path, sizeof(path), "/proc/%d/root", thread_);
  } else if (folder == AT_FDCWD) {
    snprintf(path, sizeof(path), "/proc/%d/cwd", thread_);
  } else {
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", thread_, folder);
  }
  return open(path, O_PATH | O_CLOEXEC);
}

bool Caller::Resolve(int folder, const char* path, bool follow, Place* place) const {
  char rest[PATH_MAX];
  snprintf(rest, sizeof(rest), "%s", path);
  bool absolute = rest[0] == '/';
  Opened base(OpenBase(folder, absolute));
  for (int links = 0; base.valid() && links <= kMaxLinks; ++links) {
    CutSlashes(rest);
    const Opened file(OpenPath(base.get(), absolute, rest, follow ? 0 : O_NOFOLLOW));
    if (file.valid()) {
      return TakeWhatIsThere(file.get(), place);
    }
    if (errno != ENOENT) {
      return false;
    }
    const char* const name = NameIn(rest);
    Opened above(OpenFolderOf(base.get(), absolute, rest, name));
    if (!above.valid()) {
      return false;
    }
    char target[PATH_MAX];
    const ssize_t length = follow ? readlinkat(above.get(), name, target, sizeof(target) - 1) : -1;
    if (length <= 0) {
      return TakeWhatIsMissing(above.get(), name, place);
    }
    // A link to where nothing is yet.
    snprintf(rest, sizeof(rest), "%.*s", static_cast<int>(length), target);
    absolute = rest[0] == '/';
    base.Reset(absolute ? OpenBase(AT_FDCWD, absolute) : above.Release());
  }
  return false;
}

bool Caller::TakeWhatIsThere(int file, Place* place) const {
  struct stat status;
  // Without a link it has no name any more.
  if (fstat(file, &status) != 0 || status.st_nlink == 0 ||
      !ReadPathOf(file, place->path, sizeof(place->path))) {
    return false;
  }
  place->exists = true;
  place->mode = status.st_mode;
  place->writable = MayWrite(file, status);
  return true;
}

bool Caller::TakeWhatIsMissing(int folder, const char* name, Place* place) const {
  struct stat status;
  // In a folder that was removed nothing can be made.
  if (fstat(folder, &status) != 0 || status.st_nlink == 0 ||
      !ReadPathOf(folder, place->path, sizeof(place->path))) {
    return false;
  }
  size_t size = strlen(place->path);
  size -= size == 1 ? 1 : 0;  // the root's own slash
  const size_t room = sizeof(place->path) - size;
  place->exists = false;
  place->writable = MayWrite(folder, status);
  return static_cast<size_t>(snprintf(place->path + size, room, "/%s", name)) < room;
}

// As far as modes tell; what lists of access and a security module have to add is not known.
bool Caller::MayWrite(int file, const struct stat& status) const {
  struct statfs system;
  if (fstatfs(file, &system) != 0 || (system.f_flags & ST_RDONLY) != 0 ||
      (S_ISDIR(status.st_mode) && BelongsToKernel(system))) {
    return false;
  }
  // A process's folder belongs to whom it acts for (proc(5)).
  char path[32];
  snprintf(path, sizeof(path), "/proc/%d", thread_);
  struct stat process;
  if (stat(path, &process) != 0) {
    return false;
  }
  if (process.st_uid == 0) {
    return true;
  }
  if (status.st_uid == process.st_uid) {
    return (status.st_mode & S_IWUSR) != 0;
  }
  if (status.st_gid == process.st_gid) {
    return (status.st_mode & S_IWGRP) != 0;
  }
  return (status.st_mode & S_IWOTH) != 0 ||
         ((status.st_mode & S_IWGRP) != 0 && IsInGroup(status.st_gid));
}

bool Caller::ReadStatus(char* text, size_t size) const {
  char path[32];
  snprintf(path, sizeof(path), "/proc/%d/status", thread_);
  return ReadFile(AT_FDCWD, path, text, size) > 0;
}

bool Caller::IsInGroup(gid_t group) const {
  char text[4096];
  if (!ReadStatus(text, sizeof(text))) {
    return false;
  }
  const char* list = After(text, "\nGroups:\t");
  while (list != nullptr && *list != '\n' && *list != '\0') {
    char* rest = nullptr;
    const unsigned long one = strtoul(list, &rest, 10);
    if (rest == list) {
      break;
    }
    if (one == group) {
      return true;
    }
    list = *rest == ' ' ? rest + 1 : rest;
  }
  return false;
}

bool Caller::Has(int capability) const {
  char text[4096];
  if (!ReadStatus(text, sizeof(text))) {
    return false;
  }
  const char* set = After(text, "\nCapEff:\t");
  return set != nullptr && (strtoull(set, nullptr, 16) >> capability & 1) != 0;
}

bool Caller::PathOf(int descriptor, Place* place) const {
  char link[64];
  snprintf(link, sizeof(link), "/proc/%d/fd/%d", thread_, descriptor);
  struct stat status;
  if (stat(link, &status) != 0 || status.st_nlink == 0 ||
      ReadLink(link, place->path, sizeof(place->path)) <= 0 || place->path[0] != '/') {
    return false;
  }
  place->exists = true;
  place->mode = status.st_mode;
  place->writable = true;
  return true;
}

int Caller::Copy(int descriptor) const {
  int process = raw::PidfdOpen(thread_);
  if (process < 0) {
    // Of a thread that is not the first of its process there is none before Linux 6.9.
    char text[4096];
    const char* first = ReadStatus(text, sizeof(text)) ? After(text, "\nTgid:\t") : nullptr;
    process = first != nullptr ? raw::PidfdOpen(atoi(first)) : -1;
  }
  if (process < 0) {
    return -1;
  }
  const int copy = static_cast<int>(syscall(SYS_pidfd_getfd, process, descriptor, 0));
  const int error = errno;
  close(process);
  errno = error;
  return copy;
}

ino_t Caller::PidNamespace() const {
  char path[32];
  snprintf(path, sizeof(path), "/proc/%d/ns/pid", thread_);
  struct stat status;
  return stat(path, &status) == 0 ? status.st_ino : 0;
}

}  // namespace isolate::internal
