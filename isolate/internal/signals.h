#ifndef ISOLATE_INTERNAL_SIGNALS_H_
#define ISOLATE_INTERNAL_SIGNALS_H_

#include <signal.h>

namespace isolate::internal {

// Blocks every signal of the calling thread, and gives it its mask back.  No
// handler of the user's may run in a process that is about to become something
// else.
class ScopedSignalBlock {
 public:
  ScopedSignalBlock() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~ScopedSignalBlock() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  ScopedSignalBlock(const ScopedSignalBlock&) = delete;
  ScopedSignalBlock& operator=(const ScopedSignalBlock&) = delete;

  // The mask that the thread had.
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_SIGNALS_H_
