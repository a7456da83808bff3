// BENCHMARK_TESTS empty tests, or 1000, ten in a suite, with the runner's heap filled before the
// first (heap.h).  Says how long they took without that.

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <chrono>
#include <string>

#include "benchmarks/heap.h"
#include "gtest/gtest.h"

namespace {

class Empty : public ::testing::Test {
  void TestBody() override {}
};

class Heap : public ::testing::Environment {
  void SetUp() override {
    ASSERT_TRUE(isolate::benchmarks::FillHeap());
    begun_ = std::chrono::steady_clock::now();
  }
  void TearDown() override {
    const std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - begun_;
    printf("the tests took %.0f us\n", took.count());
  }

  std::chrono::steady_clock::time_point begun_;
};

// Before main, which is GoogleTest's or the plugin's.
const bool kRegistered = [] {
  const char* const tests = getenv("BENCHMARK_TESTS");
  const size_t count = tests != nullptr ? strtoul(tests, nullptr, 10) : 1000;
  for (size_t number = 0; number < count; ++number) {
    const std::string suite = "Suite" + std::to_string(number / 10);
    const std::string test = "Test" + std::to_string(number);
    testing::RegisterTest(suite.c_str(), test.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          []() -> testing::Test* { return new Empty; });
  }
  testing::AddGlobalTestEnvironment(new Heap);
  return true;
}();

}  // namespace
