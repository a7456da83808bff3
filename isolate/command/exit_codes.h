#ifndef ISOLATE_COMMAND_EXIT_CODES_H_
#define ISOLATE_COMMAND_EXIT_CODES_H_

// What the program's exit codes mean.  A command that it runs has its own, or 128 + N where
// signal N ended it, as in a shell.

namespace isolate::command {

inline constexpr int kLeakedExitCode = 1;  // the command's was 0, and --leaks=fail
inline constexpr int kLostExitCode = 1;    // it is not known what became of the command
inline constexpr int kWrongUseExitCode = 2;
inline constexpr int kNotIsolatedExitCode = 3;      // no sandbox could be had; nothing ran
inline constexpr int kTimedOutExitCode = 124;       // as of timeout(1)
inline constexpr int kNotExecutableExitCode = 126;  // as of env(1)
inline constexpr int kNotFoundExitCode = 127;
inline constexpr int kSignalExitCode = 128;  // and the signal's number

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_EXIT_CODES_H_
