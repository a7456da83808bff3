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

// What gtest says of itself, to a suite that comes after others.
class AsksGtest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    EXPECT_EQ(::testing::UnitTest::GetInstance()->current_test_info(), nullptr);
    EXPECT_FALSE(HasFailure());
    EXPECT_EQ(Properties(), 0);
    RecordProperty("recorded", "in SetUpTestSuite");
    EXPECT_EQ(Properties(), 1);
  }
  static void TearDownTestSuite() {
    EXPECT_EQ(::testing::UnitTest::GetInstance()->current_test_info(), nullptr);
  }

  static const ::testing::TestSuite& Suite() {
    return *::testing::UnitTest::GetInstance()->current_test_suite();
  }

 private:
  static int Properties() { return Suite().ad_hoc_test_result().test_property_count(); }
};

TEST_F(AsksGtest, First) { EXPECT_EQ(Suite().total_test_count(), 4); }
TEST_F(AsksGtest, Second) { EXPECT_EQ(Suite().test_to_run_count(), 3); }
TEST_F(AsksGtest, Third) { EXPECT_STREQ(Suite().GetTestInfo(2)->name(), "Third"); }
TEST_F(AsksGtest, DISABLED_Fourth) {}

}  // namespace
