#ifndef ISOLATE_COMMAND_GTEST_ARGUMENTS_H_
#define ISOLATE_COMMAND_GTEST_ARGUMENTS_H_

// Who gets which argument of a GoogleTest binary whose tests another program, the runner, runs one
// by one.  Pure code.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate::command {

// The arguments behind the binary's own path.
struct GtestArguments {
  // What the run as a whole is to be like: which tests, in which order, how often, reported where.
  std::vector<std::string> of_runner;
  // What each test is to be like, of gtest's; then what is the binary's own.
  std::vector<std::string> gtests_of_binary;
  std::vector<std::string> others;
  // --gtest_fail_if_no_test_selected, which version 1.16 does not have yet, if it is given.
  absl::optional<bool> fail_if_no_test_selected;
  // One of them asks for help, as GoogleTest understands it.
  bool ask_for_help = false;
};

// Each is the runner's, the binary's or both's; their order is kept.
GtestArguments Divide(const std::vector<std::string>& arguments);

// What the binary at `path` is executed with, its path first: to list its tests, ...
std::vector<std::string> CommandThatLists(const std::string& path, const GtestArguments& arguments,
                                          const std::string& json_file);

// ... or to run what a filter means, disabled or not.
struct Order {
  std::string filter;
  // Of a run that is shuffled: what it was shuffled with, for UnitTest::random_seed().
  int random_seed = 0;
};
std::vector<std::string> CommandThatRuns(const std::string& path, const GtestArguments& arguments,
                                         const Order& order, const std::string& json_file);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_GTEST_ARGUMENTS_H_
