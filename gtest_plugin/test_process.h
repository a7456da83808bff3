#ifndef GTEST_PLUGIN_TEST_PROCESS_H_
#define GTEST_PLUGIN_TEST_PROCESS_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/traits.h"
#include "isolate/executor.h"
#include "isolate/reporter.h"

namespace isolate::gtest {

// A suite's own functions; either may be null.
struct SuiteFunctions {
  void (*set_up)() = nullptr;
  void (*tear_down)() = nullptr;
};

// What one process has to run.
struct Assignment {
  ::testing::TestSuite* suite = nullptr;
  std::vector<::testing::TestInfo*> tests;  // of the suite; at least one
  SuiteFunctions functions;
  absl::Duration time_limit;  // of each test
  Executor::Kind sandbox = Executor::kDefaultKind;
  Scope scope = Scope::kTest;
  bool snapshot = false;  // set up once, and run each test in a fork of the state after that
  // Of a fork of a snapshot: the stretch to which what it uses belongs (Reporter::BeginFootprint).
  uint32_t stretch = 0;
};

// In a test process: runs the suite with these as its only tests, with gtest's
// own code, and reports every event the moment it happens.  gtest's printers
// and the user's listeners, which live in the runner, hear nothing.  `listener`, if there is
// one, hears of a test's end before it is reported; gtest owns it.  Returns the process's exit
// code, 1 where something failed.
int RunTests(const Assignment& assignment, Reporter& reporter,
             ::testing::TestEventListener* listener = nullptr);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TEST_PROCESS_H_
