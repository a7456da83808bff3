#include "tests/hosts/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sandbox/seccomp.h"

namespace isolate::hosts {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr uint32_t kAny = 0xffffffff;
constexpr int kUser = 1000;
constexpr const char* kAll = "pid,network,sys,ipc,mqueue,uts,mount";
constexpr const char* kAllOfMount = "pid,sys,mqueue,mount";

bool WriteFile(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  return file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         close(file) == 0;
}

// Enters a user and a mount namespace, as `uid` there.  With another id than 0 the rights that this
// gives go when something is executed.
bool EnterAs(int uid) {
  const uid_t outer_uid = geteuid();
  const gid_t outer_gid = getegid();
  return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && WriteFile("/proc/self/setgroups", "deny") &&
         WriteFile("/proc/self/uid_map", absl::StrCat(uid, " ", outer_uid, " 1")) &&
         WriteFile("/proc/self/gid_map", absl::StrCat(uid, " ", outer_gid, " 1")) &&
         mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0;
}

bool AsRoot() { return EnterAs(0); }
bool AsUser() { return EnterAs(kUser); }

// --- seccomp ---------------------------------------------------------------------

// As docker's default profile does without CAP_SYS_ADMIN: no namespaces, no mounts, and no clone3,
// whose flags a filter cannot see.
bool InDocker() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 9, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 7, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 6, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open_tree, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_move_mount, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kNamespaces, 0, 2),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

bool WithoutMounts() { return Install({SYS_mount, EPERM}); }

bool WithoutMoves() { return Install({SYS_move_mount, EPERM}); }

// The user namespace can be had, and the files that map its ids cannot be written.
bool WithoutMaps() {
  return EnterAs(kUser) && Install({SYS_openat, EACCES, 2, kAny, O_WRONLY | O_CLOEXEC});
}

bool WithoutSetns() { return Install({SYS_setns, ENOSYS}); }

bool WithoutCloseRange() { return Install({SYS_close_range, ENOSYS}); }

bool WithoutClone3() { return Install({SYS_clone3, ENOSYS}); }

bool WithoutHostName() { return Install({SYS_sethostname, EPERM}); }

bool WithNoNewPrivileges() { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }

// --- limits ----------------------------------------------------------------------

// The limits of a user namespace count for all below it.
bool EnterLimited(int uid, const char* kind, int limit) {
  return EnterAs(uid) &&
         WriteFile(absl::StrCat("/proc/sys/user/max_", kind, "_namespaces"), absl::StrCat(limit));
}

bool WithoutUserNamespaces() { return EnterLimited(kUser, "user", 0); }
bool WithoutNetNamespaces() { return EnterLimited(0, "net", 0); }
bool WithoutNetNamespacesAsUser() { return EnterLimited(kUser, "net", 0); }
bool WithoutPidNamespaces() { return EnterLimited(0, "pid", 0); }
bool WithoutIpcNamespaces() { return EnterLimited(kUser, "ipc", 0); }
bool WithoutUtsNamespaces() { return EnterLimited(0, "uts", 0); }
bool WithoutMountNamespaces() { return EnterLimited(0, "mnt", 0); }
bool WithoutMountNamespacesAsUser() { return EnterLimited(kUser, "mnt", 0); }
bool WithFewNetNamespaces() { return EnterLimited(kUser, "net", 40); }
bool WithFewPidNamespaces() { return EnterLimited(0, "pid", 40); }
bool WithFewUserNamespaces() { return EnterLimited(kUser, "user", 40); }

// Removes a cgroup when the calling process has ended, whatever that executes before, from a
// process outside of it.
bool RemoveAtTheEnd(const std::string& group) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  const pid_t cleaner = process < 0 ? -1 : fork();
  if (cleaner != 0) {
    close(process);
    return cleaner > 0;
  }
  // Nobody who waits for the end of a pipe of the test's waits for this.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    close(stream);
  }
  pollfd ended = {process, POLLIN, 0};
  poll(&ended, 1, -1);
  // Its last processes may need a moment to leave.
  for (int round = 0; rmdir(group.c_str()) != 0 && errno == EBUSY && round < 1000; ++round) {
    poll(nullptr, 0, 10);
  }
  _exit(0);
}

// A cgroup in which there may be two processes, of either version; for root alone.
bool WithTwoPids() {
  const bool is_first_version = access("/sys/fs/cgroup/pids", F_OK) == 0;
  const std::string group =
      absl::StrCat("/sys/fs/cgroup/", is_first_version ? "pids/" : "", "isolate-host-", getpid());
  if (mkdir(group.c_str(), 0755) != 0) {
    return false;
  }
  if (WriteFile(group + "/pids.max", "2") && RemoveAtTheEnd(group)) {
    return WriteFile(group + "/cgroup.procs", absl::StrCat(getpid()));
  }
  rmdir(group.c_str());
  return false;
}

