#ifndef GTEST_PLUGIN_REPLAY_H_
#define GTEST_PLUGIN_REPLAY_H_

// Makes gtest in the runner report what happened in a test process.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"

namespace isolate::gtest {

// Prints the output and adds the assertions and properties to whatever gtest
// runs now, a test or a suite, in their order.
void Replay(const std::vector<Step>& steps);

// Adds one assertion's outcome.
void Replay(const Part& part);

// Makes a test's time, at its end, what it took in its process.
void ReplayTime(const ::testing::TestInfo& test, const TestReport& report);

// Prints what was captured of stderr, where that was captured apart.
void ReplayErr(const std::string& err);

// Where a test process that crashed or was ended stood: the cause, the stacks, and the other
// processes of its sandbox, on lines of their own.
std::string WhereItStood(const TestReport& report);

// What to tell of a test process that did not go all its way.  `limit` is the
// time limit that it had.
std::string ExplainEnd(const TestReport& report, absl::Duration limit);

// Adds the failure that tells it, at the place of the test, and the properties isolate_outcome
// ("crashed", "exited", "sanitizer error", "timed out", "interrupted" or "lost") and isolate_signal
// or isolate_exit_code to whatever gtest runs now.  `run_ended`: so was the run, and the test with
// it.
void ReplayEnd(const ::testing::TestInfo& test, const TestReport& report, absl::Duration limit,
               bool run_ended);

// A property of what gtest has run; empty where it was not recorded.
std::string PropertyOf(const ::testing::TestResult& result, absl::string_view key);

// What ReplayEnd recorded of one that did not come to its end, or else what gtest says: "passed",
// "failed" or "skipped".
std::string OutcomeOf(const ::testing::TestResult& result);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_REPLAY_H_
