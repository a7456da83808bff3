#ifndef GTEST_PLUGIN_RUNNING_TEST_H_
#define GTEST_PLUGIN_RUNNING_TEST_H_

// A test that runs now, and the bytes by which the runner tells other processes of it
// (running_tests.h).  Those may be read while they are written, of which the kernel makes no
// whole: so they have a checksum.  Pure code.

#include <sys/types.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate::gtest {

struct RunningTest {
  pid_t process = 0;  // as the runner sees it; 0: none runs
  std::string suite;
  std::string test;  // without the suite's name; empty: the process runs several of the suite's
};

std::string Encode(const RunningTest& running);

// What stands at the beginning of `bytes`; nothing where that is not what one Encode has given.
absl::optional<RunningTest> DecodeRunningTest(absl::string_view bytes);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_RUNNING_TEST_H_
