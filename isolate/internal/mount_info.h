#ifndef ISOLATE_INTERNAL_MOUNT_INFO_H_
#define ISOLATE_INTERNAL_MOUNT_INFO_H_

// Reads /proc/PID/mountinfo (proc_pid_mountinfo(5)).  Pure code.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace isolate::internal {

struct MountInfo {
  std::string mount_point;  // with the octal escapes undone
  std::string type;         // the file system's, as "tmpfs"
};

// The mounts in the file's order, which is the order in which they were made.
// Lines that cannot be read are passed over.
std::vector<MountInfo> ParseMountInfo(absl::string_view text);

// The mount points strictly under `folder` that are not under another one of
// them, each once.  A file system that mounts by itself (autofs) is passed
// over, because touching it would make it mount.
std::vector<std::string> OuterMountsUnder(const std::vector<MountInfo>& mounts,
                                          absl::string_view folder);

// True if `path` is `folder` or lies in it.  Both absolute, without "." or "..".
bool IsUnder(absl::string_view path, absl::string_view folder);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_MOUNT_INFO_H_
