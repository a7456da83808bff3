#include "isolate/command/gtest_arguments.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace isolate::command {
namespace {

constexpr absl::string_view kOfRunner[] = {
    "also_run_disabled_tests",
    "brief",
    "color",
    "fail_fast",
    "filter",
    "list_tests",
    "output",
    "print_time",
    "recreate_environments_when_repeating",
    "repeat",
    "shuffle",
    "stream_result_to",
};

// print_utf8 says how a message shows a string; a flagfile may have flags of either.
constexpr absl::string_view kOfBoth[] = {"flagfile", "print_utf8", "random_seed"};

bool Contains(const absl::string_view* begin, const absl::string_view* end,
              absl::string_view name) {
  return std::find(begin, end, name) != end;
}

// "filter" of "--gtest_filter=A.*"; empty where it is no flag of gtest's.
absl::string_view NameOfGtestFlag(absl::string_view argument) {
  if (!absl::ConsumePrefix(&argument, "--gtest_") && !absl::ConsumePrefix(&argument, "-gtest_")) {
    return "";
  }
  return argument.substr(0, argument.find('='));
}

// Of a flag that is on or off, as gtest reads it.
bool IsOn(absl::string_view argument) {
  const size_t sign = argument.find('=');
  return sign == absl::string_view::npos || sign + 1 == argument.size() ||
         !absl::StrContains("0fF", argument[sign + 1]);
}

// Ours stand behind gtest's others, as the last one wins, a flag of a flagfile among them; and
// before what is not gtest's, of which the binary may take the rest for no flags.
std::vector<std::string> Command(const std::string& path, const GtestArguments& arguments,
                                 const std::vector<std::string>& ours) {
  std::vector<std::string> command = {path};
  for (const auto* part : {&arguments.gtests_of_binary, &ours, &arguments.others}) {
    command.insert(command.end(), part->begin(), part->end());
  }
  return command;
}

}  // namespace

GtestArguments Divide(const std::vector<std::string>& arguments) {
  GtestArguments divided;
  for (const std::string& argument : arguments) {
    const absl::string_view name = NameOfGtestFlag(argument);
    const bool of_both = Contains(std::begin(kOfBoth), std::end(kOfBoth), name);
    const bool of_runner = Contains(std::begin(kOfRunner), std::end(kOfRunner), name);
    if (of_runner || of_both) {
      divided.of_runner.push_back(argument);
    }
    if (!name.empty() && !of_runner) {
      divided.gtests_of_binary.push_back(argument);
    }
    if (name.empty()) {
      divided.others.push_back(argument);
    }
    if (name == "fail_if_no_test_selected") {
      divided.fail_if_no_test_selected = IsOn(argument);
    }
    divided.ask_for_help = divided.ask_for_help || argument == "--help" || argument == "-h" ||
                           argument == "-?" || argument == "/?";
  }
  return divided;
}

// Flags that GoogleTest 1.8.1 does not know would make it print its help.
std::vector<std::string> CommandThatLists(const std::string& path, const GtestArguments& arguments,
                                          const std::string& json_file) {
  return Command(path, arguments,
                 {"--gtest_list_tests=1", "--gtest_filter=*",
                  absl::StrCat("--gtest_output=json:", json_file), "--gtest_color=no"});
}

std::vector<std::string> CommandThatRuns(const std::string& path, const GtestArguments& arguments,
                                         const Order& order, const std::string& json_file) {
  std::vector<std::string> ours = {
      "--gtest_list_tests=0",
      absl::StrCat("--gtest_filter=", order.filter),
      "--gtest_also_run_disabled_tests=1",
      "--gtest_repeat=1",
      absl::StrCat("--gtest_shuffle=", order.random_seed != 0 ? 1 : 0),
      absl::StrCat("--gtest_output=json:", json_file),
      "--gtest_color=no",
      "--gtest_print_time=1",
      "--gtest_stream_result_to=",
  };
  if (order.random_seed != 0) {
    ours.push_back(absl::StrCat("--gtest_random_seed=", order.random_seed));
  }
  return Command(path, arguments, ours);
}

}  // namespace isolate::command
