#ifndef ISOLATE_COMMAND_CHECKUP_H_
#define ISOLATE_COMMAND_CHECKUP_H_

// What of the default sandbox can be had here, found out by making sandboxes as whoever asks.

#include <vector>

#include "absl/types/optional.h"
#include "isolate/internal/restrictions.h"
#include "isolate/isolation.h"
#include "isolate/setup_failure.h"

namespace isolate::command {

struct Ailment {
  SetupFailure failure;
  Explanation explanation;  // of it, on this host
};

struct StepCheck {
  enum class State {
    kWorks,
    kFails,
    kNotNeeded,   // by a user with these rights
    kNotReached,  // one before it fails, wherever it is wanted
  };
  Step step;
  State state = State::kNotReached;
  absl::optional<Ailment> ailment;  // of kFails
};

struct KindCheck {
  Isolation kind;
  absl::optional<Ailment> ailment;  // nothing: a sandbox with it, and what it needs, can be had
};

struct Checkup {
  bool has_default_sandbox = false;
  std::vector<StepCheck> steps;  // of the default sandbox, in order
  std::vector<KindCheck> kinds;  // of the default sandbox
  // What a sandbox has where all kinds are preferred and none is required; nothing: there is none.
  absl::optional<Isolations> remaining;
  internal::Restrictions restrictions;
};

// Makes about ten sandboxes, one after another, each with a process in it: some ten milliseconds.
// For a process with one thread.
Checkup CheckHost();

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_CHECKUP_H_
