#ifndef TESTS_LEAKS_LOAD_H_
#define TESTS_LEAKS_LOAD_H_

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace isolate {

// As many processes as there are processors that do nothing but be busy.
class Load {
 public:
  Load() {
    for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); ++i) {
      const pid_t parent = getpid();
      pids_.push_back(fork());
      if (pids_.back() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent) {
        }
        _exit(0);
      }
    }
  }
  ~Load() {
    for (const pid_t pid : pids_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  std::vector<pid_t> pids_;
};

}  // namespace isolate

#endif  // TESTS_LEAKS_LOAD_H_
