#ifndef GTEST_PLUGIN_STACKS_H_
#define GTEST_PLUGIN_STACKS_H_

// Where threads and processes stand, in text, told by a handler of a signal that ends the
// process.  Takes no lock of its own and allocates nothing; unwinding may take
// the loader's lock, so the caller should have an alarm set.

#include <signal.h>
#include <sys/types.h>

#include <string>

#include "absl/strings/string_view.h"
#include "gtest_plugin/signal_safe_text.h"

namespace isolate::gtest {

// Takes the next piece of a text.
using Tell = void (*)(absl::string_view piece);

// Makes absl's symbolizer ready.  To be called in the runner, with argv[0].
void PrepareStacks(const char* program);

// Appends the calling thread's stack, a line for each frame and each behind an end of
// line, from where the signal interrupted it (`context`, as the handler got it) to
// where the test begins.
void AppendStack(const void* context, SignalSafeText& text);

// Tells of every other thread of this process: its number, its name and its stack.  They are
// asked by SIGURG, whose default is to be ignored, and have a second together; of one that does not
// answer only the name is told, and what it waits for in the kernel.  They go on after that.
void TellOtherThreads(Tell tell);

// Where another thread of this process stands; not for a handler.  It is asked as above, has a
// tenth of a second, and goes on after that; one that blocks the signal is not asked.
struct ThreadStand {
  std::string function;  // the innermost one that is not the C or C++ library's; or empty
  std::string stack;     // a line for each frame; or empty
};
ThreadStand StandOf(pid_t thread);

// Ends every other process of the test by a SIGTERM that IsAskedToTell knows, and
// waits half a second for them to end.  Nothing where this is no sandbox with a pid namespace.
void AskOtherProcesses();

// The signal came from AskOtherProcesses, and not from the test itself.
bool IsAskedToTell(const siginfo_t& info);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_STACKS_H_
