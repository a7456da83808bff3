#include "gtest_plugin/outputs_folder.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace isolate::gtest {

std::string OutputsFolder() {
  const char* folder = getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  std::error_code error;
  if (folder == nullptr || *folder == '\0' || !std::filesystem::is_directory(folder, error)) {
    return "";
  }
  const std::string path = std::filesystem::absolute(folder, error).lexically_normal().string();
  return path == "/" ? "" : path;
}

std::string FolderOf(const ::testing::TestInfo& test, const std::string& outputs) {
  std::string name = absl::StrCat(test.test_suite_name(), ".", test.name());
  std::replace(name.begin(), name.end(), '/', '_');
  return absl::StrCat(outputs, "/", name);
}

}  // namespace isolate::gtest
