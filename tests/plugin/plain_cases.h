#ifndef TESTS_PLUGIN_PLAIN_CASES_H_
#define TESTS_PLUGIN_PLAIN_CASES_H_

// Runs of specimens that must print and report, however they are isolated, what a plain run does.

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/plugin/program.h"

namespace isolate::plugin_tests {

struct Case {
  const char* name;
  const char* specimen;
  std::vector<std::string> args = {};
  std::vector<std::pair<std::string, std::string>> environment = {};
};

// For gtest, which prints the values of a table.
inline void PrintTo(const Case& test_case, std::ostream* os) { *os << test_case.name; }

// Those that hold for the plugin and for `isolate gtest`, and `more`.
std::vector<Case> PlainCasesAnd(std::vector<Case> more);

// The plain run; `report` is "xml" or "json".
Command CommandOf(const Case& test_case, bool merge_streams, const std::string& report);

}  // namespace isolate::plugin_tests

#endif  // TESTS_PLUGIN_PLAIN_CASES_H_
