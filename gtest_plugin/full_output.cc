#include "gtest_plugin/full_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "gtest_plugin/outputs_folder.h"
#include "gtest_plugin/test_report.h"

namespace isolate::gtest {
namespace {

// Where the file is then: where it was, if it cannot be moved.
std::string Move(const std::string& file, const std::string& folder, const char* name) {
  mkdir(folder.c_str(), 0777);
  std::string place = absl::StrCat(folder, "/", name, ".txt");
  for (int number = 2;; ++number) {
    if (renameat2(AT_FDCWD, file.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) {
      return place;
    }
    if (errno != EEXIST) {
      return file;
    }
    place = absl::StrCat(folder, "/", name, "-", number, ".txt");
  }
}

}  // namespace

void KeepFullOutput(const ::testing::TestInfo& test, TestReport& report) {
  const struct {
    std::string& file;
    const char* name;
  } outputs[] = {{report.out_file, "stdout"}, {report.err_file, "stderr"}};
  for (const auto& output : outputs) {
    if (!output.file.empty()) {
      const std::string outputs_folder = std::filesystem::path(output.file).parent_path().string();
      const std::string file = Move(output.file, FolderOf(test, outputs_folder), output.name);
      output.file.clear();
      fflush(stdout);
      fprintf(stderr, "isolate: all that the process of %s.%s printed is in %s\n",
              test.test_suite_name(), test.name(), file.c_str());
    }
  }
  if (!report.full_output_error.empty()) {
    fflush(stdout);
    fprintf(stderr, "isolate: not all that the process of %s.%s printed was kept: %s\n",
            test.test_suite_name(), test.name(), report.full_output_error.c_str());
  }
}

void RemoveFullOutput(const TestReport& report) {
  for (const std::string* file : {&report.out_file, &report.err_file}) {
    if (!file->empty()) {
      unlink(file->c_str());
    }
  }
}

}  // namespace isolate::gtest
