// A test that has never heard of isolate.

#include <string>

#include "gtest/gtest.h"

namespace {

TEST(Plain, Adds) { EXPECT_EQ(1 + 1, 2); }

TEST(Plain, Skips) { GTEST_SKIP() << "as plain tests do"; }

TEST(Plain, HasAFolder) { EXPECT_NE(::testing::TempDir(), std::string()); }

}  // namespace
