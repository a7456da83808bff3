// Much of what a test tells its runner, and from many threads.

#include <atomic>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace {

TEST(Crowd, OfSuccesses) {
  for (int i = 0; i < 300'000; ++i) {
    SUCCEED();
  }
}

// A reader of the properties must not meet the writer.
TEST(Crowd, OfPropertiesFromAThread) {
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 3000; ++i) {
      RecordProperty("key" + std::to_string(i), std::string(50, 'x'));
    }
    done = true;
  });
  while (!done) {
    SUCCEED();
  }
  writer.join();
}

TEST(Crowd, OfValuesForOneProperty) {
  for (int i = 0; i < 1000; ++i) {
    RecordProperty("key", i);
    SUCCEED();
  }
}

}  // namespace
