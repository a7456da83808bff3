#ifndef ISOLATE_INTERNAL_PROCESS_STATE_H_
#define ISOLATE_INTERNAL_PROCESS_STATE_H_

// What a test can change about its own process, beside memory, threads and descriptors, so that the
// next test in that process would find it changed.

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

namespace isolate::internal {

class ProcessState {
 public:
  // Of the calling process.  Where it has no other thread, the umask is read by setting it for a
  // moment; otherwise from /proc/self/status.  `posix_timers`: it may have some; a fork has none
  // (timer_create(2)).  Costs about 25 us, 10 of them for those timers.
  static ProcessState Capture(bool other_threads, bool posix_timers);

  struct Change {
    std::string what;  // "working directory", "umask", "variable PATH", "SIGINT", "limit NOFILE"
    std::string before;
    std::string after;
  };
  // What is another value in `after`, which was captured later in the same process.
  std::vector<Change> ChangesTo(const ProcessState& after) const;

 private:
  using Handler = void (*)(int);
  static constexpr int kLimits = RLIM_NLIMITS;

  void CompareEnvironment(const ProcessState& after, std::vector<Change>& changes) const;
  void CompareTimers(const ProcessState& after, std::vector<Change>& changes) const;

  std::string working_directory_;
  std::string host_name_;
  std::string locale_;
  mode_t umask_ = 0;
  sigset_t blocked_ = {};
  std::array<Handler, NSIG> handlers_ = {};
  std::array<rlimit, kLimits> limits_ = {};
  std::string environment_;  // "NAME=value", a NUL behind each
  std::array<bool, 3> interval_timers_ = {};
  std::string posix_timers_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_PROCESS_STATE_H_
