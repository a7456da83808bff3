// The program: sandboxes for what was not built with the library.

#include <iostream>
#include <string>

#include "absl/strings/string_view.h"
#include "isolate/command/exit_codes.h"
#include "isolate/command/subcommands.h"

namespace isolate::command {
namespace {

void PrintHelp(std::ostream& out) {
  out << "usage: isolate COMMAND [OPTIONS] ...\n"
         "\n"
         "Runs commands and tests in Linux sandboxes of their own.\n"
         "\n";
  for (const Subcommand& subcommand : Subcommands()) {
    out << "  isolate " << subcommand.name << std::string(8 - subcommand.name.size(), ' ')
        << subcommand.summary << "\n";
  }
  out << "\n\"isolate COMMAND --help\" says more of each.\n";
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    PrintHelp(std::cerr);
    return kWrongUseExitCode;
  }
  const absl::string_view name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    PrintHelp(std::cout);
    return 0;
  }
  for (const Subcommand& subcommand : Subcommands()) {
    if (subcommand.name == name) {
      return subcommand.run(argc - 1, argv + 1);
    }
  }
  std::cerr << "isolate: there is no command \"" << name << "\"; see isolate --help\n";
  return kWrongUseExitCode;
}

}  // namespace
}  // namespace isolate::command

int main(int argc, char** argv) { return isolate::command::Main(argc, argv); }
