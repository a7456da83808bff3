// The variables by which Bazel and gtest speak to a test: prints those that a test has.
// An environment says before and after the tests whether the files are there that
// gtest makes, and with VARIABLES=exits it ends the program then.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace {

TEST(Variables, ThatATestHas) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    for (const char* prefix :
         {"TEST", "GTEST_", "XML_OUTPUT_FILE=", "ISOLATE_AUDIT", "ISOLATE_KEEP", "ISOLATE_REPORT",
          "ISOLATE_TRACE", "RUNFILES_", "BUILD_"}) {
      if (strncmp(*variable, prefix, strlen(prefix)) == 0) {
        variables.emplace_back(*variable);
      }
    }
  }
  std::sort(variables.begin(), variables.end());
  for (const std::string& variable : variables) {
    printf("%s\n", variable.c_str());
  }
}

class Files : public ::testing::Environment {
 public:
  void SetUp() override { Tell(); }
  void TearDown() override {
    Tell();
    const char* end = getenv("VARIABLES");
    if (end != nullptr && strcmp(end, "exits") == 0) {
      fflush(stdout);
      _exit(9);
    }
  }

 private:
  static void Tell() {
    for (const char* name : {"TEST_PREMATURE_EXIT_FILE", "GTEST_SHARD_STATUS_FILE"}) {
      if (const char* file = getenv(name)) {
        printf("the file of %s is %s\n", name, access(file, F_OK) == 0 ? "there" : "not there");
      }
    }
  }
};

[[maybe_unused]] const auto* const kFiles = ::testing::AddGlobalTestEnvironment(new Files);

}  // namespace
