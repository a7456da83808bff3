#include "isolate/command/subcommands.h"

#include "absl/types/span.h"

namespace isolate::command {

absl::Span<const Subcommand> Subcommands() { return {}; }

}  // namespace isolate::command
