#include "tests/real/report.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace isolate::real {
namespace {

// How GoogleTest indents its report. Text of the tests' own that happens to
// begin a line in the same way may end up under another name, but in both
// reports alike.
constexpr std::string_view kSuite = "  <testsuite ";
constexpr std::string_view kSuiteEnd = "  </testsuite>";
constexpr std::string_view kTest = "    <testcase ";
constexpr std::string_view kFailure = "      <failure ";
constexpr std::string_view kSkipped = "      <skipped ";
constexpr std::string_view kReportEnd = "</testsuites>";

// The value of an attribute, as it is written in the report.
std::string_view Attribute(std::string_view line, std::string_view name) {
  const std::string opening = absl::StrCat(" ", name, "=\"");
  std::size_t begin = line.find(opening);
  if (begin == std::string_view::npos) return {};
  begin += opening.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

// The line of a tag without what differs between any two runs. A value cannot
// be mistaken for an attribute: its quotes are written as &quot;.
std::string WithoutTimes(std::string_view line) {
  std::string kept(line);
  for (std::string_view name : {"time", "timestamp", "hostname"}) {
    const std::string opening = absl::StrCat(" ", name, "=\"");
    const std::size_t begin = kept.find(opening);
    if (begin == std::string::npos) continue;
    const std::size_t end = kept.find('"', begin + opening.size());
    kept.erase(begin, end == std::string::npos ? end : end + 1 - begin);
  }
  return kept;
}

// Sections by name, the second of a name as "NAME (2)", so that none is lost.
std::map<std::string, const Section*> ByName(const Report& report) {
  std::map<std::string, const Section*> sections;
  for (const Section& section : report.sections) {
    std::string name = section.name;
    for (int count = 2; !sections.emplace(name, &section).second; ++count) {
      name = absl::StrCat(section.name, " (", count, ")");
    }
  }
  return sections;
}

std::string Told(const Section& section) {
  return section.outcome.empty() ? "there" : section.outcome;
}

// A line as it is shown: some suites compare, and print, 50 kB at once.
std::string Shown(std::string_view line) {
  constexpr std::size_t kEnough = 500;
  if (line.size() <= kEnough) return std::string(line);
  return absl::StrCat(line.substr(0, kEnough), "... (", line.size(), " bytes)");
}

// The lines between what the two have in common at their beginnings and ends.
std::string ChangedLines(const std::vector<std::string>& plain,
                         const std::vector<std::string>& isolated) {
  const std::size_t shorter = std::min(plain.size(), isolated.size());
  std::size_t begin = 0;
  while (begin < shorter && plain[begin] == isolated[begin]) ++begin;
  std::size_t end = 0;
  while (end < shorter - begin &&
         plain[plain.size() - 1 - end] == isolated[isolated.size() - 1 - end]) {
    ++end;
  }
  std::string text;
  for (std::size_t i = begin; i < plain.size() - end; ++i) {
    absl::StrAppend(&text, "    - ", Shown(plain[i]), "\n");
  }
  for (std::size_t i = begin; i < isolated.size() - end; ++i) {
    absl::StrAppend(&text, "    + ", Shown(isolated[i]), "\n");
  }
  return text;
}

std::string DifferentOrder(const Report& plain, const Report& isolated) {
  for (std::size_t i = 0; i < plain.sections.size(); ++i) {
    if (plain.sections[i].name != isolated.sections[i].name) {
      return absl::StrCat("the same tests in another order\n    - ", plain.sections[i].name,
                          "\n    + ", isolated.sections[i].name, "\n");
    }
  }
  return "";
}

}  // namespace

int Report::Count(std::string_view outcome) const {
  return std::count_if(sections.begin(), sections.end(),
                       [&](const Section& section) { return section.outcome == outcome; });
}

Report ReadReport(std::string_view xml) {
  Report report;
  report.sections.push_back({"the report", "", {}});
  std::size_t suite = 0;
  for (std::string_view line : absl::StrSplit(absl::StripTrailingAsciiWhitespace(xml), '\n')) {
    // The first section is the report's own, the last one the one being read.
    Section* section = &report.sections.back();
    if (absl::StartsWith(line, kSuite)) {
      suite = report.sections.size();
      section = &report.sections.emplace_back();
      section->name = absl::StrCat("test suite ", Attribute(line, "name"));
    } else if (absl::StartsWith(line, kTest)) {
      section = &report.sections.emplace_back();
      section->name = absl::StrCat(Attribute(line, "classname"), ".", Attribute(line, "name"));
      section->outcome = Attribute(line, "status") == "run" ? "passed" : "did not run";
    } else if (line == kSuiteEnd) {
      section = &report.sections[suite];
    } else if (line == kReportEnd) {
      section = &report.sections.front();
      report.complete = true;
    } else if (absl::StartsWith(line, kFailure)) {
      section->outcome = "failed";
    } else if (absl::StartsWith(line, kSkipped) && section->outcome == "passed") {
      section->outcome = "skipped";  // a test may skip and fail
    }
    const bool is_tag = absl::StartsWith(line, "<testsuites ") || absl::StartsWith(line, kSuite) ||
                        absl::StartsWith(line, kTest);
    section->lines.push_back(is_tag ? WithoutTimes(line) : std::string(line));
  }
  return report;
}

std::string Differences(const Report& plain, const Report& isolated) {
  std::string text;
  if (!plain.complete) absl::StrAppend(&text, "the plain report breaks off\n");
  if (!isolated.complete) {
    absl::StrAppend(&text, "the isolated report breaks off\n");
  }
  const auto plain_by_name = ByName(plain);
  auto isolated_by_name = ByName(isolated);
  for (const auto& [name, in_plain] : plain_by_name) {
    const auto node = isolated_by_name.extract(name);
    if (node.empty()) {
      absl::StrAppend(&text, name, ": ", Told(*in_plain), " plain, missing isolated\n");
      continue;
    }
    const Section* const in_isolated = node.mapped();
    if (in_plain->outcome != in_isolated->outcome) {
      absl::StrAppend(&text, name, ": ", in_plain->outcome, " plain, ", in_isolated->outcome,
                      " isolated\n");
    } else if (in_plain->lines != in_isolated->lines) {
      absl::StrAppend(&text, name, ": not reported alike\n");
    }
    absl::StrAppend(&text, ChangedLines(in_plain->lines, in_isolated->lines));
  }
  for (const auto& [name, in_isolated] : isolated_by_name) {
    absl::StrAppend(&text, name, ": missing plain, ", Told(*in_isolated), " isolated\n");
  }
  return text.empty() ? DifferentOrder(plain, isolated) : text;
}

}  // namespace isolate::real
