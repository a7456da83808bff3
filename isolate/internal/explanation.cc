#include "isolate/internal/explanation.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/internal/restrictions.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

constexpr const char* kUsernsClone = "kernel.unprivileged_userns_clone";
constexpr const char* kApparmorRestricts = "kernel.apparmor_restrict_unprivileged_userns";

bool IsRefused(int error) { return error == EPERM || error == EACCES; }

// Where it is not there it restricts nothing.
bool Is(const Restrictions& restrictions, const char* sysctl, int64_t value) {
  const auto found = restrictions.sysctls.find(sysctl);
  return found != restrictions.sysctls.end() && found->second == value;
}

// The system calls by which a step may fail.
std::vector<absl::string_view> CallsOf(Step step) {
  switch (step) {
    case Step::kForkHelper:
      return {"clone", "pidfd_open"};
    case Step::kUserNamespace:
    case Step::kTimeNamespace:
      return {"unshare"};
    case Step::kIdMaps:
      return {"openat"};
    case Step::kHelperMounts:
      return {"unshare", "mount"};
    case Step::kHostsFile:
      return {"mount", "umount2"};
    case Step::kCloneInit:
      return {"clone"};
    case Step::kPrivateMounts:
    case Step::kMountTmpfs:
    case Step::kCopyFolder:
    case Step::kMountProc:
    case Step::kMountSysfs:
    case Step::kMountMqueue:
      return {"mount"};
    case Step::kKeepPath:
      return {"open_tree"};
    case Step::kRestorePath:
      return {"open_tree", "move_mount"};
    case Step::kReadOnlyPath:
      return {"mount", "mount_setattr"};
    case Step::kHostname:
      return {"sethostname"};
    case Step::kAnnounce:
      return {"pidfd_open"};
    case Step::kJoin:
    case Step::kJoinTime:
      return {"setns"};
    case Step::kCapabilities:
      return {"capset"};
    default:
      return {};
  }
}

absl::optional<Explanation> OfAFilter(const SetupFailure& failure,
                                      const Restrictions& restrictions) {
  for (const absl::string_view call : CallsOf(failure.step)) {
    for (const FilteredCall& filtered : restrictions.filtered) {
      if (filtered.name == call && filtered.error == failure.error) {
        return Explanation{
            absl::StrCat("A seccomp filter, such as a container's, answers the system call ", call,
                         " with ", strerrorname_np(failure.error), "."),
            absl::StrCat("Run with a seccomp profile that permits ", call,
                         " and what else a sandbox needs (docker and podman: --security-opt "
                         "seccomp=unconfined).")};
      }
    }
  }
  return absl::nullopt;
}

absl::optional<Explanation> OfIds(const SetupFailure& failure, const Restrictions& restrictions) {
  if (restrictions.own_ids_mapped || failure.step != Step::kUserNamespace ||
      failure.error != EPERM) {
    return absl::nullopt;
  }
  return Explanation{
      "The caller's own uid or gid is not mapped in the user namespace that it is in, and then it "
      "may not create another one (user_namespaces(7)).",
      "Map both around this program, as unshare --map-user=ID --map-group=ID does."};
}

absl::optional<Explanation> OfAChroot(const SetupFailure& failure,
                                      const Restrictions& restrictions) {
  if (!restrictions.in_chroot) {
    return absl::nullopt;
  }
  if (failure.step == Step::kUserNamespace && IsRefused(failure.error)) {
    return Explanation{
        "The root directory is that of a chroot, in which the kernel lets nobody create a user "
        "namespace.",
        "Change the root with pivot_root, as bubblewrap and systemd-nspawn do, or run as root "
        "where the chroot is a mount (mount --bind DIR DIR before the chroot)."};
  }
  if (failure.step == Step::kHelperMounts && failure.error == EINVAL) {
    return Explanation{
        "The root directory is that of a chroot and no mount, so the mounts in it cannot be told "
        "from those outside.",
        "Make it a mount before the chroot (mount --bind DIR DIR), or change the root with "
        "pivot_root, as bubblewrap and systemd-nspawn do."};
  }
  return absl::nullopt;
}

// What a user without rights, or with those of a user namespace alone, may not do here.
absl::optional<Explanation> OfASysctl(const SetupFailure& failure,
                                      const Restrictions& restrictions) {
  if (!IsRefused(failure.error) || restrictions.may_administer) {
    return absl::nullopt;
  }
  if (failure.step == Step::kUserNamespace && Is(restrictions, kUsernsClone, 0)) {
    return Explanation{absl::StrCat(kUsernsClone, " is 0: only root may create user namespaces."),
                       absl::StrCat("sysctl ", kUsernsClone, "=1, or run as root.")};
  }
  if (Is(restrictions, kApparmorRestricts, 1)) {
    return Explanation{
        absl::StrCat(kApparmorRestricts,
                     " is 1: AppArmor lets programs without a profile of their own create a user "
                     "namespace, and takes all rights in it from them."),
        absl::StrCat("sysctl ", kApparmorRestricts,
                     "=0, or an AppArmor profile with \"userns,\" for this program, or run as "
                     "root.")};
  }
  return absl::nullopt;
}

