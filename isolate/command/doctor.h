#ifndef ISOLATE_COMMAND_DOCTOR_H_
#define ISOLATE_COMMAND_DOCTOR_H_

namespace isolate::command {

// "isolate doctor [--json]": tells what of the default sandbox can be had here, and where something
// cannot, why, and what mends it.  Gives 0 where all of it can, and kNotIsolatedExitCode otherwise.
int Doctor(int argc, char** argv);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_DOCTOR_H_
