// Tests that wait for ever, under names that no other specimen has.  Each writes a byte to
// descriptor TELL_FD when it does.

#include <stdlib.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace {

void Linger() {
  ASSERT_EQ(write(atoi(getenv("TELL_FD")), "x", 1), 1);
  for (;;) {
    pause();
  }
}

TEST(Lingers, NotAtAll) {}
TEST(Lingers, ForEver) { Linger(); }
TEST(Lingers, ForEverToo) { Linger(); }

class LingersEach : public ::testing::TestWithParam<int> {};
TEST_P(LingersEach, ForEver) { Linger(); }
INSTANTIATE_TEST_SUITE_P(All, LingersEach, ::testing::Range(0, 2));

class LingersAfterSetUp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {}
};
TEST_F(LingersAfterSetUp, ForEver) { Linger(); }
TEST_F(LingersAfterSetUp, ForEverToo) { Linger(); }

}  // namespace
