#include "isolate/result.h"

#include <string.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace isolate {
namespace {

std::string SignalName(int signal) {
  // sigabbrev_np (glibc 2.32) knows no real-time signals.
  const char* abbreviation = sigabbrev_np(signal);
  return abbreviation != nullptr ? absl::StrCat("SIG", abbreviation)
                                 : absl::StrCat("signal ", signal);
}

}  // namespace

std::string Describe(Outcome outcome, int code) {
  switch (outcome) {
    case Outcome::kReturned:
      return absl::StrCat("returned ", code);
    case Outcome::kExited:
      return absl::StrCat("exited with ", code);
    case Outcome::kSignaled:
      return absl::StrCat("died of ", SignalName(code));
    case Outcome::kTimedOut:
      return "timed out";
    case Outcome::kLost:
      return "ended, and something else in the calling process took its exit status";
  }
  return "ended in an unknown way";
}

}  // namespace isolate
