// Linked with GoogleTest 1.8.1, with a main of its own that has something to say.

#include <stdio.h>
#include <stdlib.h>

#include <stdexcept>
#include <string>

#include "gtest/gtest.h"

namespace {

TEST(Simple, Passes) { RecordProperty("key", "va\"lue"); }
TEST(Simple, Fails) {
  SCOPED_TRACE("traced");
  EXPECT_EQ(1, 2) << "first";
  puts("a word");
  ASSERT_TRUE(false) << "last\n\nlines";
}
TEST(Simple, Throws) { throw std::runtime_error("thrown"); }
TEST(Simple, PrintsLikeGtest) { puts("a.cc:1: Failure\n[  FAILED  ] Simple.Passes (1 ms)"); }
TEST(Simple, DISABLED_Never) { FAIL(); }
TEST(Ends, Aborts) { abort(); }
TEST(SimpleDeathTest, Dies) { EXPECT_DEATH(abort(), ""); }

template <typename T>
class Typed : public ::testing::Test {};
using Types = ::testing::Types<char, std::string>;
TYPED_TEST_CASE(Typed, Types);
TYPED_TEST(Typed, IsSmall) { EXPECT_EQ(sizeof(TypeParam), 1U); }

class Numbers : public ::testing::TestWithParam<int> {};
TEST_P(Numbers, AreEven) { EXPECT_EQ(GetParam() % 2, 0); }
INSTANTIATE_TEST_CASE_P(Some, Numbers, ::testing::Values(2, 3),
                        [](const auto& test) { return "Is" + std::to_string(test.param); });

// Which version 1.8.1 forgives, and runs the tests.
class FailsToSetUp : public ::testing::Test {
 protected:
  static void SetUpTestCase() { ADD_FAILURE() << "no database"; }
};
TEST_F(FailsToSetUp, Fails) { FAIL() << "in the body"; }

class FailsOnDemand : public ::testing::Environment {
  void SetUp() override {
    if (getenv("FAIL") != nullptr) {
      FAIL() << "no network";
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  puts("Loading.\n  Loaded");
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new FailsOnDemand);
  return RUN_ALL_TESTS();
}
