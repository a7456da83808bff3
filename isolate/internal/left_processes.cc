#include "isolate/internal/left_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>

#include "isolate/internal/directory.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/sockets.h"

namespace isolate::internal {
namespace {

// From the kernel's <linux/sched.h>: it is on its way out, and runs no more of its own code.
constexpr unsigned kExiting = 0x4;

constexpr size_t kMaxCommand = 1024;

// The fields of /proc/PID/stat (proc(5)) that are wanted.
struct Stat {
  char state = '?';
  pid_t parent = 0;
  unsigned flags = 0;
  int threads = 0;
};

// Where only its first thread has ended, others of it go on.
bool IsAlive(const Stat& stat) {
  return stat.threads > 1 || (stat.state != 'Z' && (stat.flags & kExiting) == 0);
}

bool ReadStat(int folder, Stat* stat) {
  char text[512];
  if (ReadFile(folder, "stat", text, sizeof(text)) <= 0) {
    return false;
  }
  // The name before it may have any character in it.
  const char* rest = strrchr(text, ')');
  if (rest == nullptr || strlen(rest) < strlen(") S")) {
    return false;
  }
  char* field = const_cast<char*>(rest) + strlen(") S");
  stat->state = field[-1];
  stat->parent = static_cast<pid_t>(strtol(field, &field, 10));
  for (int between = 0; between < 4; ++between) {  // group, session, terminal, its group
    strtol(field, &field, 10);
  }
  stat->flags = static_cast<unsigned>(strtoul(field, &field, 10));
  for (int between = 0; between < 10; ++between) {  // faults, times, priority
    strtol(field, &field, 10);
  }
  stat->threads = static_cast<int>(strtol(field, nullptr, 10));
  return true;
}

// SIGKILL stands in the set of pending signals until the process has taken it.
bool IsKilled(int folder) {
  char text[4096];
  if (ReadFile(folder, "status", text, sizeof(text)) <= 0) {
    return true;
  }
  static constexpr const char* kSets[] = {"\nSigPnd:\t", "\nShdPnd:\t"};
  for (const char* label : kSets) {
    const char* set = strstr(text, label);
    if (set != nullptr && (strtoull(set + strlen(label), nullptr, 16) >> (SIGKILL - 1) & 1) != 0) {
      return true;
    }
  }
  return false;
}

// Its arguments, with spaces between; the name of its file where there are none.
size_t ReadCommand(int folder, char* text, size_t size) {
  ssize_t length = ReadFile(folder, "cmdline", text, size);
  if (length <= 0) {
    length = ReadFile(folder, "comm", text, size);
  }
  while (length > 0 && (text[length - 1] == '\0' || text[length - 1] == '\n')) {
    --length;
  }
  for (ssize_t i = 0; i < length; ++i) {
    text[i] = text[i] == '\0' || text[i] == '\n' ? ' ' : text[i];
  }
  return length > 0 ? static_cast<size_t>(length) : 0;
}

void TellProcess(int folder, pid_t pid, const Stat& stat, bool child, EvidenceWriter& evidence) {
  char command[kMaxCommand];
  const size_t length = ReadCommand(folder, command, sizeof(command));
  evidence.Begin(EvidenceType::kProcess)
      .U32(static_cast<uint32_t>(pid))
      .EndKey()
      .U32(static_cast<uint32_t>(stat.parent))
      .U32(static_cast<uint32_t>(stat.state))
      .U32(child ? 1 : 0)
      .Bytes(command, length)
      .End();
}

// Looks at its sockets by copies of its descriptors (pidfd_getfd(2), Linux 5.6).
void TellSocketsOf(pid_t pid, int folder, uint64_t network, EvidenceWriter& evidence) {
  const int process = raw::PidfdOpen(pid);
  Directory descriptors(folder, "fd");
  for (int number; process >= 0 && (number = descriptors.NextNumber()) >= 0;) {
    const int copy = static_cast<int>(syscall(SYS_pidfd_getfd, process, number, 0));
    struct stat status;
    if (copy >= 0 && fstat(copy, &status) == 0 && S_ISSOCK(status.st_mode) &&
        NetworkOf(copy) == network) {
      TellSocket(copy, pid, number, evidence);
    }
    if (copy >= 0) {
      close(copy);
    }
  }
  if (process >= 0) {
    close(process);
  }
}

int OpenProcess(pid_t pid) {
  char path[32];
  snprintf(path, sizeof(path), "/proc/%d", pid);
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace

void TellChildren(EvidenceWriter& evidence) {
  siginfo_t info;
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0) {
    return;  // ECHILD
  }
  Directory tasks(AT_FDCWD, "/proc/self/task");
  for (int task; (task = tasks.NextNumber()) >= 0;) {
    char path[64];
    char text[8192];
    snprintf(path, sizeof(path), "%d/children", task);
    if (ReadFile(tasks.descriptor(), path, text, sizeof(text)) <= 0) {
      continue;
    }
    char* rest = text;
    for (pid_t pid; (pid = static_cast<pid_t>(strtol(rest, &rest, 10))) > 0;) {
      const int folder = OpenProcess(pid);
      Stat stat;
      if (folder >= 0 && ReadStat(folder, &stat)) {
        TellProcess(folder, pid, stat, /*child=*/true, evidence);
      }
      if (folder >= 0) {
        close(folder);
      }
    }
  }
}

// The last number of /proc/loadavg is the last that was given to a process or thread in the
// reader's pid namespace (proc(5)), unless somebody with rights has chosen numbers himself
// (ns_last_pid, clone3's set_tid).  kill(2) of everybody but the caller is ESRCH where nobody is
// there, but has the kernel look at every process of the host.
bool IsAlone() {
  char text[128];
  if (ReadFile(AT_FDCWD, "/proc/loadavg", text, sizeof(text)) > 0) {
    const char* const last = strrchr(text, ' ');
    if (last != nullptr && atoi(last + 1) == getpid()) {
      return true;
    }
  }
  return kill(-1, 0) != 0 && errno == ESRCH;
}

void TellOthers(bool ports, EvidenceWriter& evidence) {
  if (IsAlone()) {
    return;
  }
  const uint64_t network = OwnNetwork();
  Directory processes(AT_FDCWD, "/proc");
  for (int pid; (pid = processes.NextNumber()) >= 0;) {
    const int folder = pid != 1 && pid != getpid() ? OpenProcess(pid) : -1;
    Stat stat;
    if (folder >= 0 && ReadStat(folder, &stat) && IsAlive(stat) && !IsKilled(folder)) {
      TellProcess(folder, pid, stat, /*child=*/false, evidence);
      if (ports && network != 0) {
        TellSocketsOf(pid, folder, network, evidence);
      }
    }
    if (folder >= 0) {
      close(folder);
    }
  }
}

}  // namespace isolate::internal
