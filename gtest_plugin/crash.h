#ifndef GTEST_PLUGIN_CRASH_H_
#define GTEST_PLUGIN_CRASH_H_

// A test that crashes tells the runner where: the signal, its cause and address, and
// the stack.

#include <string>

#include "isolate/reporter.h"

namespace isolate::gtest {

// In a test process, from here on: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT and
// the SIGTERM of a time limit send a crash event through `reporter`, which must live
// as long as the process, and then do what they do by default, a core included.  At
// SIGTERM that has the stacks of all threads, and processes that the test forked print
// theirs to its stderr.  After PrepareStacks (stacks.h).
//
// A signal that the program or a sanitizer handles or ignores is left to it; that a sanitizer ends
// the process is an event of its own, after PrepareForSanitizers.  The crash of a process that the
// test forked, for a death test, is nobody's news.
void ReportCrashes(const Reporter& reporter);

// Once in a program, early: takes the callbacks by which sanitizers that are linked in tell that
// they end a process (<sanitizer/common_interface_defs.h>).
void PrepareForSanitizers();

// Gives SIGTERM its default action back, if ReportCrashes gave it another.
void ReleaseTermination();

// In a test process: a core that the kernel names relative to the working directory (core(5)) goes
// to this folder, which is made then; empty: it goes where it would go.
void SetCoreFolder(const std::string& folder);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_CRASH_H_
