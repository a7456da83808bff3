#include "isolate/internal/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace isolate::internal {

namespace {

// The descriptors that are owned now.
class Register {
 public:
  void Add(int fd) {
    const std::lock_guard<std::mutex> lock(mutex_);
    owned_.insert(fd);
  }
  void Remove(int fd) {
    const std::lock_guard<std::mutex> lock(mutex_);
    owned_.erase(fd);
  }
  std::vector<int> All() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::vector<int>(owned_.begin(), owned_.end());
  }

 private:
  // Not absl::Mutex, which without NDEBUG takes a lock of the whole program's: in a fork, another
  // thread of the runner's may hold that for ever.
  std::mutex mutex_;
  absl::flat_hash_set<int> owned_;  // under mutex_
};

// Never deleted: descriptors of static objects are closed at the very end.
std::atomic<Register*>& TheRegister() {
  static std::atomic<Register*> the_register{new Register};
  return the_register;
}

}  // namespace

std::vector<int> OwnedDescriptors() { return TheRegister().load()->All(); }

void DisownDescriptors() {
  // What is set aside stays in sight, so that it is no leak of the test's to LeakSanitizer.
  static auto* set_aside = new std::vector<Register*>;
  set_aside->push_back(TheRegister().exchange(new Register));
}

Fd::Fd(int fd) { Reset(fd); }

int Fd::Release() {
  if (fd_ >= 0) {
    TheRegister().load()->Remove(fd_);
  }
  return std::exchange(fd_, -1);
}

void Fd::Reset(int fd) {
  // close(2): the descriptor is gone even where close says EINTR or EIO, so a
  // second try could close somebody else's.
  if (const int old = Release(); old >= 0) {
    close(old);
  }
  fd_ = fd;
  if (fd_ >= 0) {
    TheRegister().load()->Add(fd_);
  }
}

Fd AboveStandardStreams(Fd fd) {
  if (!fd.valid() || fd.get() > STDERR_FILENO) {
    return fd;
  }
  return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

namespace {

FdPair OwnPair(const int (&fds)[2]) {
  FdPair pair{AboveStandardStreams(Fd(fds[0])), AboveStandardStreams(Fd(fds[1]))};
  if (!pair.ours.valid() || !pair.theirs.valid()) {
    const int error = errno;
    pair = {};
    errno = error;
  }
  return pair;
}

}  // namespace

FdPair MakePipe() {
  int fds[2];
  return pipe2(fds, O_CLOEXEC) == 0 ? OwnPair(fds) : FdPair();
}

FdPair MakeSeqpacketPair() {
  int fds[2];
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0 ? OwnPair(fds) : FdPair();
}

}  // namespace isolate::internal
