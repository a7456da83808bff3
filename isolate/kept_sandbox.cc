#include "isolate/kept_sandbox.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/result.h"

namespace isolate {
namespace {

namespace fs = std::filesystem;

// As pidfd_open(2) describes; 0 where this process sees no such process.
pid_t PidOf(int pidfd) {
  std::ifstream info(absl::StrCat("/proc/self/fdinfo/", pidfd));
  for (std::string line; std::getline(info, line);) {
    absl::string_view value = line;
    int pid = 0;
    if (absl::ConsumePrefix(&value, "Pid:") && absl::SimpleAtoi(value, &pid)) {
      return pid;
    }
  }
  return 0;
}

// Which mount a file is on (statx(2), Linux 5.8); 0 where it cannot be told.
uint64_t MountOf(const fs::path& path) {
  struct statx status = {};
  return statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &status) == 0
             ? status.stx_mnt_id
             : 0;
}

// Copies what is in folders.
class Copier {
 public:
  // Makes `to`.  Leaves out what is mounted below `from`, and folders that only lead there.
  void CopyFolder(const fs::path& from, const fs::path& to) { Copy(from, to, MountOf(from)); }

  const absl::Status& status() const { return status_; }

 private:
  // Whether something is mounted in it.
  bool Copy(const fs::path& from, const fs::path& to, uint64_t mount) {
    std::error_code error;
    fs::create_directories(to, error);
    Note(to, error);
    bool has_mount = false;
    auto entry = fs::directory_iterator(from, error);
    Note(from, error);
    while (entry != fs::directory_iterator()) {
      has_mount = CopyEntry(*entry, to / entry->path().filename(), mount) || has_mount;
      entry.increment(error);
      Note(from, error);
    }
    // Not before, as it may forbid to write in it.
    fs::permissions(to, fs::status(from, error).permissions(), error);
    if (has_mount) {
      fs::remove(to, error);  // if it is empty
    }
    return has_mount;
  }

  // Sockets, pipes and devices stay behind.
  bool CopyEntry(const fs::directory_entry& entry, const fs::path& to, uint64_t mount) {
    if (MountOf(entry.path()) != mount) {
      return true;
    }
    std::error_code error;
    const fs::file_type type = entry.symlink_status(error).type();
    if (type == fs::file_type::directory) {
      return Copy(entry.path(), to, mount);
    }
    if (type == fs::file_type::symlink) {
      fs::copy_symlink(entry.path(), to, error);
    } else if (type == fs::file_type::regular) {
      fs::copy_file(entry.path(), to, error);
    }
    Note(entry.path(), error);
    return false;
  }

  void Note(const fs::path& path, const std::error_code& error) {
    if (error && status_.ok()) {
      status_ = absl::ErrnoToStatus(error.value(), absl::StrCat("cannot copy ", path.string()));
    }
  }

  absl::Status status_;
};

ino_t OwnNamespace(const char* kind) {
  struct stat now;
  return stat(absl::StrCat("/proc/self/ns/", kind).c_str(), &now) == 0 ? now.st_ino : 0;
}

}  // namespace

KeptSandbox::KeptSandbox(internal::Sandbox sandbox) : sandbox_(std::move(sandbox)) {}

std::string KeptSandbox::EnterCommand() const {
  std::string command = absl::StrCat("nsenter --target ", PidOf(sandbox_.init()));
  // An ordinary user may not "enter" those that the sandbox shares with it, as --all would.
  const Namespaces& inside = sandbox_.namespaces();
  const struct {
    const char* kind;
    const char* option;
    ino_t number;
  } namespaces[] = {
      {"user", "--user --preserve-credentials", inside.user},
      {"mnt", "--mount", inside.mnt},
      {"uts", "--uts", inside.uts},
      {"ipc", "--ipc", inside.ipc},
      {"net", "--net", inside.net},
      {"pid", "--pid", inside.pid},
      {"cgroup", "--cgroup", inside.cgroup},
      {"time", "--time", inside.time},
  };
  for (const auto& entered : namespaces) {
    if (entered.number != OwnNamespace(entered.kind)) {
      absl::StrAppend(&command, " ", entered.option);
    }
  }
  return command;
}

absl::Status KeptSandbox::CopyFilesTo(const std::string& folder) const {
  Copier copier;
  for (const std::string& tmpfs : sandbox_.tmpfs_folders()) {
    const fs::path from = absl::StrCat("/proc/self/fd/", sandbox_.root(), tmpfs);
    std::error_code error;
    if (fs::is_empty(from, error)) {
      continue;
    }
    const fs::path to = folder + tmpfs;
    copier.CopyFolder(from, to);
    // What was made to lead to a folder that was left out.
    for (fs::path made = to.parent_path(); made.native().size() >= folder.size() &&
                                           fs::is_empty(made, error) && fs::remove(made, error);
         made = made.parent_path()) {
    }
  }
  return copier.status();
}

}  // namespace isolate
