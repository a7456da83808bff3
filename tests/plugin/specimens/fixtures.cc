// The life of a fixture, and failures in each part of it.

#include <stdio.h>

#include "gtest/gtest.h"

namespace {

class Talking : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { printf("SetUpTestSuite\n"); }
  static void TearDownTestSuite() { printf("TearDownTestSuite\n"); }
  Talking() { printf("constructor\n"); }
  ~Talking() override { printf("destructor\n"); }
  void SetUp() override { printf("SetUp\n"); }
  void TearDown() override { printf("TearDown\n"); }
};

TEST_F(Talking, First) { printf("body\n"); }
TEST_F(Talking, Second) { EXPECT_TRUE(false) << "in the body"; }
TEST_F(Talking, Third) { printf("body\n"); }

enum class Part { kConstructor, kSetUp, kTearDown, kDestructor };

template <Part where>
class Failing : public Talking {
 protected:
  Failing() { FailIn(Part::kConstructor); }
  ~Failing() override { FailIn(Part::kDestructor); }
  void SetUp() override { FailIn(Part::kSetUp); }
  void TearDown() override { FailIn(Part::kTearDown); }

 private:
  static void FailIn(Part part) {
    if (part == where) {
      FAIL() << "part " << static_cast<int>(part);
    }
  }
};

using FailingConstructor = Failing<Part::kConstructor>;
using FailingSetUp = Failing<Part::kSetUp>;
using FailingTearDown = Failing<Part::kTearDown>;
using FailingDestructor = Failing<Part::kDestructor>;

TEST_F(FailingConstructor, HasNoBody) { printf("body\n"); }
TEST_F(FailingSetUp, HasNoBody) { printf("body\n"); }
TEST_F(FailingTearDown, HasABody) { printf("body\n"); }
TEST_F(FailingDestructor, HasABody) { printf("body\n"); }

class SkippingConstructor : public Talking {
 protected:
  SkippingConstructor() { Skip(); }
  static void Skip() { GTEST_SKIP() << "in the constructor"; }
};

TEST_F(SkippingConstructor, HasNoBody) { printf("body\n"); }

}  // namespace
