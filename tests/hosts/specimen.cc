// Passes wherever it can run.

#include <unistd.h>

#include "gtest/gtest.h"

namespace {

TEST(Specimen, Runs) { EXPECT_GT(getpid(), 0); }

TEST(Specimen, RunsAgain) { EXPECT_GT(getpid(), 0); }

}  // namespace
