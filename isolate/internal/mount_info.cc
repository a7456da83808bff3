#include "isolate/internal/mount_info.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace isolate::internal {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// Undoes \040 and the like.
std::string Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) &&
        IsOctal(text[i + 3])) {
      out.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                      (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

std::vector<MountInfo> ParseMountInfo(absl::string_view text) {
  // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
  std::vector<MountInfo> mounts;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    const auto separator = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() > 5 && separator != fields.end() && separator + 1 != fields.end()) {
      mounts.push_back({Unescape(fields[4]), std::string(*(separator + 1))});
    }
  }
  return mounts;
}

std::vector<std::string> OuterMountsUnder(const std::vector<MountInfo>& mounts,
                                          absl::string_view folder) {
  std::vector<std::string> paths;
  for (const MountInfo& mount : mounts) {
    if (mount.type != "autofs" && mount.mount_point != folder &&
        IsUnder(mount.mount_point, folder)) {
      paths.push_back(mount.mount_point);
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> outer;
  for (std::string& path : paths) {
    // Not the last one alone: "/sys/a-b" sorts between "/sys/a" and "/sys/a/c".
    if (std::none_of(outer.begin(), outer.end(),
                     [&](const std::string& other) { return IsUnder(path, other); })) {
      outer.push_back(std::move(path));
    }
  }
  return outer;
}

bool IsUnder(absl::string_view path, absl::string_view folder) {
  return path == folder || folder == "/" ||
         (absl::StartsWith(path, folder) && path[folder.size()] == '/');
}

}  // namespace isolate::internal
