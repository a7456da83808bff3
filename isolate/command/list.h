#ifndef ISOLATE_COMMAND_LIST_H_
#define ISOLATE_COMMAND_LIST_H_

#include <string>

namespace isolate::command {

// `isolate list`: as of Subcommand::run.
int List(int argc, char** argv);

// What its --help prints.
std::string ListHelp();

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_LIST_H_