bool WithTwelveDescriptors() {
  const rlimit limit = {12, 12};
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// Root has no such limit, not even in a user namespace where it is root outside.
bool WithOneProcess() {
  const rlimit limit = {1, 1};
  return geteuid() != 0 && setrlimit(RLIMIT_NPROC, &limit) == 0;
}

// --- file trees ------------------------------------------------------------------

// A folder of which nobody else knows.
std::string MakeFolder() {
  const char* parent = getenv("TEST_TMPDIR");
  std::string path = absl::StrCat(parent != nullptr ? parent : "/tmp", "/host-XXXXXX");
  return mkdtemp(path.data()) != nullptr ? path : "";
}

// Binds what is at `from` to a place made for it.
bool Bind(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (fs::is_symlink(from, error)) {
    fs::copy_symlink(from, to, error);
    return !error;
  }
  const bool made = fs::is_directory(from, error)
                        ? fs::create_directory(to, error)
                        : close(open(to.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0;
  return made && mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

// A root directory that is no mount, as of debootstrap and schroot, with all that there is.
bool ChangeRoot() {
  const std::string folder = MakeFolder();
  const std::string root = folder + "/root";
  if (folder.empty() || mount("tmpfs", folder.c_str(), "tmpfs", 0, "") != 0 ||
      mkdir(root.c_str(), 0755) != 0) {
    return false;
  }
  const std::string directory = fs::current_path();
  for (const auto& entry : fs::directory_iterator("/")) {
    if (!Bind(entry.path(), root / entry.path().filename())) {
      return false;
    }
  }
  return chroot(root.c_str()) == 0 && chdir(directory.c_str()) == 0;
}

bool InChroot() { return EnterAs(0) && ChangeRoot(); }
bool InChrootAsUser() { return EnterAs(kUser) && ChangeRoot(); }

bool Cover(const char* path) { return mount("tmpfs", path, "tmpfs", 0, "mode=755") == 0; }

// Gives a mount more flags than it has.
bool Remount(const char* path, unsigned long more) {
  struct statvfs now;
  if (statvfs(path, &now) != 0) {
    return false;
  }
  // What is locked must be repeated.  A table, because the MS_ constants are of an enum in some
  // versions of glibc.
  static constexpr struct {
    unsigned long status;
    unsigned long mount;
  } kFlags[] = {{ST_NOSUID, MS_NOSUID},
                {ST_NODEV, MS_NODEV},
                {ST_NOEXEC, MS_NOEXEC},
                {ST_NOATIME, MS_NOATIME},
                {ST_RELATIME, MS_RELATIME}};
  unsigned long flags = more;
  for (const auto& flag : kFlags) {
    flags |= (now.f_flag & flag.status) != 0 ? flag.mount : 0;
  }
  return mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) == 0;
}

// What a user namespace of a container's engine covers, one in it cannot uncover.
bool WithMaskedProc() {
  return EnterAs(0) && Cover("/proc/fs") &&
         mount("/proc/sys", "/proc/sys", nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
         Remount("/proc/sys", MS_RDONLY);
}
bool WithMaskedProcAsRoot() { return WithMaskedProc() && EnterAs(0); }
bool WithMaskedProcAsUser() { return WithMaskedProc() && EnterAs(kUser); }

bool WithMaskedSys() { return EnterAs(0) && Cover("/sys/kernel") && EnterAs(kUser); }

bool WithoutSysfs() { return EnterAs(0) && Cover("/sys") && EnterAs(kUser); }

// A /dev with little in it.
bool WithBareDev() {
  const std::string folder = MakeFolder();
  if (folder.empty() || !EnterAs(kUser) ||
      mount("tmpfs", folder.c_str(), "tmpfs", 0, "mode=755") != 0) {
    return false;
  }
  for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
    if (!Bind(fs::path("/dev") / name, fs::path(folder) / name)) {
      return false;
    }
  }
  return symlink("/proc/self/fd", (folder + "/fd").c_str()) == 0 &&
         mount(folder.c_str(), "/dev", nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

bool WithReadOnlyRoot() { return EnterAs(kUser) && Remount("/", MS_RDONLY); }

// A /dev without devices, as bubblewrap's binds are.
bool WithoutDevices() {
  return EnterAs(kUser) && mount("/dev", "/dev", nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
         Remount("/dev", MS_NODEV);
}

bool WithFullTmpfs() {
  const std::string folder = MakeFolder();
  if (folder.empty() || !EnterAs(kUser) ||
      mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=4k,mode=1777") != 0 ||
      setenv("TMPDIR", folder.c_str(), 1) != 0) {
    return false;
  }
  const int file = open((folder + "/full").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  return write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size()) &&
         close(file) == 0;
}

bool ThreeDeep() { return EnterAs(0) && EnterAs(0) && EnterAs(kUser); }

}  // namespace

const std::vector<Host>& Hosts() {
  static const auto* const kHosts = new std::vector<Host>{
      {"Root", AsRoot, "", "none", ""},
      {"User", AsUser, "", "none", ""},
      {"Docker", InDocker, "cannot create a user namespace: EPERM", kAll, "seccomp filter"},
      {"NoMounts", WithoutMounts, "cannot create the helper's mount namespace: EPERM", kAllOfMount,
       "seccomp filter"},
      {"NoMoves", WithoutMoves, "cannot put a path back", kAllOfMount, "seccomp filter"},
      {"NoMaps", WithoutMaps, "cannot map the user and group ids into the user namespace: EACCES",
       kAll, "seccomp filter"},
      {"NoSetns", WithoutSetns, "cannot join the sandbox: ENOSYS", kAll, "setns"},
      {"NoCloseRange", WithoutCloseRange, "", "none", ""},
      {"NoClone3", WithoutClone3, "", "none", ""},
      {"NoHostName", WithoutHostName, "cannot set the host name (isolate): EPERM", "uts",
       "seccomp filter"},
      {"NoNewPrivileges", WithNoNewPrivileges, "", "none", ""},
      {"NoUserNamespaces", WithoutUserNamespaces, "cannot create a user namespace: ENOSPC", kAll,
       "user.max_user_namespaces is 0"},
      {"NoNetNamespaces", WithoutNetNamespaces,
       "cannot create the sandbox's namespaces (network): ENOSPC", "network,sys",
       "user.max_net_namespaces is 0"},
      {"NoNetNamespacesForUser", WithoutNetNamespacesAsUser,
       "cannot create the sandbox's namespaces (network): ENOSPC", "network,sys",
       "user.max_net_namespaces is 0"},
      {"NoPidNamespaces", WithoutPidNamespaces,
       "cannot create the sandbox's namespaces (pid): ENOSPC", "pid",
       "user.max_pid_namespaces is 0"},
      {"NoIpcNamespaces", WithoutIpcNamespaces,
       "cannot create the sandbox's namespaces (ipc): ENOSPC", "ipc,mqueue",
       "user.max_ipc_namespaces is 0"},
      {"NoUtsNamespaces", WithoutUtsNamespaces,
       "cannot create the sandbox's namespaces (uts): ENOSPC", "uts",
       "user.max_uts_namespaces is 0"},
      {"NoMountNamespaces", WithoutMountNamespaces,
       "cannot create the helper's mount namespace: ENOSPC", kAllOfMount,
       "user.max_mnt_namespaces is 0"},
      {"NoMountNamespacesForUser", WithoutMountNamespacesAsUser,
       "cannot create the helper's mount namespace: ENOSPC", kAllOfMount,
       "user.max_mnt_namespaces is 0"},
      {"FewNetNamespaces", WithFewNetNamespaces, "", "none", ""},
      {"FewPidNamespaces", WithFewPidNamespaces, "", "none", ""},
      {"FewUserNamespaces", WithFewUserNamespaces, "", "none", ""},
      {"TwelveDescriptors", WithTwelveDescriptors, ": EMFILE", "", "ulimit -n"},
      {"OneProcess", WithOneProcess, "cannot start the helper process: EAGAIN", "", "ulimit -u"},
      {"TwoPids", WithTwoPids, "cannot start the helper process: EAGAIN", "", "pids.max"},
      {"NoDevices", WithoutDevices, "cannot start the helper process: EACCES", "", "/dev/null"},
      {"ChrootOfRoot", InChroot, "cannot create the helper's mount namespace: EINVAL", kAllOfMount,
       "chroot"},
      {"ChrootOfUser", InChrootAsUser, "cannot create a user namespace: EPERM", kAll, "chroot"},
      {"MaskedProcOfRoot", WithMaskedProcAsRoot, "cannot mount a fresh /proc (/proc): EPERM", "pid",
       "/proc/fs"},
      {"MaskedProcOfUser", WithMaskedProcAsUser, "cannot mount a fresh /proc (/proc): EPERM", "pid",
       "/proc/fs"},
      {"MaskedSys", WithMaskedSys, "cannot mount a fresh /sys (/sys): EPERM", "sys", "/sys/kernel"},
      {"NoSysfs", WithoutSysfs, "cannot mount a fresh /sys (/sys): EPERM", "sys", "/sys"},
      {"BareDev", WithBareDev, "", "none", ""},
      {"ReadOnlyRoot", WithReadOnlyRoot, "", "none", ""},
      {"FullTmpfs", WithFullTmpfs, "", "none", ""},
      {"ThreeDeep", ThreeDeep, "", "none", ""},
  };
  return *kHosts;
}

bool CanBeMadeReal(const Host& host) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(host.live() ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace isolate::hosts
