#ifndef ISOLATE_INTERNAL_REALTIME_H_
#define ISOLATE_INTERNAL_REALTIME_H_

#include <time.h>

#include <cstdint>

#include "absl/time/time.h"

namespace isolate::internal {

// CLOCK_REALTIME in nanoseconds: for moments of which several processes tell.  A time namespace
// shifts CLOCK_MONOTONIC for those who are in it, and CLOCK_BOOTTIME, and no other clock
// (time_namespaces(7)).  Somebody may set this one, so it shows what happened, and decides nothing:
// that is for MonotonicNow.  Fit for the helper and the inits; costs some 40 ns.
inline int64_t RealtimeNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline absl::Time RealtimeNow() { return absl::FromUnixNanos(RealtimeNanoseconds()); }

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_REALTIME_H_
