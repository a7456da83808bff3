#include "isolate/internal/step_log.h"

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

TEST(StepLog, HasEachStepAndWhenItWasOver) {
  StepLog log;
  log.Add(Step::kCloneInit, 150);
  log.Add(Step::kPrivateMounts, 170);
  ASSERT_EQ(log.count, 2U);
  EXPECT_EQ(log.entries[0].step, Step::kCloneInit);
  EXPECT_EQ(log.entries[0].ended_ns, 150);
  EXPECT_EQ(log.entries[1].step, Step::kPrivateMounts);
  EXPECT_EQ(log.entries[1].ended_ns, 170);
}

TEST(StepLog, MakesOneEntryOfAStepThatIsRepeatedAtOnce) {
  StepLog log;
  log.Add(Step::kMountTmpfs, 1);
  log.Add(Step::kMountTmpfs, 2);
  log.Add(Step::kRestorePath, 3);
  log.Add(Step::kMountTmpfs, 4);
  ASSERT_EQ(log.count, 3U);
  EXPECT_EQ(log.entries[0].ended_ns, 2);
  EXPECT_EQ(log.entries[2].step, Step::kMountTmpfs);
  EXPECT_EQ(log.entries[2].ended_ns, 4);
}

TEST(StepLog, LeavesOutWhatDoesNotFit) {
  StepLog log;
  for (size_t i = 0; i <= StepLog::kMaxEntries; ++i) {
    log.Add(i % 2 == 0 ? Step::kMountTmpfs : Step::kRestorePath, static_cast<int64_t>(i));
  }
  ASSERT_EQ(log.count, StepLog::kMaxEntries);
  const int64_t last = StepLog::kMaxEntries - 1;
  EXPECT_EQ(log.entries[last].ended_ns, last);
}

}  // namespace
}  // namespace isolate::internal
