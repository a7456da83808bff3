#include "isolate/internal/mount_plan.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/internal/mount_info.h"
#include "isolate/isolation.h"
#include "isolate/leak.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

using Action = MountOp::Action;

std::string TmpfsData(const Options& options, const HostFacts& facts, const Cover& cover) {
  std::string data = absl::StrFormat("mode=%o", cover.mode);
  // An id that is not mapped into a user namespace cannot own anything there,
  // and naming it fails the mount with EINVAL.
  if (facts.may_chown || (cover.uid == facts.uid && cover.gid == facts.gid)) {
    absl::StrAppend(&data, ",uid=", cover.uid, ",gid=", cover.gid);
  }
  if (options.tmpfs_size_bytes > 0) {
    absl::StrAppend(&data, ",size=", options.tmpfs_size_bytes);
  }
  return data;
}

// The paths without those that lie in another one with no cover between.
std::vector<std::string> Outermost(std::vector<std::string> paths,
                                   const std::vector<Cover>& covers) {
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> outer;
  for (std::string& path : paths) {
    const bool visible = std::any_of(outer.begin(), outer.end(), [&](const std::string& kept) {
      return IsUnder(path, kept) &&
             std::none_of(covers.begin(), covers.end(), [&](const Cover& cover) {
               return IsUnder(cover.path, kept) && IsUnder(path, cover.path);
             });
    });
    if (!visible) {
      outer.push_back(std::move(path));
    }
  }
  return outer;
}

bool LiesInAnother(const Cover& cover, const std::vector<Cover>& covers) {
  return std::any_of(covers.begin(), covers.end(), [&](const Cover& other) {
    return other.path != cover.path && IsUnder(cover.path, other.path);
  });
}

// Keeps the trees at `paths`, and appends to `restores` what puts them back.
void KeepAll(const std::vector<std::string>& paths, bool optional, std::vector<MountOp>& keeps,
             std::vector<MountOp>& restores) {
  for (const std::string& path : paths) {
    const size_t slot = keeps.size();
    keeps.push_back({Action::kKeep, Step::kKeepPath, path, "", slot, optional});
    restores.push_back({Action::kRestore, Step::kRestorePath, path, "", slot, optional});
  }
}

// Where no folder is meant for message queues, they are mounted where a tmpfs covers them at once,
// for whoever looks at what was left; who has none looks longer.
void HideQueues(std::vector<MountOp>& plan) {
  const auto tmpfs = std::find_if(plan.begin(), plan.end(),
                                  [](const MountOp& op) { return op.action == Action::kTmpfs; });
  if (tmpfs != plan.end()) {
    plan.insert(tmpfs, {Action::kMqueue, Step::kMountMqueue, tmpfs->path, "", 0, true});
  }
}

