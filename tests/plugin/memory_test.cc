// What a program has in memory, of which every test has a copy.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <string>

#include "absl/base/config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kHugePage = size_t{2} << 20;

// With a sanitizer the helper is a fork that has executed nothing, and so has the memory, too.
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr bool kHelperHasTheMemory = true;
#else
constexpr bool kHelperHasTheMemory = false;
#endif

// Linux since 6.1, if it was built with huge pages.
bool KernelPutsMemoryIntoHugePages() {
  constexpr int kCollapse = 25;  // MADV_COLLAPSE
  void* const memory =
      mmap(nullptr, 2 * kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(memory, 'a', 2 * kHugePage);
  const auto begin = (reinterpret_cast<uintptr_t>(memory) + kHugePage - 1) / kHugePage * kHugePage;
  const bool does = madvise(reinterpret_cast<void*>(begin), kHugePage, kCollapse) == 0;
  munmap(memory, 2 * kHugePage);
  return does;
}

// Of a program that has 16 MB in memory, how many are in huge pages.
struct HugeMegabytes {
  int before = -1;
  int at_the_end = -1;
  std::string steps;  // what --isolate_verbose=timing says
};

HugeMegabytes HugeMegabytesWith(const std::string& tests) {
  const Finished finished =
      Execute({"many",
               Build::kIsolated,
               {"--isolate_jobs=4", "--gtest_brief=1", "--isolate_verbose=timing"},
               {{"MANY_SUITES", "2"}, {"MANY_TESTS", tests}, {"MANY_MEGABYTES", "16"}}});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  const auto number_after = [&](const std::string& text) {
    const size_t found = finished.out.find(text);
    EXPECT_NE(found, std::string::npos) << finished.out;
    return found != std::string::npos ? atoi(finished.out.c_str() + found + text.size()) : -1;
  };
  return {number_after("in huge pages before: "), number_after("in huge pages at the end: "),
          finished.err};
}

TEST(Memory, ManyForksHaveItInHugePages) {
  if (kHelperHasTheMemory || !KernelPutsMemoryIntoHugePages()) {
    GTEST_SKIP() << "not with this kernel, or this build";
  }
  const HugeMegabytes megabytes = HugeMegabytesWith("500");
  if (megabytes.before > 0) {
    GTEST_SKIP() << "this kernel does so by itself";
  }
  EXPECT_GT(megabytes.at_the_end, 0);
  EXPECT_THAT(megabytes.steps, HasSubstr("put memory into huge pages"));
}

TEST(Memory, FewForksHaveItAsItWas) {
  const HugeMegabytes megabytes = HugeMegabytesWith("10");
  if (megabytes.before > 0) {
    GTEST_SKIP() << "this kernel puts more there by itself";
  }
  EXPECT_EQ(megabytes.at_the_end, megabytes.before);
  EXPECT_THAT(megabytes.steps, Not(HasSubstr("huge")));
}

}  // namespace
}  // namespace isolate::plugin_tests
