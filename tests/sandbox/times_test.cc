// Result::times: when each step was done, on one clock.

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

// The times of a function that tells when it runs, and that moment.
std::pair<Times, absl::Time> TimesOf(const Options& options) {
  absl::StatusOr<Result> result = isolate::Run(options, [](Reporter& reporter) {
    return reporter.Send(absl::FormatTime(absl::Now())).ok() ? 0 : 1;
  });
  absl::Time inside;
  std::string error;
  if (!result.ok() || result->messages.size() != 1 ||
      !absl::ParseTime(absl::RFC3339_full, result->messages[0].payload, &inside, &error)) {
    ADD_FAILURE() << Told(result) << error;
    return {};
  }
  return {result->times, inside};
}

std::vector<Step> StepsOf(const Times& times) {
  std::vector<Step> steps;
  for (const StepTime& time : times.set_up) {
    steps.push_back(time.step);
  }
  return steps;
}

void ExpectOrder(const Times& times, absl::Time before, absl::Time inside) {
  absl::Time last = before;
  for (const StepTime& time : times.set_up) {
    EXPECT_GE(time.begun, last);
    EXPECT_GT(time.ended, time.begun) << StepName(time.step);
    last = time.ended;
  }
  EXPECT_GE(times.forked, last);
  EXPECT_GE(times.forked, times.started);
  EXPECT_GE(times.entered, times.forked);
  EXPECT_GE(inside, times.entered);
  EXPECT_GE(times.ended, inside);
  EXPECT_GE(times.over, std::max(times.ended, times.looked));
  EXPECT_GE(absl::Now(), times.over);
}

TEST(Times, HaveEveryStepOfTheSandboxInItsOrder) {
  const absl::Time before = absl::Now();
  const auto [times, inside] = TimesOf({});
  ExpectOrder(times, before, inside);
  EXPECT_THAT(StepsOf(times), IsSupersetOf({Step::kCloneInit, Step::kPrivateMounts,
                                            Step::kMountTmpfs, Step::kMountProc, Step::kMountSysfs,
                                            Step::kLoopback, Step::kHostname, Step::kAnnounce}));
  EXPECT_EQ(StepsOf(times).front(), Step::kCloneInit);
  EXPECT_EQ(StepsOf(times).back(), Step::kAnnounce);
}

TEST(Times, HaveNoStepThatIsNotTaken) {
  Options options;
  options.network = Network::kHost;
  options.uts_namespace = false;
  options.pid_namespace = false;
  options.mount_namespace = false;
  EXPECT_THAT(StepsOf(TimesOf(options).first), ElementsAre(Step::kCloneInit, Step::kAnnounce));
}

TEST(Times, AreOfOneClockThoughTheSandboxHasAnother) {
  if (!kCanJoinTimeNamespaces) {
    GTEST_SKIP();
  }
  Options options;
  options.time_offset = absl::Hours(24);
  const absl::Time before = absl::Now();
  const auto [times, inside] = TimesOf(options);
  ExpectOrder(times, before, inside);
}

TEST(Times, SayWhenThereWasALookAtWhatWasLeft) {
  const absl::StatusOr<Result> left = isolate::Run({}, [](Reporter&) {
    std::ofstream("/tmp/left") << "something";
    return 0;
  });
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_GT(left->times.looked, left->times.ended);
#ifndef ABSL_HAVE_THREAD_SANITIZER                            // whose thread may do anything yet
  EXPECT_EQ(TimesOf({}).first.looked, absl::InfinitePast());  // it left nothing
#endif
  Options options;
  options.leaks = {};
  EXPECT_EQ(TimesOf(options).first.looked, absl::InfinitePast());
}

TEST(Times, SayWhenNobodyWasLeftWhoCouldWrite) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) {
    if (fork() == 0) {
      for (;;) {
        pause();
      }
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_GT(result->times.over, result->times.looked);
}

TEST(Times, OfACommandSayWhenItWasToBeExecuted) {
  const absl::StatusOr<Result> result = RunCommand({}, {"true"});
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_GT(result->times.entered, result->times.forked);
  EXPECT_GT(result->times.ended, result->times.entered);
}

}  // namespace
}  // namespace isolate
