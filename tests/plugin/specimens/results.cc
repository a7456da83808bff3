// What can become of a test, and what an assertion can say.

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using ::testing::ElementsAre;
using ::testing::TestPartResult;

TEST(Passed, InSilence) {}
TEST(Passed, WithAWord) { SUCCEED() << "a word"; }

TEST(Failed, ButWentOn) {
  EXPECT_EQ(1, 2) << "streamed " << 3;
  EXPECT_TRUE(false);
}

TEST(Failed, AndEnded) {
  ASSERT_STREQ("this", "that") << "streamed";
  ADD_FAILURE() << "not reached";
}

TEST(Failed, SeveralTimes) {
  EXPECT_GT(1, 2);
  SUCCEED() << "between failures";
  EXPECT_NEAR(1.0, 2.0, 0.5);
  ADD_FAILURE();
  FAIL() << "at last";
}

TEST(Failed, ByAMatcher) { EXPECT_THAT(std::vector<int>({1, 2}), ElementsAre(1, 3)); }

void Demand(bool what) { ASSERT_TRUE(what) << "in a helper"; }

TEST(Failed, InAHelper) {
  Demand(false);
  EXPECT_TRUE(HasFatalFailure()) << "not seen by the caller";
}

TEST(Failed, WithinTraces) {
  SCOPED_TRACE("outer");
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round);
    Demand(round == 0);
  }
}

TEST(Failed, WithoutAFile) {
  GTEST_MESSAGE_AT_(nullptr, -1, "nobody knows where", TestPartResult::kNonFatalFailure);
}

TEST(Failed, AtAnotherPlace) { ADD_FAILURE_AT("elsewhere.cc", 7) << "there"; }

TEST(Failed, InLinesAndMarkUp) {
  ADD_FAILURE() << "first\nsecond\n\n<tag attribute='a' other=\"b\"> & ]]> \x01 \xc3\xa4 \xff\n";
}

TEST(Failed, WithANul) { ADD_FAILURE() << std::string("before\0after", 12); }

TEST(Failed, AtLength) { ADD_FAILURE() << std::string(200000, 'x') << "end"; }

TEST(Failed, InAnotherThread) {
  std::thread([] { ADD_FAILURE() << "from a thread"; }).join();
}

class Mock {
 public:
  MOCK_METHOD(void, Call, (int));
};

TEST(Failed, ByAnUnmetExpectation) {
  Mock mock;
  EXPECT_CALL(mock, Call(1));
  mock.Call(2);
}

TEST(Skipped, InTheBody) {
  GTEST_SKIP() << "a reason";
  ADD_FAILURE() << "not reached";
}

TEST(Skipped, InSilence) { GTEST_SKIP(); }

TEST(Skipped, AfterAFailure) {
  EXPECT_TRUE(false);
  GTEST_SKIP() << "too late";
}

class SkippedInSetUp : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_SKIP() << "not here"; }
};

TEST_F(SkippedInSetUp, First) { ADD_FAILURE() << "not reached"; }
TEST_F(SkippedInSetUp, Second) { ADD_FAILURE() << "not reached"; }

}  // namespace
