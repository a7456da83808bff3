#ifndef ISOLATE_INTERNAL_OVERFLOW_FILE_H_
#define ISOLATE_INTERNAL_OVERFLOW_FILE_H_

// The file for an output that is too long to be kept in memory.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/fd.h"

namespace isolate::internal {

class OverflowFile {
 public:
  // A file in `folder` whose name begins with `name`; made by the first Append.  Without a
  // folder there is none.
  OverflowFile(const std::string& folder, absl::string_view name);

  // Removes the file, unless it was kept.
  ~OverflowFile();
  OverflowFile(const OverflowFile&) = delete;
  OverflowFile& operator=(const OverflowFile&) = delete;

  // Nothing, once a write has failed.
  void Append(absl::string_view bytes);

  // Lets the file stay; its path, or nothing where nothing was appended, or not all.
  std::string Keep();
  // The error of the open or the write that failed; then the file is gone.
  const absl::Status& status() const { return status_; }

 private:
  void Fail();

  std::string path_;  // a pattern, until there is a file
  Fd file_;
  bool kept_ = false;
  absl::Status status_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_OVERFLOW_FILE_H_