// The names in user.max_NAME_namespaces of what a step creates.
std::vector<std::string> LimitsOf(const SetupFailure& failure) {
  switch (failure.step) {
    case Step::kUserNamespace:
      return {"user"};
    case Step::kTimeNamespace:
      return {"time"};
    case Step::kHelperMounts:
      return {"mnt"};
    case Step::kCloneInit: {
      std::vector<std::string> names = absl::StrSplit(failure.detail, ',', absl::SkipEmpty());
      std::replace(names.begin(), names.end(), std::string("network"), std::string("net"));
      std::replace(names.begin(), names.end(), std::string("mount"), std::string("mnt"));
      return names;
    }
    default:
      return {};
  }
}

absl::optional<Explanation> OfALimit(const SetupFailure& failure,
                                     const Restrictions& restrictions) {
  if (failure.error != ENOSPC && failure.error != EUSERS) {
    return absl::nullopt;
  }
  for (const std::string& name : LimitsOf(failure)) {
    const std::string sysctl = absl::StrCat("user.max_", name, "_namespaces");
    const auto limit = restrictions.sysctls.find(sysctl);
    if (limit == restrictions.sysctls.end()) {
      continue;
    }
    if (limit->second == 0) {
      return Explanation{absl::StrCat(sysctl, " is 0, so there may be none."),
                         absl::StrCat("sysctl ", sysctl, "=10000, as root where it was set to 0.")};
    }
    return Explanation{
        absl::StrCat(sysctl, " is ", limit->second,
                     ", and all of them are in use, or a user namespace around has a lower limit",
                     name == "user" ? ", or user namespaces lie more than 32 deep." : "."),
        absl::StrCat("Raise ", sysctl, ", here and around, or run fewer jobs.")};
  }
  return absl::nullopt;
}

absl::optional<Explanation> OfACover(const SetupFailure& failure,
                                     const Restrictions& restrictions) {
  const bool is_proc = failure.step == Step::kMountProc;
  if ((!is_proc && failure.step != Step::kMountSysfs) || !IsRefused(failure.error)) {
    return absl::nullopt;
  }
  const absl::string_view folder = is_proc ? "/proc" : "/sys";
  const std::vector<std::string>& covered =
      is_proc ? restrictions.covered_proc : restrictions.covered_sys;
  if (covered.empty()) {
    return absl::nullopt;
  }
  if (covered.front() == folder) {
    return Explanation{absl::StrCat("There is no whole ", folder,
                                    ", and then a user namespace may not mount a fresh one."),
                       absl::StrCat("Mount ", is_proc ? "proc" : "sysfs", " on ", folder,
                                    " around this program, or run as root with CAP_SYS_ADMIN.")};
  }
  return Explanation{
      absl::StrCat("Parts of ", folder, " are covered, as containers do (",
                   absl::StrJoin(covered, ", "),
                   "), and then a user namespace may not mount a fresh one."),
      is_proc
          ? "Run the container with an unmasked /proc (docker: --security-opt "
            "systempaths=unconfined; podman: --security-opt unmask=ALL; Kubernetes: procMount: "
            "Unmasked), or as root with CAP_SYS_ADMIN."
          : "Run the container with an unmasked /sys (podman: --security-opt unmask=ALL; docker: "
            "--security-opt systempaths=unconfined), or as root with CAP_SYS_ADMIN."};
}

absl::optional<Explanation> OfADevice(const SetupFailure& failure,
                                      const Restrictions& restrictions) {
  if (failure.step != Step::kForkHelper || restrictions.has_null_device) {
    return absl::nullopt;
  }
  return Explanation{
      "There is no /dev/null that can be opened: the file is not there, or lies on a mount without "
      "devices (nodev).",
      "Provide a /dev with the usual devices (bubblewrap: --dev /dev)."};
}

absl::optional<Explanation> OfLackOfRoom(const SetupFailure& failure,
                                         const Restrictions& restrictions) {
  if (failure.error == EMFILE && restrictions.max_descriptors >= 0) {
    return Explanation{absl::StrCat("No more files may be opened: the limit of a process is ",
                                    restrictions.max_descriptors, " (RLIMIT_NOFILE)."),
                       "Raise ulimit -n, or run fewer jobs."};
  }
  if (failure.error == EAGAIN && (restrictions.max_processes >= 0 || restrictions.max_pids >= 0)) {
    std::vector<std::string> limits;
    if (restrictions.max_processes >= 0) {
      limits.push_back(absl::StrCat(restrictions.max_processes, " of this user (ulimit -u)"));
    }
    if (restrictions.max_pids >= 0) {
      limits.push_back(absl::StrCat(restrictions.max_pids, " of the cgroup (pids.max)"));
    }
    return Explanation{absl::StrCat("No more processes may be created; the limit is ",
                                    absl::StrJoin(limits, ", and "), "."),
                       "Raise ulimit -u or the cgroup's pids.max, or run fewer jobs."};
  }
  return absl::nullopt;
}

}  // namespace

Explanation Explain(const SetupFailure& failure, const Restrictions& restrictions) {
  // A filter comes before the kernel, and a chroot before what a user may do.
  for (const auto& cause :
       {OfAFilter, OfIds, OfAChroot, OfASysctl, OfALimit, OfACover, OfADevice, OfLackOfRoom}) {
    if (absl::optional<Explanation> explanation = cause(failure, restrictions)) {
      return *explanation;
    }
  }
  return {Meaning(failure), Remedy(failure)};
}

}  // namespace isolate::internal
