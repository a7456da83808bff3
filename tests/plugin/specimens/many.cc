// MANY_TESTS tests, or 2000, in MANY_SUITES suites.  At the end of each iteration it counts the
// file descriptors and the children that it has.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "tests/plugin/specimens/install.h"

namespace {

class Empty : public ::testing::Test {
  void TestBody() override {}
};

std::ptrdiff_t CountDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

// Children that have ended and that nobody has waited for.
int CountZombies() {
  const std::string parent = "\nPPid:\t" + std::to_string(getpid()) + "\n";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    // Empty for what is no process, or has gone meanwhile.
    char buffer[4096] = "";
    if (FILE* file = fopen((entry.path() / "status").c_str(), "re")) {
      const size_t size = fread(buffer, 1, sizeof(buffer) - 1, file);
      buffer[size] = '\0';
      fclose(file);
    }
    const std::string status = buffer;
    if (status.find(parent) != std::string::npos &&
        status.find("\nState:\tZ") != std::string::npos) {
      ++count;
    }
  }
  return count;
}

class Counter : public ::testing::Environment {
  void TearDown() override {
    printf("descriptors: %td, zombies: %d\n", CountDescriptors(), CountZombies());
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int suites = atoi(getenv("MANY_SUITES"));
  const char* tests = getenv("MANY_TESTS");
  for (int number = 0; number < (tests != nullptr ? atoi(tests) : 2000); ++number) {
    const std::string suite = "Suite" + std::to_string(number % suites);
    const std::string test = "Test" + std::to_string(number);
    testing::RegisterTest(suite.c_str(), test.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          []() -> testing::Test* { return new Empty; });
  }
  testing::AddGlobalTestEnvironment(new Counter);
  Install(&argc, argv);
  return RUN_ALL_TESTS();
}
