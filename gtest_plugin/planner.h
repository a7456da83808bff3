#ifndef GTEST_PLUGIN_PLANNER_H_
#define GTEST_PLUGIN_PLANNER_H_

// Which process runs which tests, in which kind of sandbox: what the settings and the
// traits of each test come to.  Lives in the runner.

#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/traits.h"
#include "isolate/executor.h"
#include "isolate/options.h"

namespace isolate::gtest {

class Planner {
 public:
  // Both must outlive it.  The executor's default kind of sandbox is that of the settings; it is
  // given others as traits ask for them.
  Planner(Executor& executor, const Settings& settings)
      : executor_(executor), settings_(settings), kinds_{settings.options} {}

  // The assignments of a suite's tests that may run, in the order in which gtest runs the first
  // test of each.  InvalidArgument for traits that cannot be had, naming the test; otherwise the
  // errors of Executor::AddKind.  Costs O(tests), and a match with each pattern that traits are set
  // for.
  absl::StatusOr<std::vector<Assignment>> Plan(::testing::TestSuite& suite,
                                               const SuiteFunctions& functions);

  // What the sandboxes of a kind are like.
  const Options& OptionsOf(Executor::Kind kind) const { return kinds_[kind]; }

 private:
  absl::StatusOr<Executor::Kind> SandboxFor(const Traits& traits);

  Executor& executor_;
  const Settings& settings_;
  std::vector<Options> kinds_;  // by Executor::Kind
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_PLANNER_H_
