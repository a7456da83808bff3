#ifndef GTEST_PLUGIN_SETTINGS_H_
#define GTEST_PLUGIN_SETTINGS_H_

// The plugin's flags, --isolate_NAME=VALUE, and their environment variables,
// ISOLATE_NAME.  A flag wins over its variable, and that over ISOLATE_DEFAULT_NAME, by which
// isolated_cc_test (defs.bzl) says what a target was written with.

#include <algorithm>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gtest_plugin/flag_values.h"
#include "gtest_plugin/leak_policy.h"
#include "gtest_plugin/traits.h"
#include "isolate/options.h"

namespace isolate::gtest {

struct Settings {
  // False: run as without the plugin.
  bool isolate = true;
  // Somebody said so: a debugger does not turn it off.
  bool isolate_given = false;
  // How many tests run at once; at least 1.
  int jobs = 1;
  Scope scope = Scope::kTest;
  SuiteSetUp suite_setup = SuiteSetUp::kEach;
  Spawn spawn = Spawn::kFork;
  // A test that runs for longer is named.
  absl::Duration slow = absl::InfiniteDuration();
  // How long the sandbox of a test that failed is kept for somebody at a terminal; 0: not.
  absl::Duration keep_failed = absl::ZeroDuration();
  // What leaks come to, and those that are meant (allowed_leaks.h).
  LeakPolicies leaks;
  std::string allowed_leaks;
  // The files of the report, with commas between them; empty: none.
  std::string report;
  // The file of the run's picture; empty: none.
  std::string trace;
  // The file of the tests' durations; empty: none.
  std::string history;
  // Say at the end where the time went.
  bool tells_timing = false;
  // Bazel's time limit for the whole program; infinite outside of it.
  absl::Duration run_limit = absl::InfiniteDuration();
  Options options;

  // How many sandboxes stand ready: so many that the helper has something to do while a test ends
  // and the next begins (docs/performance.md).  More are no faster, and take time
  // and memory for a run of one test, too.
  int ready() const { return std::min(jobs, 4) + 2; }
};

// Reads the environment, then takes the plugin's flags out of `argv`, wherever
// they stand before a "--"; everything else stays, in its order.
// InvalidArgument for an unknown flag of ours or a wrong value, naming it and
// what is right; `argv` is not touched then.
absl::StatusOr<Settings> ParseSettings(int* argc, char** argv);

// The names of all flags, without dashes, in the order of FlagsHelp.
absl::Span<const absl::string_view> FlagNames();

// What --help says of the flags.
std::string FlagsHelp();

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_SETTINGS_H_
