#include "isolate/internal/restrictions.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/id_map.h"
#include "isolate/internal/mount_info.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/signals.h"

namespace isolate::internal {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// --- system calls ------------------------------------------------------------------

constexpr long kSysMountSetattr = 442;  // the same on every architecture

constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// A call whose arguments are wrong in such a way that the kernel gives one certain errno, whoever
// asks, and changes nothing.  Another errno is that of a filter, which comes before the kernel.
struct Probe {
  const char* name;
  int expected;
  bool needs_rights;  // CAP_SYS_ADMIN: without it the kernel does not come to look at the arguments
  long (*call)();
};

constexpr Probe kProbes[] = {
    {"clone", EINVAL, false,
     [] { return syscall(SYS_clone, kNamespaces | CLONE_SIGHAND | SIGCHLD, 0L, 0L, 0L, 0L); }},
    {"clone3", EINVAL, false, [] { return syscall(SYS_clone3, nullptr, 0L); }},
    {"unshare", EINVAL, false, [] { return syscall(SYS_unshare, kNamespaces | 1); }},
    {"setns", EBADF, false, [] { return syscall(SYS_setns, -1L, 0L); }},
    {"pidfd_open", EINVAL, false, [] { return syscall(SYS_pidfd_open, 0L, 0L); }},
    {"mount", EFAULT, false, [] { return syscall(SYS_mount, 0L, 0L, 0L, 0L, 0L); }},
    {"mount", EFAULT, false, [] { return syscall(SYS_mount, 0L, 0L, 0L, MS_REC | MS_SLAVE, 0L); }},
    {"mount", EFAULT, false, [] { return syscall(SYS_mount, 0L, 0L, 0L, MS_BIND, 0L); }},
    {"mount", EFAULT, false,
     [] { return syscall(SYS_mount, 0L, 0L, 0L, MS_NOSUID | MS_NODEV, 0L); }},
    {"mount", EFAULT, false,
     [] { return syscall(SYS_mount, 0L, 0L, 0L, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0L); }},
    {"umount2", EFAULT, false, [] { return syscall(SYS_umount2, 0L, MNT_DETACH); }},
    {"open_tree", EFAULT, false, [] { return syscall(SYS_open_tree, -1L, 0L, 0L); }},
    {"move_mount", EINVAL, true, [] { return syscall(SYS_move_mount, -1L, 0L, -1L, 0L, -1L); }},
    {"mount_setattr", EINVAL, false, [] { return syscall(kSysMountSetattr, -1L, 0L, 0L, 0L, 0L); }},
    {"sethostname", EINVAL, true, [] { return syscall(SYS_sethostname, 0L, -1L); }},
    {"capset", EFAULT, false, [] { return syscall(SYS_capset, 0L, 0L); }},
    {"openat", EFAULT, false,
     [] { return syscall(SYS_openat, AT_FDCWD, 0L, O_WRONLY | O_CLOEXEC); }},
};

// In a process of its own, as a filter may kill: writes an errno for each probe.
[[noreturn]] void TryProbes(int answers, bool may_administer) {
  // The rights for those that need them; of a child of ours they mean nothing to anybody.
  may_administer = unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) == 0 || may_administer;
  for (const Probe& probe : kProbes) {
    int error = probe.expected;
    if (!probe.needs_rights || may_administer) {
      error = probe.call() < 0 ? errno : 0;
    }
    if (raw::WriteAll(answers, &error, sizeof(error)) != 0) {
      raw::Exit(1);
    }
  }
  raw::Exit(0);
}

std::vector<FilteredCall> FindFiltered(bool may_administer) {
  FdPair answers = MakePipe();
  if (!answers.valid()) {
    return {};
  }
  const ScopedSignalBlock block;
  const pid_t child = raw::Clone(0);
  if (child < 0) {
    return {};
  }
  if (child == 0) {
    TryProbes(answers.theirs.get(), may_administer);
  }
  answers.theirs.Reset();
  std::vector<FilteredCall> filtered;
  for (const Probe& probe : kProbes) {
    int error = 0;
    const bool answered = read(answers.ours.get(), &error, sizeof(error)) == sizeof(error);
    const bool known = !filtered.empty() && filtered.back().name == probe.name;
    if ((!answered || error != probe.expected) && !known) {
      filtered.push_back({probe.name, error});
    }
    if (!answered) {
      break;
    }
  }
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return filtered;
}

// --- files ---------------------------------------------------------------------------

// What follows "NAME:" in /proc/self/status.
std::string StatusField(absl::string_view status, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, ":")) {
      return std::string(absl::StripAsciiWhitespace(line));
    }
  }
  return "";
}

std::map<std::string, int64_t> FindSysctls() {
  std::map<std::string, int64_t> sysctls;
  for (const char* name :
       {"user.max_user_namespaces", "user.max_pid_namespaces", "user.max_net_namespaces",
        "user.max_ipc_namespaces", "user.max_uts_namespaces", "user.max_mnt_namespaces",
        "user.max_cgroup_namespaces", "user.max_time_namespaces",
        "kernel.unprivileged_userns_clone", "kernel.apparmor_restrict_unprivileged_userns"}) {
    const std::string text =
        ReadFile(absl::StrCat("/proc/sys/", absl::StrReplaceAll(name, {{".", "/"}})));
    int64_t value = 0;
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &value)) {
      sysctls[name] = value;
    }
  }
  return sysctls;
}

