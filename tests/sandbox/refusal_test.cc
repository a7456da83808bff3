// A kernel that refuses one system call, as a container's profile makes it:
// each step that fails is told as {step, errno}, never as a result, and leaves
// nothing behind.

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/seccomp.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

constexpr uint32_t kAny = 0xffffffff;
constexpr uint32_t kKernelFs = MS_NOSUID | MS_NODEV | MS_NOEXEC;
constexpr long kMountSetattr = 442;

void Default(Options& /*options*/) {}
void UserNamespaceToo(Options& options) { options.user_namespace = UserNamespace::kAlways; }
void NoHostName(Options& options) { options.uts_namespace = false; }
void NoPids(Options& options) { options.pid_namespace = false; }
void Clocks(Options& options) { options.time_offset = absl::Seconds(1); }
void ReadOnlyPath(Options& options) { options.read_only_paths = {"/usr"}; }

struct Case {
  const char* name;
  Refusal refusal;
  void (*set)(Options& options);
  const char* told;
};

const Case kCases[] = {
    {"ForkOfHelper",
     {SYS_clone, EAGAIN, 0, kAny, SIGCHLD},
     Default,
     "start the helper process: EAGAIN"},
    {"PidfdOfRunner", {SYS_pidfd_open, ENOSYS}, Default, "start the helper process: ENOSYS"},
    {"Unshare", {SYS_unshare, EPERM}, Default, "create a user namespace: EPERM"},
    {"UnshareOfUserNamespace",
     {SYS_unshare, EPERM, 0, CLONE_NEWUSER, CLONE_NEWUSER},
     UserNamespaceToo,
     "create a user namespace: EPERM"},
    {"UnshareHidden",
     {SYS_unshare, ENOSYS, 0, CLONE_NEWUSER, CLONE_NEWUSER},
     UserNamespaceToo,
     "create a user namespace: ENOSYS"},
    {"IdMaps",
     {SYS_openat, EACCES, 2, kAny, O_WRONLY | O_CLOEXEC},
     UserNamespaceToo,
     "map the user and group ids into the user namespace: EACCES"},
    {"UnshareOfMounts",
     {SYS_unshare, EPERM, 0, CLONE_NEWNS, CLONE_NEWNS},
     UserNamespaceToo,
     "create the helper's mount namespace: EPERM"},
    {"SlaveMounts",
     {SYS_mount, EACCES, 3, kAny, MS_REC | MS_SLAVE},
     Default,
     "create the helper's mount namespace: EACCES"},
    {"TimeNamespace",
     {SYS_unshare, EPERM, 0, CLONE_NEWTIME, CLONE_NEWTIME},
     Clocks,
     "create a time namespace: EPERM"},
    {"HostsTmpfs",
     {SYS_mount, EPERM, 3, kAny, MS_NOSUID | MS_NODEV},
     Default,
     "provide an /etc/hosts that knows the host name: EPERM"},
    {"HostsBind",
     {SYS_mount, EPERM, 3, kAny, MS_BIND},
     Default,
     "provide an /etc/hosts that knows the host name: EPERM"},
    {"HostsUnmount",
     {SYS_umount2, EPERM},
     Default,
     "provide an /etc/hosts that knows the host name: EPERM"},
    {"CloneOfNamespaces",
     {SYS_clone, EPERM, 0, CLONE_NEWPID, CLONE_NEWPID},
     Default,
     "create the sandbox's namespaces: EPERM"},
    {"CloneWithoutSpace",
     {SYS_clone, ENOSPC, 0, CLONE_NEWNET, CLONE_NEWNET},
     Default,
     "create the sandbox's namespaces: ENOSPC"},
    {"PrivateMounts",
     {SYS_mount, EACCES, 3, kAny, MS_REC | MS_PRIVATE},
     Default,
     "make mounts private: EACCES"},
    {"OpenTree",
     {SYS_open_tree, ENOSYS},
     Default,
     "hold on to a path that a tmpfs will cover: ENOSYS"},
    {"Tmpfs",
     {SYS_mount, EPERM, 3, kAny, MS_NOSUID | MS_NODEV},
     NoHostName,
     "mount a tmpfs: EPERM"},
    {"MoveMount", {SYS_move_mount, EPERM}, Default, "put a path back: EPERM"},
    {"Proc", {SYS_mount, EPERM, 3, kKernelFs, kKernelFs}, Default, "mount a fresh /proc: EPERM"},
    {"Sysfs", {SYS_mount, EPERM, 3, kKernelFs, kKernelFs}, NoPids, "mount a fresh /sys: EPERM"},
    {"ReadOnly", {kMountSetattr, EPERM}, ReadOnlyPath, "make a path read-only: EPERM"},
    {"ReadOnlyBind",
     {SYS_mount, EPERM, 3, kAny, MS_BIND | MS_REC},
     ReadOnlyPath,
     "make a path read-only: EPERM"},
    {"LoopbackSocket",
     {SYS_socket, EPERM, 0, kAny, AF_INET},
     Default,
     "bring the loopback interface up: EPERM"},
    {"LoopbackUp",
     {SYS_ioctl, EPERM, 1, kAny, SIOCSIFFLAGS},
     Default,
     "bring the loopback interface up: EPERM"},
    {"HostName", {SYS_sethostname, EPERM}, Default, "set the host name: EPERM"},
    {"PidfdOfInit", {SYS_pidfd_open, EPERM, 0, kAny, 1}, Default, "announce the sandbox: EPERM"},
    {"ForkOfJoiner",
     {SYS_vfork, EAGAIN},
     Default,
     "start the process that joins the sandbox: EAGAIN"},
    {"Setns", {SYS_setns, EPERM}, Default, "join the sandbox: EPERM"},
    {"ForkOfTest",
     {SYS_clone, EAGAIN, 0, CLONE_CHILD_SETTID | CLONE_THREAD, CLONE_CHILD_SETTID},
     Default,
     "fork into the sandbox: EAGAIN"},
    {"SetnsOfTime",
     {SYS_setns, EPERM, 1, kAny, CLONE_NEWTIME},
     Clocks,
     "join the time namespace: EPERM"},
    {"Session", {SYS_setsid, EPERM}, Default, "start a session: EPERM"},
    {"Capabilities",
     {SYS_capset, EPERM},
     UserNamespaceToo,
     "give up the user namespace's capabilities: EPERM"},
    {"Exec", {SYS_execve, EPERM}, Default, "execute the command: EPERM"},
};

