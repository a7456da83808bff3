#ifndef GTEST_PLUGIN_EXIT_WITH_H_
#define GTEST_PLUGIN_EXIT_WITH_H_

#include "absl/status/status.h"

namespace isolate::gtest {

// Exit codes; 0 and 1 are gtest's.
inline constexpr int kWrongUseExitCode = 2;
inline constexpr int kNotIsolatedExitCode = 3;  // of a test process, too

// In the runner: says what is wrong and what to do, and ends the program, with kWrongUseExitCode
// for a flag, a trait or a call that is wrong.  `judged`: how many tests have ended.
[[noreturn]] void ExitWith(const absl::Status& status, int judged);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_EXIT_WITH_H_
