#include "isolate/command/subcommands.h"

#include "absl/types/span.h"
#include "isolate/command/enter.h"
#include "isolate/command/list.h"
#include "isolate/command/run.h"

namespace isolate::command {

absl::Span<const Subcommand> Subcommands() {
  static constexpr Subcommand kSubcommands[] = {
      {"run", "runs a command in a sandbox of its own", Run},
      {"list", "lists the sandboxes that are alive", List},
      {"enter", "runs a shell, or a command, in one of them", Enter},
  };
  return kSubcommands;
}

}  // namespace isolate::command
