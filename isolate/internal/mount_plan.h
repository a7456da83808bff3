#ifndef ISOLATE_INTERNAL_MOUNT_PLAN_H_
#define ISOLATE_INTERNAL_MOUNT_PLAN_H_

// Which mounts make a sandbox's file tree, in order.  Computed once, in the
// runner, from the options and from what the host looks like; carried out by
// each sandbox's init.  Pure code.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {

// A folder that gets a tmpfs of its own.
struct Cover {
  std::string path;  // real: no links, no "." or ".."
  mode_t mode = 01777;
  uid_t uid = 0;
  gid_t gid = 0;
};

// A path that must stay visible although it may lie under a cover.
struct Keep {
  std::string path;  // real
  // Keeps the whole top-level entry of the covered folder: for /tmp/build/bin/test,
  // all of /tmp/build.  For programs, which need their neighbours.
  bool with_neighbours = false;
};

// What a plan depends on beside the options.
struct HostFacts {
  std::vector<Cover> covers;
  std::vector<Keep> keeps;
  std::vector<std::string> read_only_paths;  // real
  std::vector<std::string> proc_mounts;      // outermost mounts under /proc
  std::vector<std::string> sys_mounts;       // and under /sys
  bool has_mqueue_folder = false;            // /dev/mqueue
  bool may_chown = false;                    // uids other than the caller's can be given away
  uid_t uid = 0;
  gid_t gid = 0;
};

struct MountOp {
  enum class Action {
    kKeep,      // clone the tree at `path` into slot `slot`
    kTmpfs,     // mount a tmpfs on `path` with `data`
    kCopy,      // cover `path` with a copy of itself, written to a tmpfs with `data`
    kProc,      // mount proc on /proc
    kSysfs,     // mount sysfs on /sys
    kMqueue,    // mount mqueue on `path`
    kRestore,   // move the tree in slot `slot` to `path`
    kReadOnly,  // make the tree at `path` read-only
  };
  Action action;
  Step step;
  std::string path;
  std::string data;
  size_t slot = 0;
  // Nothing is wrong if it cannot be had: a mount of the host's on a file system of the kernel's
  // own that is not there, or a kMqueue that no path leads to.
  bool optional = false;
};

// The most trees that may be kept; each is a file descriptor of the init while
// it mounts.
inline constexpr size_t kMaxKept = 64;

// The entry of a cover that has to be kept so that `keep` stays visible;
// nothing if no cover hides it, or if it is itself a cover.
absl::optional<std::string> KeptEntry(const Keep& keep, const std::vector<Cover>& covers);

// All operations, in order.  Every tree is cloned before anything is covered;
// then the mounts come, parents before what lies in them.
std::vector<MountOp> PlanMounts(const Options& options, const HostFacts& facts);

// The text of an /etc/hosts that knows `hostname` and localhost beside what
// `outside` knows.
std::string HostsFile(absl::string_view outside, absl::string_view hostname);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_MOUNT_PLAN_H_
