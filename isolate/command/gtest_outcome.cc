#include "isolate/command/gtest_outcome.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"
#include "isolate/command/gtest_json.h"
#include "nlohmann/json.hpp"

namespace isolate::command {
namespace {

using ::isolate::gtest::Part;
using ::isolate::gtest::Property;
using ::nlohmann::ordered_json;
using ::testing::TestPartResult;

constexpr absl::string_view kUnknownFile = "unknown file";

// As GoogleTest names what is not in a suite.
constexpr absl::string_view kOuter = "NonTestSuiteFailure";

// What is no property of the user's.
constexpr absl::string_view kKeysOfTest[] = {
    "name",   "value_param", "type_param", "file", "line",
    "status", "result",      "timestamp",  "time", "classname",
};
constexpr absl::string_view kKeysOfSuite[] = {
    "name", "tests", "failures", "disabled", "skipped", "errors", "timestamp", "time", "testsuite",
};

template <typename Keys>
std::vector<Property> PropertiesOf(const ordered_json& object, const Keys& keys) {
  std::vector<Property> properties;
  for (const auto& [key, value] : object.items()) {
    if (std::find(std::begin(keys), std::end(keys), key) == std::end(keys) && value.is_string()) {
      properties.push_back({BytesOf(key), BytesOf(value.template get<std::string>())});
    }
  }
  return properties;
}

// Elements whose `key` is "FILE:LINE\nMESSAGE".
std::vector<Part> PartsOf(const ordered_json& test, const char* list, const char* key,
                          TestPartResult::Type type) {
  std::vector<Part> parts;
  for (const ordered_json& element : ElementsOf(test, list)) {
    const std::string bytes = StringOf(element, key).value_or("");
    const absl::string_view text = bytes;
    const size_t end = std::min(text.find('\n'), text.size());
    parts.push_back(PartAt(text.substr(0, end), text.substr(std::min(end + 1, text.size()))));
    parts.back().type = type;
  }
  return parts;
}

std::vector<Part> FailuresOf(const ordered_json& test) {
  return PartsOf(test, "failures", "failure", TestPartResult::kNonFatalFailure);
}

// "0.012s"
int64_t MillisecondsOf(const ordered_json& test) {
  const std::string text = StringOf(test, "time").value_or("");
  double seconds = 0;
  if (!absl::SimpleAtod(absl::StripSuffix(text, "s"), &seconds) ||
      !(seconds >= 0 && seconds < 1e9)) {
    return 0;
  }
  return std::llround(seconds * 1e3);
}

void Read(const ordered_json& test, GtestOutcome& outcome) {
  outcome.listed = true;
  outcome.skipped = StringOf(test, "result") == "SKIPPED";
  // One that gtest did not come to, as an Environment failed, looks else like one that passed.
  outcome.ran = StringOf(test, "status") == "RUN" &&
                !absl::StartsWith(StringOf(test, "timestamp").value_or(""), "1970-01-01T00:00:00");
  outcome.may_not_have_run = !StringOf(test, "timestamp").has_value();
  outcome.elapsed_ms = MillisecondsOf(test);
  outcome.failures = FailuresOf(test);
  outcome.skips = PartsOf(test, "skipped", "message", TestPartResult::kSkip);
  outcome.properties = PropertiesOf(test, kKeysOfTest);
}

}  // namespace

Part PartAt(absl::string_view location, absl::string_view message) {
  Part part;
  part.type = TestPartResult::kNonFatalFailure;
  part.message = std::string(message);
  const size_t colon = location.rfind(':');
  if (colon != absl::string_view::npos &&
      absl::SimpleAtoi(location.substr(colon + 1), &part.line)) {
    location = location.substr(0, colon);
  } else {
    part.line = -1;
  }
  if (location != kUnknownFile) {
    part.file = std::string(location);
  }
  return part;
}

absl::optional<GtestOutcome> ParseOutcome(absl::string_view json, absl::string_view suite,
                                          absl::string_view name) {
  const absl::optional<ordered_json> report = ParseGtestJson(json);
  if (!report.has_value()) {
    return absl::nullopt;
  }
  GtestOutcome outcome;
  for (const ordered_json& ran_suite : ElementsOf(*report, "testsuites")) {
    const std::string suite_name = StringOf(ran_suite, "name").value_or("");
    for (const ordered_json& test : ElementsOf(ran_suite, "testsuite")) {
      const std::string test_name = StringOf(test, "name").value_or("");
      if (suite_name == suite && test_name == name) {
        Read(test, outcome);
        outcome.suite_properties = PropertiesOf(ran_suite, kKeysOfSuite);
      } else if (suite_name == suite && test_name.empty()) {
        outcome.suite_failures = FailuresOf(test);
      } else if (suite_name == kOuter) {
        outcome.outer_failures = FailuresOf(test);
      }
    }
  }
  return outcome;
}

}  // namespace isolate::command
