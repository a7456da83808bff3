#ifndef ISOLATE_COMMAND_RUN_OPTIONS_H_
#define ISOLATE_COMMAND_RUN_OPTIONS_H_

// What `isolate run` is asked to do.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest_plugin/flag_values.h"
#include "gtest_plugin/leak_policy.h"
#include "isolate/options.h"

namespace isolate::command {

struct RunOptions {
  Options sandbox;  // its streams are the caller's
  gtest::LeakPolicies leaks;
  std::string report;                    // a file; empty: none
  gtest::IsolationKinds required;        // whatever is preferred; sandbox.preferred has the outcome
  const char* prefer_name = "--prefer";  // how the user says what is preferred
  bool verbose = false;
  bool help = false;  // and nothing else
  std::vector<std::string> command;
};

// Reads "run [OPTIONS] [--] COMMAND [ARGUMENTS]"; the options end at the first argument that is
// none.  InvalidArgument that names what is wrong and says what is right.
absl::StatusOr<RunOptions> ParseRunOptions(int argc, char** argv);

// The options that variables of the environment give, as ISOLATE_TIMEOUT does --timeout's value.
// The errors are the same.
absl::StatusOr<RunOptions> RunOptionsFromEnvironment();

// What --help prints.
std::string RunHelp();

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_RUN_OPTIONS_H_
