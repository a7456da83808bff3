#include "tests/sandbox/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace isolate {
namespace {

// Long enough for a sanitizer on a machine that is busy with other things.
constexpr absl::Duration kHung = absl::Minutes(1);
constexpr absl::Duration kEventually = absl::Seconds(30);

constexpr uid_t kOrdinaryUser = 54321;

constexpr int kWayBack = 900;

// What comes out of `fd` until its end; false if the end does not come.
bool ReadAll(int fd, absl::Time deadline, std::string& text) {
  for (;;) {
    pollfd ready = {fd, POLLIN, 0};
    const int left = static_cast<int>(absl::ToInt64Milliseconds(deadline - absl::Now()));
    if (left <= 0) {
      return false;
    }
    if (poll(&ready, 1, left) <= 0) {
      continue;
    }
    char buffer[4096];
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size == 0) {
      return true;
    }
    if (size > 0) {
      text.append(buffer, static_cast<size_t>(size));
    }
  }
}

// The exit code of what `body` does in a fork; -1 if it was killed.
int ExitCodeOf(absl::FunctionRef<bool()> body) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void WriteTo(const std::string& path, const std::string& text) {
  std::ofstream(path) << text << std::flush;
}

}  // namespace

std::string InCaller(absl::FunctionRef<std::string()> body) {
  int words[2];
  if (pipe2(words, O_CLOEXEC) != 0) {
    return "no pipe";
  }
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(words[0]);
    // Out of the way of a body that closes the standard streams or counts.
    const int out = fcntl(words[1], F_DUPFD_CLOEXEC, kWayBack);
    close(words[1]);
    const std::string text = body();
    for (size_t done = 0; done < text.size();) {
      const ssize_t size = write(out, text.data() + done, text.size() - done);
      if (size < 0) {
        _exit(1);
      }
      done += static_cast<size_t>(size);
    }
    fflush(nullptr);
    _exit(0);
  }
  close(words[1]);
  std::string text;
  const bool ended = ReadAll(words[0], absl::Now() + kHung, text);
  close(words[0]);
  if (!ended) {
    kill(child, SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!ended) {
    return "hung";
  }
  return WIFSIGNALED(status) ? absl::StrCat("died of SIG", sigabbrev_np(WTERMSIG(status))) : text;
}

void CloseInherited() {
  for (int fd = STDERR_FILENO + 1; fd < kWayBack; ++fd) {
    close(fd);
  }
}

// Of all that a process inherits and nobody looks at, a limit that is seen from
// outside.
void Mark() {
  rlimit limit;
  getrlimit(RLIMIT_MSGQUEUE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 400000) + static_cast<rlim_t>(getpid());
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  setrlimit(RLIMIT_MSGQUEUE, &limit);
}

std::string Marked() {
  const auto limit_of = [](const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/limits");
    for (std::string line; std::getline(file, line);) {
      if (absl::StartsWith(line, "Max msgqueue size")) {
        return line;
      }
    }
    return std::string();
  };
  const std::string own = limit_of("self");
  std::string marked;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string pid = entry.path().filename();
    if (absl::ascii_isdigit(static_cast<unsigned char>(pid[0])) && pid != absl::StrCat(getpid()) &&
        limit_of(pid) == own) {
      std::string name;
      std::getline(std::ifstream("/proc/" + pid + "/comm"), name);
      absl::StrAppend(&marked, name, " ");
    }
  }
  return marked.empty() ? "none" : marked;
}

void BecomeOrdinaryUser() {
  if (chdir("/") != 0 || setgroups(0, nullptr) != 0 ||
      setresgid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0 ||
      setresuid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0) {
    _exit(99);
  }
  // A login would have executed something after this, and been dumpable again.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  // What was root's is no place to write.
  unsetenv("TEST_TMPDIR");
  unsetenv("TMPDIR");
}

bool CanBecomeOrdinaryUser() {
  return geteuid() == 0 && ExitCodeOf([] {
                             return setgroups(0, nullptr) == 0 &&
                                    setresgid(kOrdinaryUser, kOrdinaryUser, -1) == 0 &&
                                    setresuid(kOrdinaryUser, kOrdinaryUser, -1) == 0;
                           }) == 0;
}

bool MayCreateNamespaces() {
  return ExitCodeOf([] { return unshare(CLONE_NEWNS) == 0; }) == 0;
}

bool EnterOwnNamespaces() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return false;
  }
  WriteTo("/proc/self/setgroups", "deny");
  WriteTo("/proc/self/uid_map", absl::StrCat("0 ", uid, " 1"));
  WriteTo("/proc/self/gid_map", absl::StrCat("0 ", gid, " 1"));
  return geteuid() == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0;
}

bool CanEnterOwnNamespaces() {
  return InCaller([] { return EnterOwnNamespaces() ? "yes" : "no"; }) == "yes";
}

bool Eventually(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + kEventually;
  while (!condition()) {
    if (absl::Now() > deadline) {
      return false;
    }
    poll(nullptr, 0, 1);
  }
  return true;
}

Meeting::Meeting() {
  if (pipe2(arrived_, O_CLOEXEC) != 0 || pipe2(leave_, O_CLOEXEC) != 0) {
    abort();
  }
}

Meeting::~Meeting() {
  for (const int fd : {arrived_[0], arrived_[1], leave_[0], leave_[1]}) {
    close(fd);
  }
}

void Meeting::Attend() const {
  char byte = 'x';
  if (write(arrived_[1], &byte, 1) != 1 || read(leave_[0], &byte, 1) != 1) {
    _exit(98);
  }
}

bool Meeting::Await(int guests) const {
  for (int i = 0; i < guests; ++i) {
    pollfd ready = {arrived_[0], POLLIN, 0};
    char byte;
    if (poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(kEventually))) != 1 ||
        read(arrived_[0], &byte, 1) != 1) {
      return false;
    }
  }
  return true;
}

void Meeting::Dismiss(int guests) const {
  for (int i = 0; i < guests; ++i) {
    if (write(leave_[1], "x", 1) != 1) {
      abort();
    }
  }
}

}  // namespace isolate
