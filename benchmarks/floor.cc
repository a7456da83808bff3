#include "benchmarks/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace isolate::benchmarks {
namespace {

constexpr uint64_t kNamespaces =
    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;

// struct clone_args, from <linux/sched.h>, which cannot be included beside <sched.h>; as long as
// its first version (clone3(2), Linux 5.3).
struct CloneArguments {
  uint64_t flags = 0;
  uint64_t pidfd = 0;
  uint64_t child_tid = 0;
  uint64_t parent_tid = 0;
  uint64_t exit_signal = SIGCHLD;
  uint64_t stack = 0;
  uint64_t stack_size = 0;
  uint64_t tls = 0;
};

[[noreturn]] void Exit(int code) {
  for (;;) {
    syscall(SYS_exit_group, code);
  }
}

pid_t Clone(uint64_t namespaces) {
  CloneArguments arguments;
  arguments.flags = namespaces;
  return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

// 0, or what wait(2) says of one that failed.
int WaitForOne() {
  int status = 0;
  while (wait(&status) < 0) {
    if (errno != EINTR) {
      return -1;
    }
  }
  return status;
}

bool MountTmpfs(const char* path) {
  return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, nullptr) == 0 || errno == ENOENT;
}

// On its folder, or where there is none on one in the private /tmp.
bool MountQueues() {
  const char* path = "/dev/mqueue";
  if (access(path, F_OK) != 0) {
    path = "/tmp/mqueue";
    if (mkdir(path, 0755) != 0) {
      return false;
    }
  }
  return mount("mqueue", path, "mqueue", 0, nullptr) == 0;
}

bool BringLoopbackUp() {
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request = {};
  memcpy(request.ifr_name, "lo", sizeof("lo"));
  request.ifr_flags = IFF_UP;
  const bool up = ioctl(any, SIOCSIFFLAGS, &request) == 0;
  close(any);
  return up;
}

[[noreturn]] void RunSandbox() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || !MountTmpfs("/tmp") ||
      !MountTmpfs("/var/tmp") || !MountTmpfs("/dev/shm") ||
      mount("proc", "/proc", "proc", 0, nullptr) != 0 ||
      mount("sysfs", "/sys", "sysfs", 0, nullptr) != 0 || !MountQueues() || !BringLoopbackUp()) {
    Exit(1);
  }
  const pid_t test = Clone(0);
  if (test == 0) {
    Exit(0);
  }
  Exit(test > 0 && WaitForOne() == 0 ? 0 : 1);
}

bool WriteFile(const char* path, const std::string& text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(file);
  return written;
}

// As an ordinary user has to.
absl::Status EnterUserNamespace() {
  const std::string uids = absl::StrCat(getuid(), " ", getuid(), " 1\n");
  const std::string gids = absl::StrCat(getgid(), " ", getgid(), " 1\n");
  if (unshare(CLONE_NEWUSER) != 0 || !WriteFile("/proc/self/setgroups", "deny") ||
      !WriteFile("/proc/self/uid_map", uids) || !WriteFile("/proc/self/gid_map", gids)) {
    return absl::ErrnoToStatus(errno, "cannot make a user namespace");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::Duration> MeasureFork(int count) {
  const absl::Time begin = absl::Now();
  for (int i = 0; i < count; ++i) {
    const pid_t pid = fork();
    if (pid < 0) {
      return absl::ErrnoToStatus(errno, "cannot fork");
    }
    if (pid == 0) {
      Exit(0);
    }
    WaitForOne();
  }
  return (absl::Now() - begin) / count;
}

absl::StatusOr<absl::Duration> MeasureSandbox(int in_flight, int count) {
  static const auto* const kEntered =
      new absl::Status(geteuid() == 0 ? absl::OkStatus() : EnterUserNamespace());
  if (!kEntered->ok()) {
    return *kEntered;
  }
  const absl::Time begin = absl::Now();
  int failure = 0;
  for (int i = 0; i < count; ++i) {
    if (i >= in_flight) {
      failure |= WaitForOne();
    }
    const pid_t init = Clone(kNamespaces);
    if (init < 0) {
      return absl::ErrnoToStatus(errno, "cannot make the namespaces");
    }
    if (init == 0) {
      RunSandbox();
    }
  }
  for (int i = 0; i < in_flight && i < count; ++i) {
    failure |= WaitForOne();
  }
  if (failure != 0) {
    return absl::UnavailableError("a sandbox could not be set up");
  }
  return (absl::Now() - begin) / count;
}

}  // namespace isolate::benchmarks
