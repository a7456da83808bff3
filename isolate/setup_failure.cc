#include "isolate/setup_failure.h"

#include <errno.h>
#include <string.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/isolation.h"

namespace isolate {
namespace {

constexpr absl::string_view kPayloadUrl = "isolate/setup_failure";

struct StepText {
  Step step;
  absl::string_view name;
};

constexpr StepText kSteps[] = {
    {Step::kForkHelper, "start the helper process"},
    {Step::kUserNamespace, "create a user namespace"},
    {Step::kIdMaps, "map the user and group ids into the user namespace"},
    {Step::kTimeNamespace, "create a time namespace"},
    {Step::kHelperMounts, "create the helper's mount namespace"},
    {Step::kHostsFile, "provide an /etc/hosts that knows the host name"},
    {Step::kCloneInit, "create the sandbox's namespaces"},
    {Step::kPrivateMounts, "make mounts private"},
    {Step::kKeepPath, "hold on to a path that a tmpfs will cover"},
    {Step::kMountTmpfs, "mount a tmpfs"},
    {Step::kCopyFolder, "cover a folder with a copy of itself"},
    {Step::kRestorePath, "put a path back"},
    {Step::kMountProc, "mount a fresh /proc"},
    {Step::kMountSysfs, "mount a fresh /sys"},
    {Step::kMountMqueue, "mount a fresh /dev/mqueue"},
    {Step::kReadOnlyPath, "make a path read-only"},
    {Step::kLoopback, "bring the loopback interface up"},
    {Step::kHostname, "set the host name"},
    {Step::kAnnounce, "announce the sandbox"},
    {Step::kForkJoiner, "start the process that joins the sandbox"},
    {Step::kJoin, "join the sandbox"},
    {Step::kRootDirectory, "change to the sandbox's root directory"},
    {Step::kForkTest, "fork into the sandbox"},
    {Step::kJoinTime, "join the time namespace"},
    {Step::kSession, "start a session"},
    {Step::kWorkingDirectory, "go back to the working directory"},
    {Step::kStandardStreams, "set up stdin, stdout and stderr"},
    {Step::kAuditFilter, "have the names that are used recorded"},
    {Step::kCapabilities, "give up the user namespace's capabilities"},
    {Step::kMemoryLimit, "limit the memory"},
    {Step::kExec, "execute the command"},
};

bool CreatesNamespaces(Step step) {
  return step == Step::kUserNamespace || step == Step::kTimeNamespace ||
         step == Step::kHelperMounts || step == Step::kCloneInit;
}

bool Mounts(Step step) {
  switch (step) {
    case Step::kPrivateMounts:
    case Step::kKeepPath:
    case Step::kMountTmpfs:
    case Step::kCopyFolder:
    case Step::kRestorePath:
    case Step::kMountProc:
    case Step::kMountSysfs:
    case Step::kMountMqueue:
    case Step::kReadOnlyPath:
    case Step::kHostsFile:
      return true;
    default:
      return false;
  }
}

bool Forks(Step step) {
  return step == Step::kForkHelper || step == Step::kForkJoiner || step == Step::kForkTest;
}

bool Refused(int error) { return error == EPERM || error == EACCES; }

// More of it, or another moment, would do.
bool IsLackOfRoom(int error) {
  return error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOMEM ||
         error == ETOOMANYREFS;
}

// Something was killed, or the caller or its options are wrong.
bool IsNoRefusal(const SetupFailure& failure) {
  switch (failure.error) {
    case EBADF:
    case EINTR:
    case EIO:
    case ESRCH:
      return true;
    case ENOENT:
    case ENOTDIR:
    case EINVAL:
      return failure.step == Step::kMountTmpfs || failure.step == Step::kKeepPath;
    default:
      return IsLackOfRoom(failure.error);
  }
}

Isolations Kind(Isolation kind) {
  Isolations kinds;
  Add(kind, kinds);
  return kinds;
}

// The most telling explanation first: step and errno, then the errno alone.
Explanation Explain(const SetupFailure& failure) {
  const Step step = failure.step;
  const int error = failure.error;
  if (error == ENOSYS) {
    return {"The kernel does not have this system call, or a seccomp filter hides it.",
            step == Step::kReadOnlyPath
                ? "Use Linux 5.12 or later; in a container, allow mount_setattr in the seccomp "
                  "profile."
                : "Use Linux 5.8 or later; in a container, allow clone, unshare, setns, mount, "
                  "open_tree and move_mount in the seccomp profile."};
  }
  if (step == Step::kExec) {
    return {
        error == ENOENT ? "There is no such program." : "The kernel would not execute the program.",
        "Check the command's path and its permissions; a path under a private folder such as "
        "/tmp must be named as an extra path."};
  }
  if (step == Step::kHelperMounts && error == EINVAL) {
    return {"The root directory is no mount, as that of a chroot.",
            "Make it a mount before the chroot (mount --bind DIR DIR), or change the root with "
            "pivot_root, as bubblewrap and systemd-nspawn do."};
  }
  if (step == Step::kUserNamespace && Refused(error)) {
    return {"This user may not create user namespaces here.",
            "Allow them (sysctl kernel.unprivileged_userns_clone=1, or "
            "kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu, or a seccomp profile that "
            "permits unshare), or run as root."};
  }
  if (CreatesNamespaces(step) && (error == ENOSPC || error == EUSERS)) {
    return {"A limit on the number of namespaces is reached.",
            "Raise the limits under /proc/sys/user/max_*_namespaces, or run fewer jobs."};
  }
  if (step == Step::kIdMaps && Refused(error)) {
    return {
        "The user namespace was created, but its ids may not be mapped; AppArmor on Ubuntu "
        "24.04 and later does this.",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root."};
  }
  if (step == Step::kCloneInit && Refused(error)) {
    return {
        "Creating namespaces is not permitted: CAP_SYS_ADMIN is missing, or a seccomp filter "
        "or security module refuses.",
        "In a container, run it with a seccomp profile that permits clone and unshare, or with "
        "--privileged."};
  }
  if (step == Step::kMountProc && Refused(error)) {
    return {
        "The kernel refuses a fresh /proc in a user namespace where parts of the visible /proc "
        "are covered, as containers do.",
        "Run the container with an unmasked /proc (docker: --security-opt "
        "systempaths=unconfined), or as root with CAP_SYS_ADMIN."};
  }
  if (Mounts(step) && Refused(error)) {
    return {
        "Mounting is not permitted here, although the mount namespace could be had; a seccomp "
        "filter or a security module refuses.",
        "In a container, permit mount, open_tree and move_mount; with AppArmor, use a profile "
        "that allows mounts."};
  }
  if (step == Step::kCopyFolder && (error == ENODEV || error == EINVAL)) {
    return {
        "The kernel has no overlayfs, or does not let this user mount one (Linux 5.11), or not "
        "over a "
        "folder in which something else is mounted.",
        "Do without a copy of the caller's files."};
  }
  if (step == Step::kMountTmpfs && error == ENOENT) {
    return {"The folder does not exist.",
            "Create it, or point TEST_TMPDIR and TMPDIR at a folder that exists."};
  }
  if (step == Step::kMountTmpfs && error == ENOTDIR) {
    return {"A tmpfs can be mounted on a folder only, and this is none.",
            "Point TEST_TMPDIR and TMPDIR at a folder."};
  }
  if (step == Step::kMountTmpfs && error == EINVAL) {
    return {
        "The kernel refused the place or the options; /, /dev, /proc and /sys cannot be private.",
        "Point TEST_TMPDIR and TMPDIR at another folder, and check the size limit."};
  }
  if ((step == Step::kKeepPath || step == Step::kReadOnlyPath) && error == ENOENT) {
    return {"The path does not exist.", "Name a path that exists."};
  }
  if (step == Step::kWorkingDirectory && error == ENOENT) {
    return {
        "The working directory is not visible in the sandbox: it lies under a folder that the "
        "sandbox makes private.",
        "Run in another folder, or name it as an extra writable path."};
  }
  if (step == Step::kWorkingDirectory && error == EACCES) {
    return {"The working directory's path leads through a folder that this user may not enter.",
            "Run in another folder."};
  }
  if (error == EBADF) {
    return {"The program closed a descriptor of isolate's.",
            "Let it close only descriptors that it opened."};
  }
  if (step == Step::kHostname && error == EINVAL) {
    return {"The host name is too long for the kernel.", "Give one of at most 64 characters."};
  }
  if (step == Step::kLoopback && Refused(error)) {
    return {
        "The loopback interface may not be brought up, although the network namespace could be "
        "had; a security module refuses.",
        "Allow CAP_NET_ADMIN in user namespaces (AppArmor on Ubuntu: "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0), or run as root."};
  }
  if (step == Step::kJoin && Refused(error)) {
    return {
        "The sandbox may not be joined: the process has fewer rights than when its sandboxes "
        "were made, or a seccomp filter refuses setns.",
        "Do not drop privileges between the set-up and the run; in a container, permit setns."};
  }
  if (step == Step::kAuditFilter && error == EBUSY) {
    return {
        "Somebody around this program records its system calls already, in the one way that there "
        "is (a seccomp filter with a listener), as isolate does in a sandbox of its own.",
        "Record names in the outer run or in the inner one, and not in both."};
  }
  if (step == Step::kAuditFilter && (Refused(error) || error == EINVAL)) {
    return {
        "The kernel does not let this process have its system calls looked at (seccomp(2), Linux "
        "5.5): CAP_SYS_ADMIN is missing, or a seccomp filter refuses.",
        "Do without the record of names, or permit seccomp."};
  }
  if (Forks(step) || step == Step::kCloneInit) {
    if (error == EAGAIN) {
      return {"No more processes may be created: the limit on processes is reached.",
              "Raise ulimit -u or the cgroup's pids.max, or run fewer jobs."};
    }
  }
  if (step == Step::kMemoryLimit && error == ENOMEM) {
    return {
        "The process has more memory already; with AddressSanitizer or ThreadSanitizer it always "
        "does.",
        "Give a higher limit, or none; AddressSanitizer has one of its own (hard_rss_limit_mb)."};
  }
  if (error == ENOMEM) {
    return {"There is not enough memory.", "Run fewer jobs, or give the machine more memory."};
  }
  if (error == ETOOMANYREFS) {
    return {"Too many descriptors of this user's processes are on their way over sockets.",
            "Raise ulimit -n, or run fewer jobs."};
  }
  if (error == EMFILE || error == ENFILE) {
    return {"No more files may be opened.", "Raise ulimit -n, or run fewer jobs."};
  }
  if (error == ENOSPC) {
    return {"There is no space, or a limit of the kernel is reached.",
            "Free space, or raise the limits under /proc/sys/user and /proc/sys/fs."};
  }
  return {"The kernel refused this step.",
          "Look the errno up in the manual page of the system call; docs/troubleshooting.md lists "
          "the hosts that are known to refuse."};
}

}  // namespace

absl::string_view StepName(Step step) {
  for (const StepText& text : kSteps) {
    if (text.step == step) {
      return text.name;
    }
  }
  return "take an unknown step";
}

bool IsStep(int value) {
  for (const StepText& text : kSteps) {
    if (static_cast<int>(text.step) == value) {
      return true;
    }
  }
  return false;
}

std::string Meaning(const SetupFailure& failure) { return Explain(failure).meaning; }

std::string Remedy(const SetupFailure& failure) { return Explain(failure).remedy; }

Isolations RefusedBy(const SetupFailure& failure, const Isolations& asked_for) {
  if (IsNoRefusal(failure)) {
    return {};
  }
  Isolations kinds;
  switch (failure.step) {
    case Step::kUserNamespace:
    case Step::kIdMaps:
    case Step::kJoin:
    case Step::kCapabilities:
      return asked_for;  // what each of them needs
    case Step::kCloneInit:
      kinds = IsolationsNamed(failure.detail).value_or(Isolations());
      break;
    case Step::kHostname:
      kinds = Kind(Isolation::kUts);
      break;
    case Step::kLoopback:
      kinds = Kind(Isolation::kNetwork);
      break;
    case Step::kMountProc:
      kinds = Kind(Isolation::kPid);
      break;
    case Step::kMountSysfs:
      kinds = Kind(Isolation::kSys);
      break;
    case Step::kMountMqueue:
      kinds = Kind(Isolation::kMqueue);
      break;
    case Step::kHelperMounts:
    case Step::kHostsFile:
    case Step::kPrivateMounts:
    case Step::kKeepPath:
    case Step::kMountTmpfs:
    case Step::kCopyFolder:
    case Step::kRestorePath:
    case Step::kReadOnlyPath:
    case Step::kRootDirectory:
      kinds = Kind(Isolation::kMount);
      break;
    default:
      break;  // of no kind, but of what every sandbox needs
  }
  return WithDependents(kinds & asked_for) & asked_for;
}

absl::Status ToStatus(const SetupFailure& failure) { return ToStatus(failure, Explain(failure)); }

absl::Status ToStatus(const SetupFailure& failure, const Explanation& explanation) {
  // strerrordesc_np (glibc 2.32): strerror is not thread-safe.
  const char* description = strerrordesc_np(failure.error);
  const char* name = strerrorname_np(failure.error);
  // A damaged report may name errno 0, and that is no success either.
  absl::StatusCode code = absl::ErrnoToStatusCode(failure.error);
  if (code == absl::StatusCode::kOk) {
    code = absl::StatusCode::kUnknown;
  }
  absl::Status status(
      code, absl::StrCat("cannot ", StepName(failure.step), failure.detail.empty() ? "" : " (",
                         failure.detail, failure.detail.empty() ? "" : ")", ": ",
                         name != nullptr ? name : absl::StrCat("errno ", failure.error), " (",
                         description != nullptr ? description : "unknown error", ")\n",
                         explanation.meaning, "\n", explanation.remedy));
  status.SetPayload(kPayloadUrl, absl::Cord(absl::StrCat(static_cast<int>(failure.step), ":",
                                                         failure.error, ":", failure.detail)));
  return status;
}

absl::optional<SetupFailure> GetSetupFailure(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) {
    return absl::nullopt;
  }
  const std::string text(*payload);
  const std::vector<std::string> fields = absl::StrSplit(text, absl::MaxSplits(':', 2));
  int step = 0;
  SetupFailure failure;
  if (fields.size() != 3 || !absl::SimpleAtoi(fields[0], &step) || !IsStep(step) ||
      !absl::SimpleAtoi(fields[1], &failure.error)) {
    return absl::nullopt;
  }
  failure.step = static_cast<Step>(step);
  failure.detail = fields[2];
  return failure;
}

}  // namespace isolate
