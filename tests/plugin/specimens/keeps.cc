// Tests that leave files in their scratch folder, and fail or not.

#include <stdlib.h>

#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace {

void Leave(const std::string& name) { std::ofstream(::testing::TempDir() + "/" + name) << name; }

TEST(Leaves, AndPasses) { Leave("of_passed"); }

TEST(Leaves, AndFails) {
  Leave("of_failed");
  FAIL();
}

TEST(Leaves, AndCrashes) {
  Leave("of_crashed");
  abort();
}

TEST(Leaves, NothingAndFails) { FAIL(); }

class LeavesInSetUp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { Leave("of_suite"); }
};

TEST_F(LeavesInSetUp, AndPasses) {}
TEST_F(LeavesInSetUp, AndFails) {
  Leave("of_test");
  FAIL();
}

class FailsInSetUp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    Leave("of_failed_suite");
    FAIL();
  }
};

TEST_F(FailsInSetUp, First) {}
TEST_F(FailsInSetUp, Second) {}

}  // namespace
