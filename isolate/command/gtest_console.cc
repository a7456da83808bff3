#include "isolate/command/gtest_console.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"
#include "isolate/command/gtest_outcome.h"

namespace isolate::command {
namespace {

using ::isolate::gtest::Part;
using ::testing::TestPartResult;

constexpr absl::string_view kFailure = ": Failure";
constexpr absl::string_view kSkip = ": Skipped";

// How lines begin that gtest prints before and after a suite.
constexpr absl::string_view kAroundSuite[] = {
    "Running main() from ",
    "Note: Google Test filter = ",
    "Note: Randomizing tests' orders with a seed of ",
    "[==========] ",
    "[----------] Global test environment ",
    "[  PASSED  ] ",
    "[  SKIPPED ] ",
    "[  FAILED  ] ",
    " 0 FAILED TEST",
    " 1 FAILED TEST",
    "  YOU HAVE ",
};

// Takes the next line, with its end, off the front.
absl::string_view TakeLine(absl::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
  const absl::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  return line;
}

// Without gtest's lines, and the empty ones that it prints behind some of them.
std::string WithoutGtestsLines(absl::string_view text) {
  std::string kept;
  bool behind_gtests = false;
  while (!text.empty()) {
    const absl::string_view line = TakeLine(text);
    const bool gtests =
        std::any_of(std::begin(kAroundSuite), std::end(kAroundSuite),
                    [&](absl::string_view begin) { return absl::StartsWith(line, begin); });
    behind_gtests = gtests || (behind_gtests && line == "\n");
    if (!behind_gtests) {
      absl::StrAppend(&kept, line);
    }
  }
  return kept;
}

// Where the line that begins at `begin` ends, with its end.
size_t EndOfLine(absl::string_view text, size_t begin) {
  return std::min(text.find('\n', begin), text.size() - 1) + 1;
}

// The last place of `line` that goes on to a time, as gtest's own does; or npos.
size_t FindTimedLine(absl::string_view out, absl::string_view line) {
  size_t found = out.rfind(line);
  while (found != absl::string_view::npos) {
    absl::string_view whole = out.substr(found, EndOfLine(out, found) - found);
    absl::ConsumeSuffix(&whole, "\n");
    if (absl::EndsWith(whole, " ms)")) {
      return found;
    }
    found = found > 0 ? out.rfind(line, found - 1) : absl::string_view::npos;
  }
  return found;
}

// The last place before `limit` where the test's end is told, or `limit`: a test that crashes has
// none, whatever it prints.
size_t FindEnd(absl::string_view out, absl::string_view test, size_t limit) {
  size_t end = absl::string_view::npos;
  for (const absl::string_view word : {"[       OK ] ", "[  FAILED  ] ", "[  SKIPPED ] "}) {
    const size_t found = FindTimedLine(out.substr(0, limit), absl::StrCat(word, test));
    if (found != absl::string_view::npos && (end == absl::string_view::npos || found > end)) {
      end = found;
    }
  }
  return std::min(end, limit);
}

// What stands behind the line of the suite's first mention, which follows main's and the
// Environments' output.
void DivideHead(absl::string_view head, const std::string& suite_line, GtestConsole& console) {
  const size_t suite = head.rfind(suite_line);
  if (suite == absl::string_view::npos) {
    console.before = WithoutGtestsLines(head);
    return;
  }
  console.before = WithoutGtestsLines(head.substr(0, suite));
  console.set_up = std::string(head.substr(EndOfLine(head, suite)));
}

void DivideTail(absl::string_view tail, size_t suite_end, GtestConsole& console) {
  console.tear_down = std::string(tail.substr(0, suite_end));
  if (suite_end < tail.size()) {
    absl::string_view after = tail.substr(EndOfLine(tail, suite_end));
    absl::ConsumePrefix(&after, "\n");
    console.after = WithoutGtestsLines(after);
  }
}

// A line "FILE:12: Failure" or "unknown file: Failure".
bool BeginsPart(absl::string_view line, absl::string_view word) {
  absl::ConsumeSuffix(&line, "\n");
  if (!absl::ConsumeSuffix(&line, word)) {
    return false;
  }
  const size_t colon = line.rfind(':');
  return line == "unknown file" ||
         (colon != absl::string_view::npos && colon + 1 < line.size() &&
          line.find_first_not_of("0123456789", colon + 1) == absl::string_view::npos);
}

std::vector<PlacedPart> Scan(const std::string& text, absl::string_view word,
                             TestPartResult::Type type) {
  std::vector<PlacedPart> parts;
  absl::string_view rest = text;
  while (!rest.empty()) {
    const size_t begin = text.size() - rest.size();
    const absl::string_view line = TakeLine(rest);
    if (!BeginsPart(line, kFailure) && !BeginsPart(line, kSkip)) {
      continue;
    }
    size_t size = 0;
    for (absl::string_view ahead = rest; !ahead.empty();) {
      const absl::string_view next = TakeLine(ahead);
      if (BeginsPart(next, kFailure) || BeginsPart(next, kSkip)) {
        break;
      }
      size += next.size();
      if (BeginsPart(line, kSkip)) {
        break;  // one line
      }
    }
    if (BeginsPart(line, word)) {
      absl::string_view message = rest.substr(0, size);
      absl::ConsumeSuffix(&message, "\n");
      const absl::string_view location = line.substr(0, line.rfind(word));
      PlacedPart placed{begin, begin + line.size() + size, PartAt(location, message)};
      placed.part.type = type;
      parts.push_back(std::move(placed));
    }
    rest.remove_prefix(size);
  }
  return parts;
}

// As gtest prints it.
std::string TextOf(const Part& part) {
  return absl::StrCat(::testing::internal::FormatFileLocation(
                          part.file.has_value() ? part.file->c_str() : nullptr, part.line),
                      part.type == TestPartResult::kSkip ? " Skipped\n" : " Failure\n",
                      part.message, "\n");
}

}  // namespace

GtestConsole DivideConsole(const std::string& out, absl::string_view suite,
                           absl::string_view name) {
  GtestConsole console;
  const std::string test = absl::StrCat(suite, ".", name);
  const std::string run_line = absl::StrCat("[ RUN      ] ", test, "\n");
  const std::string suite_line = absl::StrCat("[----------] 1 test from ", suite);
  const size_t run = out.find(run_line);
  console.of_gtest = absl::StrContains(out, "[==========] Running 1 test from 1 test ");
  console.begun = run != std::string::npos;
  if (!console.begun) {
    DivideHead(out, suite_line, console);
    return console;
  }
  const absl::string_view all = out;
  DivideHead(all.substr(0, run), suite_line, console);
  const absl::string_view rest = all.substr(run + run_line.size());
  const size_t suite_end = std::min(rest.rfind(suite_line), rest.size());
  const size_t test_end = FindEnd(rest, test, suite_end);
  console.body = std::string(rest.substr(0, test_end));
  const size_t tail = test_end < rest.size() ? EndOfLine(rest, test_end) : rest.size();
  DivideTail(rest.substr(tail), suite_end - std::min(tail, suite_end), console);
  return console;
}

std::vector<PlacedPart> Find(const std::string& text, std::vector<Part>& parts) {
  std::vector<PlacedPart> placed;
  std::vector<Part> others;
  size_t from = 0;
  for (Part& part : parts) {
    const std::string printed = TextOf(part);
    const size_t begin = text.find(printed, from);
    if (begin == std::string::npos) {
      others.push_back(std::move(part));
      continue;
    }
    from = begin + printed.size();
    placed.push_back({begin, from, std::move(part)});
  }
  parts = std::move(others);
  return placed;
}

std::vector<PlacedPart> ScanForFailures(const std::string& text) {
  return Scan(text, kFailure, TestPartResult::kNonFatalFailure);
}

std::vector<PlacedPart> ScanForSkips(const std::string& text) {
  return Scan(text, kSkip, TestPartResult::kSkip);
}

}  // namespace isolate::command
