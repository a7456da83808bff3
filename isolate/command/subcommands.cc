#include "isolate/command/subcommands.h"

#include "absl/types/span.h"
#include "isolate/command/doctor.h"

namespace isolate::command {

absl::Span<const Subcommand> Subcommands() {
  static constexpr Subcommand kSubcommands[] = {
      {"doctor", "says whether sandboxes can be had here, and what mends it", Doctor},
  };
  return kSubcommands;
}

}  // namespace isolate::command
