// MANY_TESTS tests, or 2000, in MANY_SUITES suites.  At the end of each iteration it counts the
// file descriptors and the children that it has.  With MANY_MEGABYTES of memory every test looks at
// what that holds, and writes to it; the program says how much is in huge pages before all and at
// the end.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "tests/plugin/specimens/install.h"

namespace {

// Of the runner, every byte an 'a'; null: there is none.
char* memory = nullptr;
size_t memory_size = 0;

class Empty : public ::testing::Test {
  void TestBody() override {
    for (size_t at = 0; at < memory_size; at += 4096) {
      ASSERT_EQ(memory[at], 'a');
      if (at % (64 * 4096) == 0) {
        memory[at] = 'b';
      }
    }
  }
};

void TakeMemory(size_t size) {
  void* const address =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  memory = static_cast<char*>(address);
  memory_size = size;
  memset(memory, 'a', size);
}

int HugeMegabytes() {
  std::ifstream smaps("/proc/self/smaps_rollup");
  for (std::string word; smaps >> word;) {
    int kilobytes = 0;
    if (word == "AnonHugePages:" && smaps >> kilobytes) {
      return kilobytes / 1024;
    }
  }
  return 0;
}

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
    if (memory != nullptr) {
      printf("in huge pages at the end: %d MB\n", HugeMegabytes());
    }
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
  if (const char* megabytes = getenv("MANY_MEGABYTES")) {
    TakeMemory(static_cast<size_t>(atoi(megabytes)) << 20);
    printf("in huge pages before: %d MB\n", HugeMegabytes());
  }
  testing::AddGlobalTestEnvironment(new Counter);
  Install(&argc, argv);
  return RUN_ALL_TESTS();
}
