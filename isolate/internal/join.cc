#include "isolate/internal/join.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mutex>

#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"
#include "isolate/setup_failure.h"

// glibc's vfork under its second name, which the sanitizers do not intercept;
// tsan would make a fork of it.
extern "C" pid_t __vfork() __attribute__((returns_twice));

namespace isolate::internal {
namespace {

// Not by an exception either, as an at-fork handler may throw: it would unwind, in
// the joiner, the frames of the runner.
//
// The joiner never returns from here, so a sanitizer that keeps a shadow of the
// call stack in the shared memory must not see the call.
#if defined(__clang__)
__attribute__((noinline, no_sanitize("thread", "address", "undefined")))
#else
__attribute__((noinline, no_sanitize("thread"), no_sanitize("address"), no_sanitize("undefined")))
#endif
pid_t Vfork(int pidfd, int root, int namespaces, volatile Joined* joined) noexcept {
  const pid_t joiner = __vfork();
  if (joiner != 0) {
    return joiner;
  }
  // The joiner, in the runner's memory.
  if (raw::Setns(pidfd, namespaces) != 0) {
    joined->step = Step::kJoin;
    joined->error = errno;
    raw::Exit(1);
  }
  if ((namespaces & CLONE_NEWNS) != 0 && (fchdir(root) != 0 || chroot(".") != 0)) {
    joined->step = Step::kRootDirectory;
    joined->error = errno;
    raw::Exit(1);
  }
  const pid_t test = fork();
  if (test == 0) {
    // The test process, in a copy.  The joiner, who shares our memory, is no
    // thread of ours, so the kernel has registered none of its sequences.
    raw::RegisterRestartableSequence();
    return 0;
  }
  joined->pid = test;
  if (test < 0) {
    joined->step = Step::kForkTest;
    joined->error = errno;
  }
  raw::Exit(0);
}

// Makes orphans of the calling process's children its own children.
class ScopedSubreaper {
 public:
  ScopedSubreaper() {
    prctl(PR_GET_CHILD_SUBREAPER, &before_, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  }
  ~ScopedSubreaper() { prctl(PR_SET_CHILD_SUBREAPER, before_, 0, 0, 0); }
  ScopedSubreaper(const ScopedSubreaper&) = delete;
  ScopedSubreaper& operator=(const ScopedSubreaper&) = delete;

 private:
  int before_ = 0;
};

// What holds the test process back until the runner lets it go.
class Gate {
 public:
  // Above the standard streams, which the test process gets anew before it waits.
  bool Make() {
    FdPair pipe = MakePipe();
    ends_[0] = pipe.ours.Release();
    ends_[1] = pipe.theirs.Release();
    return ends_[0] >= 0;
  }

  // In the test process.  The end at which it waits.
  int Approach() {
    close(ends_[1]);
    return ends_[0];
  }

  // In the runner.
  void Open() { raw::WriteAll(ends_[1], "x", 1); }
  void Remove() {
    close(ends_[0]);
    close(ends_[1]);
  }

 private:
  int ends_[2] = {-1, -1};
};

// Forks by way of a joiner.
Joined ForkByJoiner(int pidfd, int root, int namespaces) {
  Joined joined;
  volatile Joined shared;
  // One at a time: being a subreaper is the whole process's affair.  In the
  // test process the lock is the copy of this very thread's, and given back.
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  const ScopedSubreaper subreaper;
  const pid_t joiner = Vfork(pidfd, root, namespaces, &shared);
  if (joiner == 0) {
    joined.pid = 0;
    return joined;
  }
  if (joiner < 0) {
    joined.error = errno;
    return joined;
  }
  // The test process becomes ours when the joiner has ended, and not before.
  while (waitpid(joiner, nullptr, 0) < 0 && errno == EINTR) {
  }
  joined.pid = shared.pid;
  joined.step = shared.step;
  joined.error = shared.error;
  if (joined.pid < 0 && joined.error == 0) {
    joined.error = ESRCH;  // something killed the joiner
  }
  return joined;
}

}  // namespace

Joined ForkInto(int pidfd, int root, int namespaces) {
  Joined joined;
  // Until the joiner is gone, the test process's parent is the joiner, and a
  // PR_SET_PDEATHSIG of the user's would kill.  And where the runner ignores
  // SIGCHLD, a process that ends at once leaves nothing to open a pidfd of.
  Gate gate;
  if (!gate.Make()) {
    joined.error = errno;
    return joined;
  }
  if (namespaces == 0) {
    joined.pid = fork();
    joined.step = Step::kForkTest;
    joined.error = errno;
  } else {
    joined = ForkByJoiner(pidfd, root, namespaces);
  }
  if (joined.pid == 0) {
    joined.gate = gate.Approach();
    return joined;
  }
  if (joined.pid > 0) {
    joined.process = raw::PidfdOpen(joined.pid);
    if (joined.process >= 0) {
      gate.Open();
    } else {
      joined.step = Step::kForkTest;
      joined.error = errno;
    }
  }
  gate.Remove();
  return joined;
}

void WaitAtGate(int gate) {
  const int error = errno;
  char byte;
  ssize_t size;
  do {
    size = read(gate, &byte, 1);
  } while (size < 0 && errno == EINTR);
  if (size != 1) {
    raw::Exit(1);
  }
  close(gate);
  errno = error;
}

}  // namespace isolate::internal
