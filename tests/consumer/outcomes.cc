// Tests with each outcome.

#include <stdlib.h>

#include "gtest/gtest.h"

namespace {

TEST(Outcomes, Passes) { RecordProperty("colour", "green"); }

TEST(Outcomes, Fails) { EXPECT_EQ(1 + 1, 3); }

TEST(Outcomes, IsSkipped) { GTEST_SKIP() << "on purpose"; }

TEST(Outcomes, Exits) { exit(7); }

TEST(Outcomes, Aborts) { abort(); }

TEST(Outcomes, DISABLED_IsNotRun) { FAIL(); }

}  // namespace
