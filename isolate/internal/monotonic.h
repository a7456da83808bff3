#ifndef ISOLATE_INTERNAL_MONOTONIC_H_
#define ISOLATE_INTERNAL_MONOTONIC_H_

#include <time.h>

#include "absl/time/time.h"

namespace isolate::internal {

// CLOCK_MONOTONIC as an absl::Time, whose epoch means nothing: for time limits
// and durations, which a set clock must not change.
inline absl::Time MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_MONOTONIC_H_
