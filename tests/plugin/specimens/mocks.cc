// Mocks: what gmock verifies, when, and what it says.

#include <functional>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using ::testing::InSequence;
using ::testing::NiceMock;
using ::testing::Return;
using ::testing::StrictMock;

class Turtle {
 public:
  virtual ~Turtle() = default;
  virtual int Walk(int steps) = 0;
  virtual void Turn() = 0;
};

class MockTurtle : public Turtle {
 public:
  MOCK_METHOD(int, Walk, (int steps), (override));
  MOCK_METHOD(void, Turn, (), (override));
};

TEST(Expectations, AreMet) {
  MockTurtle turtle;
  EXPECT_CALL(turtle, Walk(3)).WillOnce(Return(4));
  EXPECT_EQ(turtle.Walk(3), 4);
}

TEST(Expectations, AreNotMet) {
  MockTurtle turtle;
  EXPECT_CALL(turtle, Walk).Times(2);
  EXPECT_CALL(turtle, Turn);
  turtle.Walk(1);
}

TEST(Expectations, AreExceeded) {
  MockTurtle turtle;
  EXPECT_CALL(turtle, Turn);
  turtle.Turn();
  turtle.Turn();
}

TEST(Expectations, AreMetInAnotherOrder) {
  MockTurtle turtle;
  const InSequence sequence;
  EXPECT_CALL(turtle, Walk(1));
  EXPECT_CALL(turtle, Turn);
  turtle.Turn();
  turtle.Walk(1);
}

TEST(Expectations, AreVerifiedBeforeTheEnd) {
  MockTurtle turtle;
  EXPECT_CALL(turtle, Turn);
  EXPECT_FALSE(::testing::Mock::VerifyAndClearExpectations(&turtle));
}

TEST(Calls, ThatNobodyExpects) {
  MockTurtle turtle;
  ON_CALL(turtle, Walk(5)).WillByDefault(Return(6));
  EXPECT_EQ(turtle.Walk(5), 6);
  turtle.Turn();
}

TEST(Calls, OfANiceMock) {
  NiceMock<MockTurtle> turtle;
  turtle.Turn();
}

TEST(Calls, OfAStrictMock) {
  StrictMock<MockTurtle> turtle;
  turtle.Turn();
}

TEST(Calls, OfAMockFunction) {
  ::testing::MockFunction<int(int)> function;
  EXPECT_CALL(function, Call(1)).WillOnce(Return(2));
  EXPECT_EQ(function.AsStdFunction()(1), 2);
}

// Its mock is verified after TearDown.
class FixtureWithAMock : public ::testing::Test {
 protected:
  std::unique_ptr<MockTurtle> turtle_ = std::make_unique<MockTurtle>();
};

TEST_F(FixtureWithAMock, MeetsItsExpectation) {
  EXPECT_CALL(*turtle_, Turn);
  turtle_->Turn();
}

TEST_F(FixtureWithAMock, DoesNotMeetIt) { EXPECT_CALL(*turtle_, Turn); }

TEST(NeverDeleted, AndAllowed) {
  static auto* turtle = new MockTurtle;  // in sight of LeakSanitizer
  EXPECT_CALL(*turtle, Turn);
  ::testing::Mock::AllowLeak(turtle);
}

TEST(NeverDeleted, DISABLED_AndNotAllowed) {
  static auto* turtle = new MockTurtle;  // in sight of LeakSanitizer
  EXPECT_CALL(*turtle, Turn);
}

}  // namespace
