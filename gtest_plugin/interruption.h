#ifndef GTEST_PLUGIN_INTERRUPTION_H_
#define GTEST_PLUGIN_INTERRUPTION_H_

// SIGINT, SIGTERM and SIGHUP to the runner: Ctrl-C, Bazel's time limit.  They end the
// run, but not before the report is written of what ran.
//
// One of them that the program ignores or handles itself is left to it.  The second
// one ends the program at once.

namespace isolate::gtest {

// From here on calls `notify`, which must be async-signal-safe, when one comes.
void CatchInterruptions(void (*notify)());

// In a process of a sandbox: the same for the SIGTERM with which the runner ends it, any number of
// them. One from within the sandbox is ignored then.
void CatchTermination(void (*notify)());

// Gives those that were caught their default action back: in a test process, and
// before the program dies of one.
void ReleaseInterruptions();

// The one that came; 0 if none did.
int Interruption();

// Dies of the one that came, as a program that had not caught it.
[[noreturn]] void DieOfInterruption();

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_INTERRUPTION_H_