class Refused : public testing::TestWithParam<Case> {
 protected:
  // Told, and what is left of it in a caller whose working directory must be
  // kept.
  static std::string Try() {
    const Folder folder;
    return InCaller([&]() -> std::string {
      Options options;
      GetParam().set(options);
      if (chdir(folder.path().c_str()) != 0) {
        return Called(-1);
      }
      const Traces before = Traces::Take();
      if (!Install(GetParam().refusal)) {
        return "no filter";
      }
      const std::string told = Told(RunCommand(options, {"touch", "ran"}));
      return absl::StrCat(told, ", left ", Left(before), List(folder.path()));
    });
  }
};

TEST_P(Refused, IsToldAsStepAndErrnoAndLeavesNothing) {
  EXPECT_EQ(Try(), absl::StrCat(GetParam().told, ", left nothing"));
}

INSTANTIATE_TEST_SUITE_P(Calls, Refused, testing::ValuesIn(kCases),
                         [](const auto& each) { return std::string(each.param.name); });

// What kills the process that is at work must not leave the caller waiting.
class Killed : public testing::TestWithParam<Case> {};

TEST_P(Killed, IsAnErrorAndNoHang) {
  const std::string told = InCaller([]() -> std::string {
    Options options;
    GetParam().set(options);
    const Traces before = Traces::Take();
    if (!Install(GetParam().refusal)) {
      return "no filter";
    }
    const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) { return 0; });
    return absl::StrCat(result.ok() ? Told(result) : "not isolated", ", left ", Left(before));
  });
  EXPECT_EQ(told, absl::StrCat(GetParam().told, ", left nothing"));
}

INSTANTIATE_TEST_SUITE_P(
    Processes, Killed,
    testing::Values(
        Case{"HelperAtUnshare",
             {SYS_unshare, kKill, 0, CLONE_NEWUSER, CLONE_NEWUSER},
             UserNamespaceToo,
             "not isolated"},
        Case{"HelperAtMounts",
             {SYS_mount, kKill, 3, kAny, MS_REC | MS_SLAVE},
             Default,
             "not isolated"},
        Case{"HelperAtClone",
             {SYS_clone, kKill, 0, CLONE_NEWPID, CLONE_NEWPID},
             Default,
             "not isolated"},
        Case{"InitAtMounts",
             {SYS_mount, kKill, 3, kAny, MS_REC | MS_PRIVATE},
             Default,
             "not isolated"},
        Case{"InitAtHostName", {SYS_sethostname, kKill}, Default, "not isolated"},
        Case{"InitAtItsEnd", {SYS_pidfd_open, kKill, 0, kAny, 1}, Default, "not isolated"},
        Case{"JoinerAtSetns", {SYS_setns, kKill}, Default, "not isolated"},
        Case{"TestAtSession", {SYS_setsid, kKill}, Default, "not isolated"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RefusedPrctl, OfTheInitIsAnErrorAndNoHang) {
  EXPECT_EQ(InCaller([]() -> std::string {
              if (!Install({SYS_prctl, EPERM, 0, kAny, PR_SET_PDEATHSIG})) {
                return "no filter";
              }
              return Told(isolate::Run({}, [](Reporter&) { return 0; }));
            }),
            "announce the sandbox: EPERM");
}

}  // namespace
}  // namespace isolate