// Mounts that belong below /proc and /sys, and lie on folders in which nothing else ever is, so
// that they hide nothing.
bool HidesNothing(absl::string_view type) {
  static constexpr std::array<absl::string_view, 15> kTypes = {
      "autofs",   "binfmt_misc", "bpf",        "cgroup",    "cgroup2",
      "configfs", "debugfs",     "efivarfs",   "fusectl",   "nfsd",
      "pstore",   "resctrl",     "securityfs", "selinuxfs", "tracefs"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

std::vector<std::string> Covered(const std::vector<MountInfo>& mounts, absl::string_view folder,
                                 absl::string_view type) {
  std::vector<MountInfo> hiding;
  std::string top;
  for (const MountInfo& mount : mounts) {
    if (mount.mount_point == folder) {
      top = mount.type;
    } else if (!HidesNothing(mount.type) && mount.mount_point != "/sys/fs/cgroup") {
      hiding.push_back(mount);
    }
  }
  if (top != type) {
    return {std::string(folder)};
  }
  return OuterMountsUnder(hiding, folder);
}

std::string FindContainer() {
  if (access("/.dockerenv", F_OK) == 0) {
    return "docker";
  }
  if (access("/run/.containerenv", F_OK) == 0) {
    return "podman";
  }
  if (getenv("KUBERNETES_SERVICE_HOST") != nullptr) {
    return "kubernetes";
  }
  const char* name = getenv("container");  // of systemd-nspawn, lxc and others
  return name == nullptr ? "" : *name == '\0' ? "container" : name;
}

int64_t LimitOf(decltype(RLIMIT_NPROC) resource) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return -1;
  }
  return static_cast<int64_t>(limit.rlim_cur);
}

// The lowest pids.max of the cgroup and of those around it, of either version.
int64_t FindMaxPids() {
  int64_t lowest = -1;
  for (const absl::string_view line :
       absl::StrSplit(ReadFile("/proc/self/cgroup"), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3 || (!fields[1].empty() && fields[1] != "pids")) {
      continue;
    }
    const std::string root = fields[1].empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
    for (std::string group = fields[2]; !group.empty();
         group.resize(std::min(group.rfind('/'), group.size()))) {
      int64_t limit = 0;
      if (absl::SimpleAtoi(absl::StripAsciiWhitespace(ReadFile(
                               absl::StrCat(root, group == "/" ? "" : group, "/pids.max"))),
                           &limit)) {
        lowest = lowest < 0 ? limit : std::min(lowest, limit);
      }
    }
  }
  return lowest;
}

}  // namespace

Restrictions FindRestrictions() {
  Restrictions found;
  const std::string status = ReadFile("/proc/self/status");
  found.uid = geteuid();
  (void)absl::SimpleHexAtoi(StatusField(status, "CapEff"), &found.capabilities);
  found.may_administer = (found.capabilities >> CAP_SYS_ADMIN & 1) != 0;
  found.no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  (void)absl::SimpleAtoi(StatusField(status, "Seccomp"), &found.seccomp_mode);
  // Without /proc it is not known whether there is a filter.
  if (found.seccomp_mode != 0 || status.empty()) {
    found.filtered = FindFiltered(found.may_administer);
  }
  found.security_label = std::string(absl::StripAsciiWhitespace(absl::StrReplaceAll(
      ReadFile("/proc/self/attr/current"), {{absl::string_view("\0", 1), ""}})));
  const std::vector<std::string> map =
      absl::StrSplit(ReadFile("/proc/self/uid_map"), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  found.in_user_namespace = map != std::vector<std::string>{"0", "0", "4294967295"};
  found.own_ids_mapped = status.empty() || (HasId(ReadFile("/proc/self/uid_map"), geteuid()) &&
                                            HasId(ReadFile("/proc/self/gid_map"), getegid()));
  found.container = FindContainer();
  found.sysctls = FindSysctls();
  const std::vector<MountInfo> mounts = ParseMountInfo(ReadFile("/proc/self/mountinfo"));
  found.in_chroot = !mounts.empty() &&
                    std::none_of(mounts.begin(), mounts.end(),
                                 [](const MountInfo& mount) { return mount.mount_point == "/"; });
  found.covered_proc = Covered(mounts, "/proc", "proc");
  found.covered_sys = Covered(mounts, "/sys", "sysfs");
  found.has_null_device = Fd(open("/dev/null", O_RDWR | O_CLOEXEC)).valid() || errno == EMFILE;
  found.max_processes = LimitOf(RLIMIT_NPROC);
  found.max_descriptors = LimitOf(RLIMIT_NOFILE);
  found.max_pids = FindMaxPids();
  return found;
}

}  // namespace isolate::internal
