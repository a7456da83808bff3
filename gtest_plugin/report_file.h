#ifndef GTEST_PLUGIN_REPORT_FILE_H_
#define GTEST_PLUGIN_REPORT_FILE_H_

// A file that --isolate_report names: the report's JSON, or a page that shows it.  Lives in the
// runner.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/fd.h"

namespace isolate::gtest {

class ReportFile {
 public:
  // Opens the file, which becomes empty; a name that ends in ".html" is a page's, whose beginning
  // is written.  A relative name begins at the folder of outputs, if there is one. InvalidArgument
  // that names the file where it cannot be opened, or where it is a pipe or the like.
  static absl::StatusOr<ReportFile> Open(absl::string_view name);

  // Adds a part of the JSON.  What could not be written, Finish tells.
  void Write(absl::string_view json);

  // Writes what a page has after the JSON.  The first write that failed is the error: its errno,
  // with the file's name.
  absl::Status Finish();

  // Both names lead to one file.
  bool IsSameAs(const ReportFile& other) const;

 private:
  ReportFile(std::string path, ::isolate::internal::Fd file, bool is_page);

  void WriteAsItIs(absl::string_view text);

  std::string path_;
  ::isolate::internal::Fd file_;
  bool is_page_;
  absl::Status status_;
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_REPORT_FILE_H_
