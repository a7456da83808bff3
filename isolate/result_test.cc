#include "isolate/result.h"

#include <signal.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate {
namespace {

using ::testing::HasSubstr;

TEST(Describe, NamesTheValueOfAFunction) {
  EXPECT_EQ(Describe(Outcome::kReturned, 0), "returned 0");
  EXPECT_EQ(Describe(Outcome::kReturned, -1), "returned -1");
}

TEST(Describe, NamesTheCodeOfAProcess) {
  EXPECT_EQ(Describe(Outcome::kExited, 3), "exited with 3");
}

TEST(Describe, NamesTheSignal) {
  EXPECT_EQ(Describe(Outcome::kSignaled, SIGSEGV), "died of SIGSEGV");
  EXPECT_EQ(Describe(Outcome::kSignaled, SIGKILL), "died of SIGKILL");
}

TEST(Describe, NumbersASignalWithoutAName) {
  EXPECT_EQ(Describe(Outcome::kSignaled, 40), "died of signal 40");
}

TEST(Describe, HasWordsForWhatHasNoCode) {
  EXPECT_EQ(Describe(Outcome::kTimedOut, SIGTERM), "timed out");
  EXPECT_THAT(Describe(Outcome::kLost, 0), HasSubstr("took its exit status"));
}

Result With(Outcome outcome, int code) {
  Result result;
  result.outcome = outcome;
  result.code = code;
  return result;
}

TEST(Result, IsOkWhereAFunctionReturnedOrACommandExitedWithZero) {
  EXPECT_TRUE(With(Outcome::kReturned, 0).ok());
  EXPECT_TRUE(With(Outcome::kExited, 0).ok());
}

TEST(Result, IsNotOkWithAnotherCode) {
  EXPECT_FALSE(With(Outcome::kReturned, 1).ok());
  EXPECT_FALSE(With(Outcome::kReturned, 256).ok());
  EXPECT_FALSE(With(Outcome::kExited, 1).ok());
}

TEST(Result, IsNotOkWhereItDidNotEndByItself) {
  EXPECT_FALSE(With(Outcome::kSignaled, SIGKILL).ok());
  EXPECT_FALSE(With(Outcome::kTimedOut, 0).ok());
  EXPECT_FALSE(With(Outcome::kLost, 0).ok());
  EXPECT_FALSE(Result().ok()) << "nothing is known yet";
}

TEST(Result, IsNotOkWithADamagedReport) {
  Result result = With(Outcome::kReturned, 0);
  result.report_error = "the report is damaged";
  EXPECT_FALSE(result.ok());
}

}  // namespace
}  // namespace isolate
