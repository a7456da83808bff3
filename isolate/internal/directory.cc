#include "isolate/internal/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace isolate::internal {

Directory::Directory(int at, const char* path)
    : descriptor_(openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
      owned_(true) {}

Directory::Directory(int descriptor) : descriptor_(descriptor), owned_(false) {
  lseek(descriptor, 0, SEEK_SET);
}

Directory::~Directory() {
  if (owned_ && valid()) {
    close(descriptor_);
  }
}

const char* Directory::Next() {
  for (;;) {
    if (position_ >= size_) {
      size_ = valid() ? syscall(SYS_getdents64, descriptor_, buffer_, sizeof(buffer_)) : 0;
      position_ = 0;
      if (size_ <= 0) {
        size_ = 0;
        return nullptr;
      }
    }
    const auto* entry = reinterpret_cast<const dirent64*>(buffer_ + position_);
    position_ += entry->d_reclen;
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      return entry->d_name;
    }
  }
}

int Directory::NextNumber() {
  while (const char* name = Next()) {
    int number = 0;
    const char* digit = name;
    for (; *digit >= '0' && *digit <= '9'; ++digit) {
      number = number * 10 + (*digit - '0');
    }
    if (*digit == '\0') {
      return number;
    }
  }
  return -1;
}

ssize_t ReadFile(int at, const char* path, char* buffer, size_t size) {
  const int file = openat(at, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return -1;
  }
  size_t taken = 0;
  ssize_t got;
  while (taken + 1 < size) {
    got = read(file, buffer + taken, size - 1 - taken);
    if (got <= 0) {
      break;
    }
    taken += static_cast<size_t>(got);
  }
  buffer[taken] = '\0';
  close(file);
  return static_cast<ssize_t>(taken);
}

}  // namespace isolate::internal
