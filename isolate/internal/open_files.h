#ifndef ISOLATE_INTERNAL_OPEN_FILES_H_
#define ISOLATE_INTERNAL_OPEN_FILES_H_

// For tests: which descriptors are open, and how many may be.

#include <fcntl.h>
#include <sys/resource.h>

#include <vector>

namespace isolate::internal {

inline bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

// Those of 0 to 1023; tests open no others.
inline std::vector<int> OpenFiles() {
  std::vector<int> open;
  for (int fd = 0; fd < 1024; ++fd) {
    if (IsOpen(fd)) {
      open.push_back(fd);
    }
  }
  return open;
}

// As long as it lives, no more than `more` descriptors can be opened, all of
// which are among the lowest free ones.
class ScopedFileLimit {
 public:
  explicit ScopedFileLimit(int more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    int end = 0;
    for (int left = more; left > 0 || IsOpen(end); ++end) {
      left -= IsOpen(end) ? 0 : 1;
    }
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(end);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~ScopedFileLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  ScopedFileLimit(const ScopedFileLimit&) = delete;
  ScopedFileLimit& operator=(const ScopedFileLimit&) = delete;

 private:
  rlimit before_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_OPEN_FILES_H_
