// Failures and output of what is set up once for a suite.

#include <stdio.h>

#include "gtest/gtest.h"

namespace {

class FailsInSetUp : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    printf("set up\n");
    EXPECT_TRUE(false) << "in SetUpTestSuite";
    printf("set up, after the failure\n");
  }
  static void TearDownTestSuite() { printf("torn down\n"); }
};

TEST_F(FailsInSetUp, First) { printf("body\n"); }
TEST_F(FailsInSetUp, Second) { printf("body\n"); }
TEST_F(FailsInSetUp, Third) { printf("body\n"); }

class FailsInTearDown : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { SUCCEED() << "a word"; }
  static void TearDownTestSuite() {
    printf("torn down\n");
    ADD_FAILURE() << "in TearDownTestSuite";
    FAIL() << "and again";
  }
};

TEST_F(FailsInTearDown, First) { printf("body\n"); }
TEST_F(FailsInTearDown, Second) { EXPECT_TRUE(false) << "in a test"; }
TEST_F(FailsInTearDown, Third) { printf("body\n"); }

class FailsInBoth : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { FAIL() << "in SetUpTestSuite"; }
  static void TearDownTestSuite() { FAIL() << "in TearDownTestSuite"; }
};

TEST_F(FailsInBoth, First) {}
TEST_F(FailsInBoth, Second) {}

class FailsNowhere : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { printf("set up\n"); }
  static void TearDownTestSuite() { printf("torn down\n"); }
};

TEST_F(FailsNowhere, First) {}
TEST_F(FailsNowhere, Second) {}

}  // namespace
