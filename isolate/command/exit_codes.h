#ifndef ISOLATE_COMMAND_EXIT_CODES_H_
#define ISOLATE_COMMAND_EXIT_CODES_H_

// What the program's exit codes mean.  A command that it runs has its own, or 128 + N where
// signal N ended it, as in a shell.

namespace isolate::command {

inline constexpr int kWrongUseExitCode = 2;
inline constexpr int kNotIsolatedExitCode = 3;      // no sandbox could be had; nothing ran
inline constexpr int kNotExecutableExitCode = 126;  // as of env(1)
inline constexpr int kNotFoundExitCode = 127;

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_EXIT_CODES_H_
