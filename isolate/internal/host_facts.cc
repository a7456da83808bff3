#include "isolate/internal/host_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "isolate/internal/mount_info.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

namespace fs = std::filesystem;

// A file of /proc, whose size is not known before it is read.
absl::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::nullopt;
  }
  // Not iterators over the buffer: those throw where a read fails, as of a folder.
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Nothing, with errno, where the path leads nowhere.
absl::optional<std::string> RealPath(const std::string& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  if (error) {
    errno = error.value();
    return absl::nullopt;
  }
  return real.string();
}

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

// False, with errno, where no tmpfs can be mounted on the path.
bool AddCover(const std::string& path, std::vector<Cover>& covers) {
  const absl::optional<std::string> real = RealPath(path);
  struct stat now;
  if (!real.has_value() || stat(real->c_str(), &now) != 0) {
    return false;
  }
  if (!S_ISDIR(now.st_mode)) {
    errno = ENOTDIR;
    return false;
  }
  for (const char* indispensable : {"/", "/dev", "/proc", "/sys"}) {
    if (*real == indispensable) {
      errno = EINVAL;
      return false;
    }
  }
  const bool known = std::any_of(covers.begin(), covers.end(),
                                 [&](const Cover& cover) { return cover.path == *real; });
  if (!known) {
    covers.push_back({*real, now.st_mode & 07777, now.st_uid, now.st_gid});
  }
  return true;
}

absl::StatusOr<std::vector<Cover>> Covers(const Options& options) {
  std::vector<Cover> covers;
  // A host without one of these has nothing there to fight over.
  for (const char* path : {"/tmp", "/var/tmp", "/dev/shm"}) {
    AddCover(path, covers);
  }
  const std::string scratch = ScratchFolder(options);
  if (!AddCover(scratch, covers)) {
    return ToStatus({Step::kMountTmpfs, errno, scratch});
  }
  return covers;
}

void AddKeep(const std::string& path, bool with_neighbours, std::vector<Keep>& keeps) {
  if (path.empty()) {
    return;
  }
  if (absl::optional<std::string> real = RealPath(path)) {
    keeps.push_back({*std::move(real), with_neighbours});
  }
}

// Everything that links in the runfiles tree lead to.  The tree itself may be
// outside of all covers while the workspace that it points into is in /tmp.
void AddRunfiles(const std::string& root, const std::vector<Cover>& covers,
                 std::vector<Keep>& keeps) {
  std::error_code error;
  fs::recursive_directory_iterator walk(root, fs::directory_options::skip_permission_denied, error);
  std::set<std::string> folders;
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (!walk->is_symlink(error)) {
      continue;
    }
    const fs::path target = fs::read_symlink(walk->path(), error);
    if (error || !target.is_absolute()) {
      continue;
    }
    // Most links of a tree lead into a few folders, and one link of each is
    // resolved; then only what lies under a cover matters.
    const std::string folder = target.parent_path().string();
    if (folders.count(folder) != 0) {
      continue;
    }
    // A link that leads nowhere says nothing of its folder.
    if (const absl::optional<std::string> real = RealPath(target.string())) {
      const Keep keep{*real, /*with_neighbours=*/true};
      const absl::optional<std::string> entry = KeptEntry(keep, covers);
      if (entry.has_value()) {
        keeps.push_back(keep);
      }
      // In a covered folder itself the neighbours are not kept with it.
      if (entry != *real) {
        folders.insert(folder);
      }
    }
  }
}

// As it is called, too: it may be a link, and one in Bazel's runfiles is.
void AddProgram(const std::string& path, std::vector<Keep>& keeps,
                std::set<std::string>& runfiles) {
  AddKeep(path, /*with_neighbours=*/true, keeps);
  AddKeep(fs::path(path).parent_path().string(), /*with_neighbours=*/true, keeps);
  runfiles.insert(path + ".runfiles");
}

// What the run itself needs, wherever it lies.
std::vector<Keep> Keeps(const Options& options, const std::vector<Cover>& covers) {
  std::vector<Keep> keeps;
  AddKeep(".", /*with_neighbours=*/false, keeps);

  const absl::optional<std::string> program = RealPath("/proc/self/exe");
  if (program.has_value()) {
    AddKeep(*program, /*with_neighbours=*/true, keeps);
  }
  // As it was called: a death test executes argv[0] again, and Bazel's is a
  // link in the runfiles.
  std::set<std::string> runfiles;
  if (const absl::optional<std::string> arguments = ReadFile("/proc/self/cmdline")) {
    const std::string called = arguments->substr(0, arguments->find('\0'));
    if (absl::StrContains(called, '/')) {
      AddKeep(fs::path(called).parent_path().string(), /*with_neighbours=*/true, keeps);
      runfiles.insert(called + ".runfiles");
    }
  }
  for (const std::string& path : options.programs) {
    AddProgram(path, keeps, runfiles);
  }
  for (const char* name : {"RUNFILES_DIR", "TEST_SRCDIR"}) {
    AddKeep(Variable(name), /*with_neighbours=*/true, keeps);
    runfiles.insert(Variable(name));
  }
  for (const std::string& root : runfiles) {
    if (!root.empty()) {
      AddRunfiles(root, covers, keeps);
    }
  }
  for (const char* name : {"TEST_UNDECLARED_OUTPUTS_DIR", "TEST_UNDECLARED_OUTPUTS_ANNOTATIONS_DIR",
                           "COVERAGE_DIR", "GCOV_PREFIX"}) {
    AddKeep(Variable(name), /*with_neighbours=*/false, keeps);
  }
  for (const char* name :
       {"XML_OUTPUT_FILE", "COVERAGE_OUTPUT_FILE", "LLVM_PROFILE_FILE", "TEST_PREMATURE_EXIT_FILE",
        "TEST_SHARD_STATUS_FILE", "TEST_WARNINGS_OUTPUT_FILE", "TEST_INFRASTRUCTURE_FAILURE_FILE",
        "TEST_UNUSED_RUNFILES_LOG_FILE"}) {
    AddKeep(fs::path(Variable(name)).parent_path().string(), /*with_neighbours=*/false, keeps);
  }
  return keeps;
}

