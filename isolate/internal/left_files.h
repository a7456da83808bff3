#ifndef ISOLATE_INTERNAL_LEFT_FILES_H_
#define ISOLATE_INTERNAL_LEFT_FILES_H_

// What has been put into the private folders of a sandbox, as evidence.  Raw system calls only.

#include <stddef.h>

#include <cstdint>
#include <string>
#include <vector>

#include "isolate/internal/evidence.h"

namespace isolate::internal {

// A private folder, which begins with nothing but what the sandbox itself is made of.
class PrivateFolder {
 public:
  // `tree` shows what was put there: its path, or -1; or another place, as a descriptor that must
  // outlive this, where the folder began as a copy.
  explicit PrivateFolder(const char* path = "", int tree = -1) : path_(path), tree_(tree) {}

  // To be called when nothing has been put there.
  void Begin();

  // How many files and folders there are, with what was there before the first was put there;
  // negative where that cannot be told.  Costs 1 us.
  int64_t CountFiles() const;

  // Tells of every file, and of every folder with nothing in it.  Folders that lead to one of
  // `mount_points` belong to the sandbox, and what is mounted there is not looked at.
  // Costs 1 us where nothing was put there, and then O(files).
  void Tell(const std::vector<std::string>& mount_points, EvidenceWriter& evidence) const;

 private:
  const char* path_;
  int tree_;
  int64_t files_at_begin_ = 0;
};

// How many there are in all of them; negative where that cannot be told of one.
template <typename Folders>
int64_t CountFiles(const Folders& folders) {
  int64_t files = 0;
  for (const PrivateFolder& folder : folders) {
    const int64_t count = folder.CountFiles();
    files = files < 0 || count < 0 ? -1 : files + count;
  }
  return files;
}

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_LEFT_FILES_H_
