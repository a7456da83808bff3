// Errors that a sanitizer finds, each where the one that finds it is linked in.

#include <limits.h>
#include <pthread.h>

#include "absl/base/config.h"
#include "gtest/gtest.h"

namespace {

TEST(Sanitized, IsClean) {}

#ifdef ABSL_HAVE_ADDRESS_SANITIZER
TEST(Sanitized, UsesFreedMemory) {
  int* volatile freed = new int(1);
  delete freed;
  EXPECT_EQ(*freed, 1);
}

TEST(Sanitized, FollowsAWildPointer) { *reinterpret_cast<volatile int*>(16) = 1; }

// Signed, and so undefined; not compiled with UndefinedBehaviorSanitizer, it is nothing.
TEST(Sanitized, Overflows) {
  volatile int large = INT_MAX;
  large = large + 1;
}
#endif

#ifdef ABSL_HAVE_THREAD_SANITIZER
volatile int the_number = 0;  // or nobody would write to it

void* Write(void*) {
  the_number = 1;
  return nullptr;
}

TEST(Sanitized, Races) {
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, nullptr, Write, nullptr), 0);
  the_number = 2;
  pthread_join(thread, nullptr);
}
#endif

TEST(Sanitized, IsCleanAgain) {}

}  // namespace