absl::StatusOr<std::string> ExtraPath(absl::string_view field, const std::string& path, Step step,
                                      const HostFacts& facts) {
  absl::optional<std::string> real = RealPath(path);
  if (!real.has_value()) {
    return ToStatus({step, errno, path});
  }
  for (const Cover& cover : facts.covers) {
    if (cover.path == *real) {
      return absl::InvalidArgumentError(absl::StrCat(
          field, ": \"", path, "\" is private in every sandbox; name a path that lies in it"));
    }
  }
  return *std::move(real);
}

absl::Status AddExtraPaths(const Options& options, HostFacts& facts) {
  std::vector<std::string> writable;
  for (const std::string& path : options.writable_paths) {
    absl::StatusOr<std::string> real = ExtraPath("writable_paths", path, Step::kKeepPath, facts);
    if (!real.ok()) {
      return real.status();
    }
    facts.keeps.push_back({*real, /*with_neighbours=*/false});
    writable.push_back(*std::move(real));
  }
  for (const std::string& path : options.read_only_paths) {
    absl::StatusOr<std::string> real =
        ExtraPath("read_only_paths", path, Step::kReadOnlyPath, facts);
    if (!real.ok()) {
      return real.status();
    }
    for (const std::string& other : writable) {
      if (IsUnder(other, *real)) {
        return absl::InvalidArgumentError(
            absl::StrCat("writable_paths: \"", other, "\" lies in \"", path,
                         "\" of read_only_paths, and would be read-only"));
      }
    }
    facts.keeps.push_back({*real, /*with_neighbours=*/false});
    facts.read_only_paths.push_back(*std::move(real));
  }
  return absl::OkStatus();
}

// Whether a copy of a cover has it: what another mount brought in, no copy has.
bool IsInACopy(const Keep& keep, const std::vector<Cover>& covers) {
  struct stat kept;
  return stat(keep.path.c_str(), &kept) == 0 &&
         std::any_of(covers.begin(), covers.end(), [&](const Cover& cover) {
           struct stat covered;
           return IsUnder(keep.path, cover.path) && stat(cover.path.c_str(), &covered) == 0 &&
                  covered.st_dev == kept.st_dev;
         });
}

}  // namespace

std::string ScratchFolder(const Options& options) {
  if (!options.scratch.empty()) {
    return options.scratch;
  }
  for (const char* name : {"TEST_TMPDIR", "TMPDIR"}) {
    std::string value = Variable(name);
    if (!value.empty()) {
      return value;
    }
  }
  return "/tmp";
}

absl::StatusOr<HostFacts> GatherHostFacts(const Options& options) {
  HostFacts facts;
  if (!options.mount_namespace) {
    return facts;
  }
  absl::StatusOr<std::vector<Cover>> covers = Covers(options);
  if (!covers.ok()) {
    return covers.status();
  }
  facts.covers = *std::move(covers);
  facts.keeps = Keeps(options, facts.covers);
  if (options.copy_private_folders) {
    facts.keeps.erase(
        std::remove_if(facts.keeps.begin(), facts.keeps.end(),
                       [&](const Keep& keep) { return IsInACopy(keep, facts.covers); }),
        facts.keeps.end());
  }
  if (absl::Status status = AddExtraPaths(options, facts); !status.ok()) {
    return status;
  }
  const std::vector<MountInfo> mounts =
      ParseMountInfo(ReadFile("/proc/self/mountinfo").value_or(""));
  facts.proc_mounts = OuterMountsUnder(mounts, "/proc");
  facts.sys_mounts = OuterMountsUnder(mounts, "/sys");
  facts.has_mqueue_folder = IsFolder("/dev/mqueue");
  facts.uid = geteuid();
  facts.gid = getegid();
  return facts;
}

absl::optional<std::string> ReadHosts() { return ReadFile("/etc/hosts"); }

std::string IdentityMap(const std::string& map_file) {
  // "inside outside count" for each range; what is inside for us is outside for
  // the new namespace.
  std::string identity;
  for (absl::string_view line :
       absl::StrSplit(ReadFile(map_file).value_or(""), '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() == 3) {
      absl::StrAppend(&identity, fields[0], " ", fields[0], " ", fields[2], "\n");
    }
  }
  return identity;
}

}  // namespace isolate::internal
