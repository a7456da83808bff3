#ifndef ISOLATE_INTERNAL_FD_H_
#define ISOLATE_INTERNAL_FD_H_

#include <utility>
#include <vector>

namespace isolate::internal {

// Owns a file descriptor and closes it.  Every descriptor of this project is
// O_CLOEXEC from birth and stands in one of these from the expression that
// opens it.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd);
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // Gives the descriptor up without closing it.
  int Release();

  // Closes what is held, then holds `fd`.
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Every descriptor that an Fd of this process owns, in no order: what a fork that
// runs somebody else's code must not keep, whichever object it belongs to.
std::vector<int> OwnedDescriptors();

// In a fork: forgets all of them; the Fds that were copied are to be left alone.
// Takes no lock, which another thread may have held at the fork.
void DisownDescriptors();

// The two ends of a pipe or of a socket pair.
struct FdPair {
  Fd ours;    // pipe: the reading end
  Fd theirs;  // pipe: the writing end
  bool valid() const { return ours.valid(); }
};

// Both ends are above 2: a caller whose stdout is closed must not get a pipe in
// its place.  Both are invalid on failure, with errno.
FdPair MakePipe();
FdPair MakeSeqpacketPair();

// The same file at a descriptor above 2; `fd` itself if it is above already.
// Invalid on failure, with errno.
Fd AboveStandardStreams(Fd fd);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_FD_H_
