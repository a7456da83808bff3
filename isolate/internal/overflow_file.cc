#include "isolate/internal/overflow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"

namespace isolate::internal {

OverflowFile::OverflowFile(const std::string& folder, absl::string_view name)
    : pattern_(folder.empty() ? "" : absl::StrCat(folder, "/", name, "-", getpid(), "-")) {}

OverflowFile::~OverflowFile() {
  if (file_.valid() && !kept_) {
    unlink(path_.c_str());
  }
}

std::string OverflowFile::Keep() {
  if (!file_.valid()) {
    return "";
  }
  kept_ = true;
  return path_;
}

void OverflowFile::Append(absl::string_view bytes) {
  if (pattern_.empty() || !status_.ok() || size_ >= kMaxSize) {
    return;
  }
  if (!file_.valid()) {
    Open();
  }
  bytes = bytes.substr(0, static_cast<size_t>(kMaxSize - size_));
  size_ += static_cast<int64_t>(bytes.size());
  Write(bytes);
  if (size_ == kMaxSize) {
    Write("\n[isolate: what came after this is left out]\n");
  }
}

// As everybody's files, with the umask; and of a name that nobody has.
void OverflowFile::Open() {
  for (int number = 1; status_.ok() && !file_.valid(); ++number) {
    path_ = absl::StrCat(pattern_, number);
    file_ = AboveStandardStreams(
        Fd(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)));
    if (!file_.valid() && errno != EEXIST) {
      status_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
    }
  }
}

void OverflowFile::Write(absl::string_view bytes) {
  if (status_.ok() && raw::WriteAll(file_.get(), bytes.data(), bytes.size()) != 0) {
    status_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
    unlink(path_.c_str());
    file_.Reset();
  }
}

}  // namespace isolate::internal
