#ifndef ISOLATE_COMMAND_ENTER_H_
#define ISOLATE_COMMAND_ENTER_H_

#include <string>

namespace isolate::command {

// `isolate enter`: as of Subcommand::run.
int Enter(int argc, char** argv);

// What its --help prints.
std::string EnterHelp();

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_ENTER_H_
