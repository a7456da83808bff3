// Exceptions that leave a test, or a part of one.

#include <stdio.h>

#include <stdexcept>

#include "gtest/gtest.h"

namespace {

TEST(Before, Passes) { printf("before\n"); }

TEST(Throws, AnError) {
  printf("about to throw\n");
  EXPECT_TRUE(false) << "before the exception";
  throw std::runtime_error("what it says");
}

TEST(Throws, SomethingElse) { throw 5; }

enum class Part { kSetUpTestSuite, kConstructor, kSetUp, kTearDown, kTearDownTestSuite };

template <Part where>
class Throwing : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ThrowIn(Part::kSetUpTestSuite); }
  static void TearDownTestSuite() { ThrowIn(Part::kTearDownTestSuite); }
  Throwing() { ThrowIn(Part::kConstructor); }
  void SetUp() override { ThrowIn(Part::kSetUp); }
  void TearDown() override { ThrowIn(Part::kTearDown); }

 private:
  static void ThrowIn(Part part) {
    if (part == where) {
      throw std::logic_error("thrown outside of the body");
    }
  }
};

using ThrowsInSetUpTestSuite = Throwing<Part::kSetUpTestSuite>;
using ThrowsInConstructor = Throwing<Part::kConstructor>;
using ThrowsInSetUp = Throwing<Part::kSetUp>;
using ThrowsInTearDown = Throwing<Part::kTearDown>;
using ThrowsInTearDownTestSuite = Throwing<Part::kTearDownTestSuite>;

TEST_F(ThrowsInSetUpTestSuite, First) { printf("body\n"); }
TEST_F(ThrowsInSetUpTestSuite, Second) { printf("body\n"); }
TEST_F(ThrowsInConstructor, HasNoBody) { printf("body\n"); }
TEST_F(ThrowsInSetUp, HasNoBody) { printf("body\n"); }
TEST_F(ThrowsInTearDown, HasABody) { printf("body\n"); }
TEST_F(ThrowsInTearDownTestSuite, First) { printf("body\n"); }
TEST_F(ThrowsInTearDownTestSuite, Second) { printf("body\n"); }

TEST(Zlast, Passes) { printf("at last\n"); }

}  // namespace
