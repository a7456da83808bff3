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
  return std::filesystem::absolute(folder, error).string();
}

std::string OutputsFolderOf(const ::testing::TestInfo& test) {
  const std::string folder = OutputsFolder();
  if (folder.empty()) {
    return "";
  }
  std::string name = absl::StrCat(test.test_suite_name(), ".", test.name());
  std::replace(name.begin(), name.end(), '/', '_');
  return absl::StrCat(folder, "/", name);
}

}  // namespace isolate::gtest
