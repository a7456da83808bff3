#ifndef GTEST_PLUGIN_TEST_PROCESS_H_
#define GTEST_PLUGIN_TEST_PROCESS_H_

#include "gtest/gtest.h"
#include "isolate/reporter.h"

namespace isolate::gtest {

// A suite's own functions; either may be null.
struct SuiteFunctions {
  void (*set_up)() = nullptr;
  void (*tear_down)() = nullptr;
};

// In a test process: runs `suite` with `test` as its only test, with gtest's
// own code, and reports every event the moment it happens.  gtest's printers
// and the user's listeners, which live in the runner, hear nothing.  Returns
// the process's exit code.
int RunTest(::testing::TestSuite& suite, ::testing::TestInfo& test, const SuiteFunctions& functions,
            Reporter& reporter);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TEST_PROCESS_H_
