#ifndef GTEST_PLUGIN_CRASH_H_
#define GTEST_PLUGIN_CRASH_H_

// A test that crashes tells the runner where: the signal, its cause and address, and
// the stack.

#include "isolate/reporter.h"

namespace isolate::gtest {

// Makes absl's symbolizer ready.  To be called in the runner, with argv[0].
void PrepareStacks(const char* program);

// In a test process, from here on: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT and
// the SIGTERM of a time limit send a crash event through `reporter`, which must live
// as long as the process, and then do what they do by default, a core included.
//
// A signal that the program or a sanitizer handles or ignores is left to it.  So is
// a process that the test forks: a death test's crash is nobody's news.
void ReportCrashes(const Reporter& reporter);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_CRASH_H_
