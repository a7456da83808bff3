#include "isolate/command/subcommands.h"

#include "absl/types/span.h"
#include "isolate/command/enter.h"
#include "isolate/command/gtest.h"
#include "isolate/command/list.h"
#include "isolate/command/run.h"

namespace isolate::command {

absl::Span<const Subcommand> Subcommands() {
  static constexpr Subcommand kSubcommands[] = {
      {"run", "runs a command in a sandbox of its own", Run},
      {"list", "lists the sandboxes that are alive", List},
      {"enter", "runs a shell, or a command, in one of them", Enter},
      {"gtest", "runs each test of a GoogleTest binary in a sandbox of its own", Gtest},
  };
  return kSubcommands;
}

}  // namespace isolate::command
