#include "isolate/internal/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace isolate::internal {

void Fd::Reset(int fd) {
  // close(2): the descriptor is gone even where close says EINTR or EIO, so a
  // second try could close somebody else's.
  if (fd_ >= 0) {
    close(fd_);
  }
  fd_ = fd;
}

Fd AboveStandardStreams(Fd fd) {
  if (!fd.valid() || fd.get() > STDERR_FILENO) {
    return fd;
  }
  return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

namespace {

absl::StatusOr<FdPair> OwnPair(const int (&fds)[2]) {
  FdPair pair{AboveStandardStreams(Fd(fds[0])), AboveStandardStreams(Fd(fds[1]))};
  if (!pair.ours.valid() || !pair.theirs.valid()) {
    return absl::ErrnoToStatus(errno, "cannot duplicate a descriptor");
  }
  return pair;
}

}  // namespace

absl::StatusOr<FdPair> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a pipe");
  }
  return OwnPair(fds);
}

absl::StatusOr<FdPair> MakeSeqpacketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a socket pair");
  }
  return OwnPair(fds);
}

}  // namespace isolate::internal
