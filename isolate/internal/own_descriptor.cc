#include "isolate/internal/own_descriptor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "isolate/internal/fd.h"

namespace isolate::internal {
namespace {

// How many there are in a process.
constexpr rlim_t kCount = 5;

Fd MoveOutOfTheWay(int descriptor) {
  Fd moved(fcntl(descriptor, F_DUPFD_CLOEXEC, OwnDescriptor::Places().first));
  if (!moved.valid()) {
    return Fd(descriptor);
  }
  close(descriptor);
  return moved;
}

}  // namespace

std::pair<int, int> OwnDescriptor::Places() {
  constexpr rlim_t kHighest = 1024;  // a usual limit; more would only enlarge the table
  rlimit limit;
  const rlim_t top =
      getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::min(limit.rlim_cur, kHighest) : kHighest;
  return {static_cast<int>(top - std::min(top, kCount)), static_cast<int>(top)};
}

OwnDescriptor::OwnDescriptor(int descriptor) {
  if (descriptor < 0) {
    return;
  }
  descriptor_ = MoveOutOfTheWay(descriptor);
  struct stat now;
  if (fstat(descriptor_.get(), &now) == 0) {
    device_ = now.st_dev;
    inode_ = now.st_ino;
  }
}

bool OwnDescriptor::IsOurs() const {
  struct stat now;
  return fstat(descriptor_.get(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_;
}

void OwnDescriptor::Close() {
  if (IsOurs()) {
    descriptor_.Reset();
  } else {
    descriptor_.Release();
  }
}

}  // namespace isolate::internal
