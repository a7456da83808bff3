#ifndef GTEST_PLUGIN_INSTALL_RUNNER_H_
#define GTEST_PLUGIN_INSTALL_RUNNER_H_

// What Install does (plugin.h) when it has found out that the tests are to be isolated, for a
// program whose tests are not its own.

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gtest_plugin/scheduler.h"
#include "gtest_plugin/settings.h"

namespace isolate::gtest {

// The variables that tell a runner, and it alone, which tests to run and where to report.
absl::Span<const char* const> RunnersVariables();

// Has each test's process do `run`, without those variables, and what it came to go through
// `translation`, if there is one.  In the runner, once, after InitGoogleTest and before
// RUN_ALL_TESTS.  The errors and the cost are TryInstall's.
absl::Status InstallRunner(Settings settings, Scheduler::Run run,
                           Scheduler::Translation translation = nullptr);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_INSTALL_RUNNER_H_
