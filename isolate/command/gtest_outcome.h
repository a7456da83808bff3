#ifndef ISOLATE_COMMAND_GTEST_OUTCOME_H_
#define ISOLATE_COMMAND_GTEST_OUTCOME_H_

// What a GoogleTest binary's JSON tells of the one test that it was to run.  Pure code.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gtest_plugin/test_report.h"

namespace isolate::command {

struct GtestOutcome {
  bool listed = false;  // the test is there
  bool ran = false;     // gtest came to it, to skip it perhaps
  // Version 1.8.1 tells the same of a test that gtest did not come to.
  bool may_not_have_run = false;
  bool skipped = false;  // older versions do not tell where
  int64_t elapsed_ms = 0;
  // In the order in which they happened.  Fatal failures are told as others are.
  std::vector<isolate::gtest::Part> failures;
  std::vector<isolate::gtest::Part> skips;
  std::vector<isolate::gtest::Property> properties;
  // Of SetUpTestSuite and TearDownTestSuite, which older versions do not tell.
  std::vector<isolate::gtest::Part> suite_failures;
  std::vector<isolate::gtest::Property> suite_properties;
  // Of global Environments, likewise.
  std::vector<isolate::gtest::Part> outer_failures;
};

// Nothing where it is no whole report.
absl::optional<GtestOutcome> ParseOutcome(absl::string_view json, absl::string_view suite,
                                          absl::string_view name);

// The part at "FILE:LINE", or where that says so, in an unknown file or line.
isolate::gtest::Part PartAt(absl::string_view location, absl::string_view message);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_GTEST_OUTCOME_H_
