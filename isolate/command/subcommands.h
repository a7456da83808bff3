#ifndef ISOLATE_COMMAND_SUBCOMMANDS_H_
#define ISOLATE_COMMAND_SUBCOMMANDS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace isolate::command {

// What can follow "isolate" on the command line.
struct Subcommand {
  absl::string_view name;
  absl::string_view summary;  // a line, for --help
  // Does it, and gives the exit code (exit_codes.h).  `argv[0]` is the subcommand's name; a null
  // pointer follows the last argument, as getopt_long(3) wants it.
  int (*run)(int argc, char** argv);
};

// All of them, in the order in which --help shows them.
absl::Span<const Subcommand> Subcommands();

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_SUBCOMMANDS_H_
