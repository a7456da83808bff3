#include "isolate/kept_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/result.h"

namespace isolate {
namespace {

namespace fs = std::filesystem;

using internal::Fd;

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

// Nobody gets rights by a copy, and everybody can remove his own.
constexpr mode_t kFileMode = 0777;
constexpr mode_t kOwnersFolder = 0700;

// Copies a file with its holes; the errno of what failed, or 0.
int CopyFile(const char* from, const char* to) {
  const Fd source(open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status;
  if (!source.valid() || fstat(source.get(), &status) != 0) {
    return errno;
  }
  const Fd copy(open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!copy.valid() || ftruncate(copy.get(), status.st_size) != 0 ||
      fchmod(copy.get(), status.st_mode & kFileMode) != 0) {
    return errno;
  }
  std::vector<char> buffer(size_t{1} << 16);
  for (off_t at = 0; (at = lseek(source.get(), at, SEEK_DATA)) >= 0;) {
    const off_t end = lseek(source.get(), at, SEEK_HOLE);
    while (at < end) {
      const size_t wanted = std::min(buffer.size(), static_cast<size_t>(end - at));
      const ssize_t size = pread(source.get(), buffer.data(), wanted, at);
      if (size <= 0 || lseek(copy.get(), at, SEEK_SET) != at ||
          internal::raw::WriteAll(copy.get(), buffer.data(), static_cast<size_t>(size)) != 0) {
        return size == 0 ? 0 : errno;
      }
      at += size;
    }
  }
  return errno == ENXIO ? 0 : errno;  // no more data
}

// Copies what is in folders of a sandbox.
class Copier {
 public:
  // `root`: the path of the sandbox's root folder.
  explicit Copier(std::string root) : root_(std::move(root)) {}

  // Makes `to`.  Leaves out what is mounted below `from`, and folders that only lead there.
  void CopyFolder(const std::string& from, const fs::path& to) {
    const fs::path path = root_ + from;
    Copy(path, to, MountOf(path));
  }

  const absl::Status& status() const { return status_; }

 private:
  // Whether something is mounted in it.
  bool Copy(const fs::path& from, const fs::path& to, uint64_t mount) {
    std::error_code error;
    fs::create_directories(to, error);
    Note(from, error.value());
    bool has_mount = false;
    auto entry = fs::directory_iterator(from, error);
    Note(from, error.value());
    while (entry != fs::directory_iterator()) {
      has_mount = CopyEntry(*entry, to / entry->path().filename(), mount) || has_mount;
      entry.increment(error);
      Note(from, error.value());
    }
    struct stat status;
    if (stat(from.c_str(), &status) == 0) {
      chmod(to.c_str(), (status.st_mode & kFileMode) | kOwnersFolder);
    }
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
      Note(entry.path(), error.value());
    } else if (type == fs::file_type::regular) {
      Note(entry.path(), CopyFile(entry.path().c_str(), to.c_str()));
    }
    return false;
  }

  void Note(const fs::path& path, int error) {
    if (error != 0 && status_.ok()) {
      status_ = absl::ErrnoToStatus(
          error, absl::StrCat("cannot copy ", path.native().substr(root_.size())));
    }
  }

  const std::string root_;
  absl::Status status_;
};

ino_t OwnNamespace(const char* kind) {
  struct stat now;
  return stat(absl::StrCat("/proc/self/ns/", kind).c_str(), &now) == 0 ? now.st_ino : 0;
}

}  // namespace

KeptSandbox::KeptSandbox(internal::Sandbox sandbox, std::vector<Fd> pipes)
    : sandbox_(std::move(sandbox)), pipes_(std::move(pipes)) {}

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
  const std::string root = absl::StrCat("/proc/self/fd/", sandbox_.root());
  Copier copier(root);
  for (const std::string& tmpfs : sandbox_.tmpfs_folders()) {
    std::error_code error;
    if (fs::is_empty(root + tmpfs, error)) {
      continue;
    }
    const fs::path to = folder + tmpfs;
    copier.CopyFolder(tmpfs, to);
    // What was made to lead to a folder that was left out.
    for (fs::path made = to.parent_path(); made.native().size() >= folder.size() &&
                                           fs::is_empty(made, error) && fs::remove(made, error);
         made = made.parent_path()) {
    }
  }
  return copier.status();
}

}  // namespace isolate
