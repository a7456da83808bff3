#ifndef ISOLATE_COMMAND_BINARY_LIST_H_
#define ISOLATE_COMMAND_BINARY_LIST_H_

// Asks a GoogleTest binary for its tests.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "isolate/command/gtest_arguments.h"
#include "isolate/command/test_list.h"
#include "isolate/options.h"

namespace isolate::command {

// Executes the binary in a sandbox like `options`, but looks for nothing that it leaves there.  It
// may take as long as a test, and a minute at most.
//
// Not OK, with a SetupFailure: there is no sandbox.  InvalidArgument otherwise: for one that cannot
// be executed, does not end, crashes or lists no tests, with what it printed.  Costs a sandbox and
// an execution.
absl::StatusOr<std::vector<ListedTest>> ListTests(const std::string& path,
                                                  const GtestArguments& arguments, Options options);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_BINARY_LIST_H_
