#include "isolate/command/subcommands.h"

#include "absl/types/span.h"
#include "isolate/command/run.h"

namespace isolate::command {

absl::Span<const Subcommand> Subcommands() {
  static constexpr Subcommand kSubcommands[] = {
      {"run", "runs a command in a sandbox of its own", Run},
  };
  return kSubcommands;
}

}  // namespace isolate::command
