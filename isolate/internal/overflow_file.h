#ifndef ISOLATE_INTERNAL_OVERFLOW_FILE_H_
#define ISOLATE_INTERNAL_OVERFLOW_FILE_H_

// The file for an output that is too long to be kept in memory.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/fd.h"

namespace isolate::internal {

class OverflowFile {
 public:
  // The most that a file gets, in bytes: who prints for ever must not fill the disk.
  static constexpr int64_t kMaxSize = int64_t{1} << 30;

  // A file in `folder` whose name begins with `name`; made by the first Append.  Without a
  // folder there is none.
  OverflowFile(const std::string& folder, absl::string_view name);

  // Removes the file, unless it was kept.
  ~OverflowFile();
  OverflowFile(const OverflowFile&) = delete;
  OverflowFile& operator=(const OverflowFile&) = delete;

  // Nothing, once a write has failed.  Of what is too much, the last line tells.
  void Append(absl::string_view bytes);

  // Lets the file stay; its path, or nothing where nothing was appended, or not all.
  std::string Keep();
  // The error of the open or the write that failed; then the file is gone.
  const absl::Status& status() const { return status_; }

 private:
  void Open();
  void Write(absl::string_view bytes);

  const std::string pattern_;  // the beginning of the path
  std::string path_;
  Fd file_;
  int64_t size_ = 0;
  bool kept_ = false;
  absl::Status status_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_OVERFLOW_FILE_H_