void Append(std::vector<MountOp>& to, std::vector<MountOp> from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

absl::optional<std::string> KeptEntry(const Keep& keep, const std::vector<Cover>& covers) {
  const Cover* innermost = nullptr;
  for (const Cover& cover : covers) {
    if (IsUnder(keep.path, cover.path) &&
        (innermost == nullptr || cover.path.size() > innermost->path.size())) {
      innermost = &cover;
    }
  }
  if (innermost == nullptr || keep.path == innermost->path) {
    return absl::nullopt;
  }
  if (!keep.with_neighbours) {
    return keep.path;
  }
  return keep.path.substr(0, keep.path.find('/', innermost->path.size() + 1));
}

std::vector<MountOp> PlanMounts(const Options& options, const HostFacts& facts) {
  if (!options.mount_namespace) {
    return {};
  }
  std::vector<std::string> kept;
  for (const Keep& keep : facts.keeps) {
    if (absl::optional<std::string> entry = KeptEntry(keep, facts.covers)) {
      kept.push_back(*std::move(entry));
    }
  }

  std::vector<MountOp> keeps;
  std::vector<MountOp> tree;
  KeepAll(Outermost(std::move(kept), facts.covers), /*optional=*/false, keeps, tree);
  // A mount of the host's under /proc or /sys (cgroup, a container's or lxcfs's
  // own files) is part of "the rest of the tree as outside".
  std::vector<MountOp> kernel;
  if (options.pid_namespace) {
    std::vector<MountOp> restores;
    KeepAll(facts.proc_mounts, /*optional=*/true, keeps, restores);
    kernel.push_back({Action::kProc, Step::kMountProc, "/proc", "", 0, false});
    Append(kernel, std::move(restores));
  }
  if (Has(IsolationOf(options), Isolation::kSys)) {
    std::vector<MountOp> restores;
    KeepAll(facts.sys_mounts, /*optional=*/true, keeps, restores);
    kernel.push_back({Action::kSysfs, Step::kMountSysfs, "/sys", "", 0, false});
    Append(kernel, std::move(restores));
  }
  const bool has_mqueue = facts.has_mqueue_folder && options.fresh_mqueue;
  if (options.ipc_namespace && has_mqueue) {
    kernel.push_back({Action::kMqueue, Step::kMountMqueue, "/dev/mqueue", "", 0, false});
  }

  std::vector<MountOp> inner_copies;
  // The innermost first: a copy hides what is mounted below it.
  std::vector<Cover> covers = facts.covers;
  std::sort(covers.begin(), covers.end(),
            [](const Cover& a, const Cover& b) { return a.path > b.path; });
  for (const Cover& cover : covers) {
    MountOp op = {
        Action::kTmpfs, Step::kMountTmpfs, cover.path, TmpfsData(options, facts, cover), 0, false};
    if (options.copy_private_folders) {
      op.action = Action::kCopy;
      op.step = Step::kCopyFolder;
    }
    if (op.action == Action::kCopy && LiesInAnother(cover, facts.covers)) {
      // A copy of the folder around it has nothing of what is mounted there.
      const size_t slot = keeps.size() + inner_copies.size() / 2;
      inner_copies.push_back(op);
      inner_copies.push_back({Action::kKeep, Step::kKeepPath, cover.path, "", slot, false});
      tree.push_back({Action::kRestore, Step::kRestorePath, cover.path, "", slot, false});
    } else {
      tree.push_back(std::move(op));
    }
  }
  // "/tmp" sorts before "/tmp/build", so a folder is there before what lies in it.
  std::sort(tree.begin(), tree.end(),
            [](const MountOp& a, const MountOp& b) { return a.path < b.path; });

  // What becomes private in a read-only folder is mounted on it, and writable.
  std::vector<MountOp> outer_read_only;
  std::vector<MountOp> read_only;
  for (const std::string& path : facts.read_only_paths) {
    const bool has_cover =
        std::any_of(facts.covers.begin(), facts.covers.end(),
                    [&](const Cover& cover) { return IsUnder(cover.path, path); });
    (has_cover ? outer_read_only : read_only)
        .push_back({Action::kReadOnly, Step::kReadOnlyPath, path, "", 0, false});
  }

  std::vector<MountOp> plan = std::move(keeps);
  Append(plan, std::move(outer_read_only));
  Append(plan, std::move(inner_copies));
  Append(plan, std::move(tree));
  Append(plan, std::move(kernel));
  Append(plan, std::move(read_only));
  if (options.ipc_namespace && !has_mqueue && Has(options.leaks, LeakKind::kPosix)) {
    HideQueues(plan);
  }
  return plan;
}

std::string HostsFile(absl::string_view outside, absl::string_view hostname) {
  bool has_localhost = false;
  for (absl::string_view line : absl::StrSplit(outside, '\n')) {
    line = line.substr(0, line.find('#'));
    for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
      has_localhost = has_localhost || word == "localhost";
    }
  }
  // The first line that knows a name gives its first address.
  std::string text = absl::StrCat("127.0.0.1\t", hostname, "\n", outside);
  if (!has_localhost) {
    absl::StrAppend(&text, text.back() == '\n' ? "" : "\n",
                    "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
  }
  return text;
}

}  // namespace isolate::internal
