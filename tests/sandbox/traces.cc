#include "tests/sandbox/traces.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "isolate/result.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

namespace fs = std::filesystem;

pid_t ParentOf(pid_t pid) {
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  // The name, in brackets, may contain anything.
  const size_t end = stat.rfind(')');
  if (end == std::string::npos) {
    return -1;
  }
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(end), ' ');
  pid_t parent = -1;
  return fields.size() > 2 && absl::SimpleAtoi(fields[2], &parent) ? parent : -1;
}

}  // namespace

Traces Traces::Take() {
  Traces traces;
  std::error_code error;
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd", error)) {
    names.push_back(entry.path().filename());
  }
  for (const std::string& name : names) {
    // The folder's own descriptor is closed by now.
    const fs::path target = fs::read_symlink(absl::StrCat("/proc/self/fd/", name), error);
    int number;
    if (!error && absl::SimpleAtoi(name, &number)) {
      traces.descriptors[number] = target.string();
    }
  }
  traces.mounts = ReadFile("/proc/self/mountinfo");
  int subreaper = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
  traces.subreaper = absl::StrCat(subreaper);
  traces.mask = StatusLine("SigBlk");
  return traces;
}

std::string Left(const Traces& before) {
  std::string left;
  const Traces now = Traces::Take();
  for (const auto& [number, target] : now.descriptors) {
    const auto was = before.descriptors.find(number);
    if (was == before.descriptors.end() || was->second != target) {
      absl::StrAppend(&left, "descriptor ", number, " to ", target, "; ");
    }
  }
  for (const auto& [number, target] : before.descriptors) {
    if (now.descriptors.count(number) == 0) {
      absl::StrAppend(&left, "lost descriptor ", number, " to ", target, "; ");
    }
  }
  if (now.mounts != before.mounts) {
    absl::StrAppend(&left, "mounts:\n", now.mounts, "; ");
  }
  if (now.subreaper != before.subreaper) {
    absl::StrAppend(&left, "it is a subreaper; ");
  }
  if (now.mask != before.mask) {
    absl::StrAppend(&left, "signal mask ", now.mask, "; ");
  }
  siginfo_t child = {};
  if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0) {
    absl::StrAppend(&left, child.si_pid != 0 ? "a zombie" : "a child", "; ");
  }
  return left.empty() ? "nothing" : left;
}

Namespaces OwnNamespaces() {
  return {Inode("pid"), Inode("net"),  Inode("ipc"),   Inode("uts"),
          Inode("mnt"), Inode("user"), Inode("cgroup")};
}

std::vector<pid_t> Descendants(pid_t ancestor) {
  std::map<pid_t, pid_t> parents;
  for (const pid_t pid : ProcessesInProc()) {
    parents[pid] = ParentOf(pid);
  }
  std::vector<pid_t> descendants;
  for (const auto& [pid, parent] : parents) {
    pid_t at = pid;
    while (parents.count(at) != 0 && at != ancestor && at > 0) {
      at = parents[at];
    }
    if (at == ancestor && pid != ancestor) {
      descendants.push_back(pid);
    }
  }
  return descendants;
}

std::string NameOf(pid_t pid) {
  return std::string(
      absl::StripTrailingAsciiWhitespace(ReadFile(absl::StrCat("/proc/", pid, "/comm"))));
}

int OpenPidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

std::vector<int> OpenPidfdsInSandboxes() {
  std::vector<int> pidfds;
  for (const pid_t pid : Descendants(getpid())) {
    if (!absl::StartsWith(NameOf(pid), "isolate-")) {
      pidfds.push_back(OpenPidfd(pid));
    }
  }
  return pidfds;
}

bool AllEnd(const std::vector<int>& pidfds) {
  bool all = true;
  for (const int pidfd : pidfds) {
    pollfd ended = {pidfd, POLLIN, 0};
    all = all && poll(&ended, 1, 30000) == 1;
    close(pidfd);
  }
  return all;
}

}  // namespace isolate
