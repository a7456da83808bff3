#include "isolate/internal/left_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "isolate/internal/directory.h"
#include "isolate/internal/evidence.h"

namespace isolate::internal {
namespace {

// Of nested folders, below which nothing is looked at.
constexpr int kMaxDepth = 48;

class Walk {
 public:
  Walk(const char* path, dev_t device, const std::vector<std::string>& mount_points,
       EvidenceWriter& evidence)
      : device_(device), mount_points_(mount_points), evidence_(evidence) {
    size_ = strnlen(path, sizeof(path_) - 1);
    memcpy(path_, path, size_);
    path_[size_] = '\0';
  }

  // Whether there was anything that belongs to nobody but the test, in the folder whose path
  // `path_` is.
  bool Visit(int at, const char* name, int depth);

 private:
  bool Push(const char* name);
  bool IsOfSandbox() const;
  void Tell(const struct stat& status);

  const dev_t device_;
  const std::vector<std::string>& mount_points_;
  EvidenceWriter& evidence_;
  char path_[PATH_MAX];
  size_t size_ = 0;
};

bool Walk::Push(const char* name) {
  const size_t length = strlen(name);
  if (size_ + 1 + length >= sizeof(path_)) {
    return false;
  }
  path_[size_] = '/';
  memcpy(path_ + size_ + 1, name, length + 1);
  size_ += 1 + length;
  return true;
}

// A mount point, or a folder that leads to one.
bool Walk::IsOfSandbox() const {
  for (const std::string& mount_point : mount_points_) {
    if (mount_point.size() >= size_ && memcmp(mount_point.data(), path_, size_) == 0 &&
        (mount_point.size() == size_ || mount_point[size_] == '/')) {
      return true;
    }
  }
  return false;
}

void Walk::Tell(const struct stat& status) {
  evidence_.Begin(EvidenceType::kFile)
      .Bytes(path_, size_)
      .EndKey()
      .U32(status.st_mode)
      .U64(static_cast<uint64_t>(status.st_size))
      .U32(status.st_uid)
      .U32(status.st_gid)
      .End();
}

bool Walk::Visit(int at, const char* name, int depth) {
  Directory folder(at, name);
  bool found = false;
  while (const char* entry = folder.Next()) {
    const size_t size = size_;
    struct stat status;
    if (evidence_.IsFull(EvidenceType::kFile)) {
      return true;
    }
    if (!Push(entry) || fstatat(folder.descriptor(), entry, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        status.st_dev != device_) {
      path_[size_ = size] = '\0';
      continue;
    }
    // An overlay's note that something of the lower tree was removed.
    if (S_ISCHR(status.st_mode) && status.st_rdev == 0) {
      path_[size_ = size] = '\0';
      continue;
    }
    const bool below = S_ISDIR(status.st_mode) && depth < kMaxDepth &&
                       Visit(folder.descriptor(), entry, depth + 1);
    if (!below && !IsOfSandbox()) {
      Tell(status);
      found = true;
    }
    found = found || below;
    path_[size_ = size] = '\0';
  }
  return found;
}

}  // namespace

// The kernel counts them as they come and go (mm/shmem.c).
int64_t PrivateFolder::CountFiles() const {
  struct statfs now;
  if ((tree_ >= 0 ? fstatfs(tree_, &now) : statfs(path_, &now)) != 0) {
    return -1;
  }
  return static_cast<int64_t>(now.f_files) - static_cast<int64_t>(now.f_ffree);
}

void PrivateFolder::Begin() { files_at_begin_ = CountFiles(); }

void PrivateFolder::Tell(const std::vector<std::string>& mount_points,
                         EvidenceWriter& evidence) const {
  if (CountFiles() == files_at_begin_) {
    return;
  }
  struct stat root;
  if (tree_ >= 0) {
    if (fstat(tree_, &root) == 0) {
      Walk(path_, root.st_dev, mount_points, evidence).Visit(tree_, ".", 0);
    }
  } else if (stat(path_, &root) == 0) {
    Walk(path_, root.st_dev, mount_points, evidence).Visit(AT_FDCWD, path_, 0);
  }
}

}  // namespace isolate::internal
