// RecordProperty, wherever it may be called.

#include "gtest/gtest.h"

namespace {

class Properties : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    RecordProperty("suite_begin", "set up");
    RecordProperty("suite_both", "begin");
  }
  static void TearDownTestSuite() {
    RecordProperty("suite_end", 99);
    RecordProperty("suite_both", "end");
  }
  void SetUp() override { RecordProperty("in_set_up", 1); }
  void TearDown() override { RecordProperty("in_tear_down", 2); }
};

TEST_F(Properties, None) {}

TEST_F(Properties, Several) {
  RecordProperty("number", -5);
  RecordProperty("text", "with <mark> & \"quotes\"\nand a line");
  RecordProperty("empty", "");
}

TEST_F(Properties, Overwritten) {
  RecordProperty("key", "first");
  RecordProperty("other", "stays");
  EXPECT_TRUE(false) << "after which a key changes";
  RecordProperty("key", "second");
  RecordProperty("in_set_up", "mine");
}

TEST_F(Properties, ReservedName) { RecordProperty("name", "taken by gtest"); }

class EnvironmentWithProperty : public ::testing::Environment {
  void SetUp() override { ::testing::Test::RecordProperty("program", "recorded"); }
};

const auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new EnvironmentWithProperty);

TEST(AnotherSuite, RecordsItsOwn) { RecordProperty("mine", kEnvironment != nullptr); }

}  // namespace
