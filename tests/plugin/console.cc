#include "tests/plugin/console.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace isolate::plugin_tests {
namespace {

constexpr absl::string_view kRun = "[ RUN      ] ";

// Replaces what stands between `before` and `after`, if `is_value` says so.
template <typename Predicate>
std::string Blank(const std::string& text, absl::string_view before, absl::string_view after,
                  Predicate is_value) {
  std::string result;
  size_t done = 0;
  for (;;) {
    const size_t found = text.find(before.data(), done, before.size());
    if (found == std::string::npos) {
      break;
    }
    const size_t begin = found + before.size();
    const size_t end = text.find(after.data(), begin, after.size());
    result.append(text, done, begin - done);
    done = begin;
    if (end != std::string::npos && is_value({text.data() + begin, end - begin})) {
      result += "0";
      done = end;
    }
  }
  return result.append(text, done);
}

bool IsNumber(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

// 0.012, 2023-01-01T00:00:00.123, 0.012s, 2023-01-01T00:00:00Z
bool IsTime(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.:-TZs") == absl::string_view::npos;
}

// The test that a line ends, if it ends one: "[       OK ] Suite.Test (3 ms)".
bool EndsTest(absl::string_view line, absl::string_view test, std::string& ending) {
  for (const absl::string_view word : {"OK", "FAILED", "SKIPPED"}) {
    const size_t bracket = line.find(']');
    if (absl::StartsWith(line, "[ ") && bracket != absl::string_view::npos &&
        absl::StripAsciiWhitespace(line.substr(1, bracket - 1)) == word) {
      const absl::string_view rest = line.substr(bracket + 1);
      // A parameter may stand between the name and the time.
      if (absl::StartsWith(rest, absl::StrCat(" ", test)) && absl::EndsWith(rest, " ms)")) {
        ending = std::string(word);
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::string WithoutTimes(const std::string& console) {
  return Blank(console, "(", " ms", IsNumber);
}

std::string WithoutTimesInReport(const std::string& report) {
  std::string result = report;
  for (const absl::string_view before :
       {"time=\"", "timestamp=\"", "\"time\": \"", "\"timestamp\": \""}) {
    result = Blank(result, before, "\"", IsTime);
  }
  return result;
}

std::string WithoutMainsFile(const std::string& console) {
  std::vector<absl::string_view> lines = absl::StrSplit(console, '\n');
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](absl::string_view line) {
                               return absl::StartsWith(line, "Running main() from ");
                             }),
              lines.end());
  return absl::StrJoin(lines, "\n");
}

std::string WithoutAddresses(const std::string& text) {
  std::string result;
  size_t done = 0;
  for (size_t found; (found = text.find("0x", done)) != std::string::npos;) {
    const size_t digits = found + 2;
    result.append(text, done, digits - done);
    done = std::min(text.find_first_not_of("0123456789abcdef", digits), text.size());
    if (done > digits) {
      result += "0";
    }
  }
  return result.append(text, done);
}

std::string WithoutTimesInStream(const std::string& stream) {
  return Blank(stream, "elapsed_time=", "ms", IsNumber);
}

std::map<std::string, Section> Sections(const std::string& console) {
  std::map<std::string, Section> sections;
  std::string test;
  Section section;
  for (absl::string_view line : absl::StrSplit(console, '\n')) {
    if (test.empty()) {
      if (absl::ConsumePrefix(&line, kRun)) {
        test = std::string(line);
      }
    } else if (EndsTest(line, test, section.ending)) {
      sections[std::exchange(test, "")] = std::exchange(section, {});
    } else {
      absl::StrAppend(&section.text, line, "\n");
    }
  }
  if (!test.empty()) {
    sections[test] = section;
  }
  return sections;
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace isolate::plugin_tests
