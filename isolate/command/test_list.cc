#include "isolate/command/test_list.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "gtest_plugin/test_filter.h"
#include "isolate/command/gtest_json.h"
#include "nlohmann/json.hpp"

namespace isolate::command {
namespace {

using ::nlohmann::ordered_json;

constexpr absl::string_view kSpecial = "*?:-";

// A name is what stands before the comment, if there is one: "Suite/0.  # TypeParam = int".
absl::string_view TakeName(absl::string_view line, absl::string_view comment,
                           absl::optional<std::string>& parameter) {
  const size_t found = line.find(comment);
  if (found == absl::string_view::npos) {
    return line;
  }
  parameter = std::string(line.substr(found + comment.size()));
  return line.substr(0, found);
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.find(' ') == absl::string_view::npos;
}

}  // namespace

absl::optional<std::vector<ListedTest>> ParseJsonList(absl::string_view json) {
  const absl::optional<ordered_json> list = ParseGtestJson(json);
  if (!list.has_value()) {
    return absl::nullopt;
  }
  std::vector<ListedTest> tests;
  for (const ordered_json& suite : ElementsOf(*list, "testsuites")) {
    for (const ordered_json& listed : ElementsOf(suite, "testsuite")) {
      ListedTest test;
      test.suite = StringOf(suite, "name").value_or("");
      test.name = StringOf(listed, "name").value_or("");
      test.type_param = StringOf(listed, "type_param");
      test.value_param = StringOf(listed, "value_param");
      test.file = StringOf(listed, "file");
      test.line = static_cast<int>(NumberOf(listed, "line").value_or(-1));
      tests.push_back(std::move(test));
    }
  }
  return tests;
}

absl::optional<std::vector<ListedTest>> ParseTextList(absl::string_view out) {
  std::vector<ListedTest> tests;
  std::string suite;
  absl::optional<std::string> type_param;
  for (absl::string_view line : absl::StrSplit(out, '\n')) {
    absl::optional<std::string> parameter;
    if (absl::ConsumePrefix(&line, "  ")) {
      const absl::string_view name = TakeName(line, "  # GetParam() = ", parameter);
      if (!suite.empty() && IsName(name)) {
        ListedTest test;
        test.suite = suite;
        test.name = std::string(name);
        test.type_param = type_param;
        test.value_param = std::move(parameter);
        tests.push_back(std::move(test));
      }
      continue;
    }
    absl::string_view name = TakeName(line, "  # TypeParam = ", parameter);
    const bool is_suite = absl::ConsumeSuffix(&name, ".") && IsName(name);
    suite = is_suite ? std::string(name) : "";
    type_param = std::move(parameter);
  }
  if (tests.empty()) {
    return absl::nullopt;
  }
  return tests;
}

std::string FilterOf(absl::string_view suite, absl::string_view name) {
  std::string filter = absl::StrCat(suite, ".", name);
  std::replace_if(
      filter.begin(), filter.end(), [](char c) { return absl::StrContains(kSpecial, c); }, '?');
  return filter;
}

absl::Status CheckThatFiltersTellThemApart(const std::vector<ListedTest>& tests) {
  absl::flat_hash_set<std::string> names;
  for (const ListedTest& test : tests) {
    const std::string filter = FilterOf(test.suite, test.name);
    if (!names.insert(absl::StrCat(test.suite, ".", test.name)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--gtest_filter cannot tell two tests apart that are called ", test.suite,
                       ".", test.name, ", so neither can be run alone; rename one of them"));
    }
    if (!absl::StrContains(filter, '?')) {
      continue;
    }
    for (const ListedTest& other : tests) {
      const std::string name = absl::StrCat(other.suite, ".", other.name);
      if (&other != &test && isolate::gtest::GlobMatches(filter, name)) {
        return absl::InvalidArgumentError(
            absl::StrCat("--gtest_filter cannot tell ", test.suite, ".", test.name, " from ", name,
                         ", so neither can be run alone; rename one of them"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace isolate::command
