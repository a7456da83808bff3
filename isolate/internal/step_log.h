#ifndef ISOLATE_INTERNAL_STEP_LOG_H_
#define ISOLATE_INTERNAL_STEP_LOG_H_

// When each step of making a sandbox was done.  Plain, as it is written where there is no malloc
// and sent as bytes.  Pure code: the caller has the clock (realtime.h).

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "isolate/setup_failure.h"

namespace isolate::internal {

// The steps follow each other: each begins when the one before it is over.
struct StepLog {
  struct Entry {
    int64_t ended_ns;
    Step step;
  };

  // More than the mounts of sixteen private folders and what is put back into each come to.
  static constexpr size_t kMaxEntries = 48;

  // The time from when the last step was over until `now_ns` was spent on `step`; it is added to
  // the last entry if that was the same step.  What does not fit is left out.
  void Add(Step step, int64_t now_ns) {
    if (count > 0 && entries[count - 1].step == step) {
      entries[count - 1].ended_ns = now_ns;
    } else if (count < kMaxEntries) {
      entries[count++] = {now_ns, step};
    }
  }

  int64_t begun_ns = 0;  // when the first step began
  size_t count = 0;
  Entry entries[kMaxEntries] = {};
};
static_assert(std::is_trivially_copyable<StepLog>::value, "it is sent as bytes");

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_STEP_LOG_H_
