#ifndef ISOLATE_INTERNAL_LEFT_FILES_H_
#define ISOLATE_INTERNAL_LEFT_FILES_H_

// What has been put into the private folders of a sandbox, as evidence.  Raw system calls only.

#include <stddef.h>

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

  // Tells of every file, and of every folder with nothing in it.  Folders that lead to one of
  // `mount_points` belong to the sandbox, and what is mounted there is not looked at.
  // Costs 1 us where nothing was put there, and then O(files).
  void Tell(const std::vector<std::string>& mount_points, EvidenceWriter& evidence) const;

 private:
  long CountFiles() const;

  const char* path_;
  int tree_;
  long files_at_begin_ = 0;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_LEFT_FILES_H_
