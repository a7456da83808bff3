#include "isolate/internal/join.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolate/internal/raw.h"
#include "isolate/setup_failure.h"

// glibc's vfork under its second name, which the sanitizers do not intercept;
// tsan would make a fork of it.
extern "C" pid_t __vfork() __attribute__((returns_twice));

namespace isolate::internal {
namespace {

// The joiner never returns from here, so a sanitizer that keeps a shadow of the
// call stack in the shared memory must not see the call.
#if defined(__clang__)
__attribute__((noinline, no_sanitize("thread", "address", "undefined")))
#else
__attribute__((noinline, no_sanitize("thread"), no_sanitize("address"), no_sanitize("undefined")))
#endif
pid_t Vfork(int pidfd, int namespaces, volatile Joined* joined) {
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
  const pid_t test = fork();
  if (test == 0) {
    return 0;  // the test process, in a copy
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

}  // namespace

Joined ForkInto(int pidfd, int namespaces) {
  Joined joined;
  if (namespaces == 0) {
    joined.pid = fork();
    joined.step = Step::kForkTest;
    joined.error = errno;
    return joined;
  }
  volatile Joined shared;
  const ScopedSubreaper subreaper;
  const pid_t joiner = Vfork(pidfd, namespaces, &shared);
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
  return joined;
}

}  // namespace isolate::internal
