#include "isolate/command/doctor.h"

#include <getopt.h>

#include <iostream>

#include "isolate/command/checkup.h"
#include "isolate/command/doctor_report.h"
#include "isolate/command/exit_codes.h"

namespace isolate::command {
namespace {

constexpr const char* kHelp =
    "usage: isolate doctor [--json]\n"
    "\n"
    "Tries every step of the default sandbox, as whoever asks, and says for each whether\n"
    "it works, and where it does not, the errno, the cause, and what mends it; which kinds\n"
    "of isolation remain, and the flag that runs tests with those; and the facts by which\n"
    "it judged.\n"
    "\n"
    "  --json  the same for programs\n"
    "  --help  this\n"
    "\n"
    "Exit codes: 0 the default sandbox can be had, 2 wrong use, 3 it cannot be had.\n";

}  // namespace

int Doctor(int argc, char** argv) {
  static constexpr option kOptions[] = {
      {"json", no_argument, nullptr, 'j'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  };
  static char name[] = "isolate doctor";
  argv[0] = name;  // for getopt_long's messages
  bool json = false;
  for (int option; (option = getopt_long(argc, argv, "h", kOptions, nullptr)) != -1;) {
    switch (option) {
      case 'j':
        json = true;
        break;
      case 'h':
        std::cout << kHelp;
        return 0;
      default:
        std::cerr << "see isolate doctor --help\n";  // getopt_long has named what is wrong
        return kWrongUseExitCode;
    }
  }
  if (optind < argc) {
    std::cerr << "isolate doctor: \"" << argv[optind]
              << "\" is one argument too many; see isolate doctor --help\n";
    return kWrongUseExitCode;
  }
  const Checkup checkup = CheckHost();
  std::cout << (json ? JsonOf(checkup) : TextOf(checkup)) << std::flush;
  if (!std::cout) {
    std::cerr << "isolate doctor: what was found could not be written\n";
  }
  return checkup.has_default_sandbox ? 0 : kNotIsolatedExitCode;
}

}  // namespace isolate::command
