#ifndef GTEST_PLUGIN_RUNNING_TESTS_H_
#define GTEST_PLUGIN_RUNNING_TESTS_H_

// Which tests run now, for whoever asks from outside: a test that runs in a fork has no name that
// other processes could see.  The runner holds a file without a name (memfd_create(2)), which
// root and the user who runs it find below /proc/RUNNER/fd, and writes a place of it when a test
// begins and when it has ended.

#include <sys/types.h>

#include <cstddef>
#include <vector>

#include "gtest_plugin/running_test.h"
#include "isolate/internal/fd.h"

namespace isolate::gtest {

// Lives in the runner.  Where the host or a limit refuses the file, tests have no names; that is
// no reason not to run them.
class RunningTests {
 public:
  RunningTests();

  // Says what runs in a place, instead of what ran there; costs about a microsecond.  A name that
  // has no room in it, some thousand characters, is not told.
  void Set(size_t place, const RunningTest& running);
  void Clear(size_t place) { Set(place, {}); }

 private:
  bool MayWrite(off_t end) const;

  isolate::internal::Fd file_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// What the process `runner` says that it runs; nothing where it is no runner, or may not be
// looked into.  What is being written at the moment may be missing.
std::vector<RunningTest> RunningTestsOf(pid_t runner);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_RUNNING_TESTS_H_
