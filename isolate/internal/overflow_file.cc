#include "isolate/internal/overflow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"

namespace isolate::internal {

OverflowFile::OverflowFile(const std::string& folder, absl::string_view name)
    : path_(folder.empty() ? "" : absl::StrCat(folder, "/", name, "-XXXXXX")) {}

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
  if (path_.empty() || !status_.ok()) {
    return;
  }
  if (!file_.valid()) {
    file_ = AboveStandardStreams(Fd(mkostemp(path_.data(), O_CLOEXEC)));
    if (!file_.valid()) {
      Fail();
      return;
    }
    // For everybody who may look at the other outputs, too.
    fchmod(file_.get(), 0644);
  }
  if (raw::WriteAll(file_.get(), bytes.data(), bytes.size()) != 0) {
    Fail();
  }
}

void OverflowFile::Fail() {
  status_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  if (file_.valid()) {
    unlink(path_.c_str());
    file_.Reset();
  }
}

}  // namespace isolate::internal
