#include "gtest_plugin/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest_plugin/outputs_folder.h"
#include "gtest_plugin/report_page.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"

namespace isolate::gtest {

using ::isolate::internal::AboveStandardStreams;
using ::isolate::internal::Fd;

absl::StatusOr<ReportFile> ReportFile::Open(absl::string_view name) {
  const std::string path = (std::filesystem::path(OutputsFolder()) / std::string(name)).string();
  Fd file = AboveStandardStreams(Fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666)));
  if (!file.valid()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ", path, " cannot be written: ", strerrordesc_np(errno)));
  }
  // Whose reader may go away, which would end the program.
  struct stat status;
  if (fstat(file.get(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) {
    return absl::InvalidArgumentError("name a file, and no pipe");
  }
  return ReportFile(path, std::move(file), absl::EndsWith(name, ".html"));
}

ReportFile::ReportFile(std::string path, Fd file, bool is_page)
    : path_(std::move(path)), file_(std::move(file)), is_page_(is_page) {
  if (is_page_) {
    WriteAsItIs(ReportPageHead());
  }
}

void ReportFile::WriteAsItIs(absl::string_view text) {
  if (status_.ok() &&
      ::isolate::internal::raw::WriteAll(file_.get(), text.data(), text.size()) != 0) {
    status_ = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  }
}

void ReportFile::Write(absl::string_view json) {
  if (is_page_) {
    WriteAsItIs(JsonForPage(json));
  } else {
    WriteAsItIs(json);
  }
}

absl::Status ReportFile::Finish() {
  if (is_page_) {
    WriteAsItIs(ReportPageTail());
  }
  return status_;
}

bool ReportFile::IsSameAs(const ReportFile& other) const {
  struct stat own;
  struct stat others;
  return fstat(file_.get(), &own) == 0 && fstat(other.file_.get(), &others) == 0 &&
         own.st_dev == others.st_dev && own.st_ino == others.st_ino;
}

}  // namespace isolate::gtest
