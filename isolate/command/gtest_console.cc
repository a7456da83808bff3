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
#include "absl/types/optional.h"
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

constexpr absl::string_view kTime = " ms)";

// Where what gtest says of a test's end ends; npos where it may be the test that says so.  It is a
// line, or two where a parameter is told as text, too.
size_t EndOfEnding(absl::string_view text, size_t begin) {
  size_t end = EndOfLine(text, begin);
  if (absl::StartsWith(text.substr(end), "    As Text: ")) {
    end = EndOfLine(text, end);
  }
  const absl::string_view ending = absl::StripSuffix(text.substr(begin, end - begin), "\n");
  return absl::EndsWith(ending, kTime) ? end : absl::string_view::npos;
}

// Where it is known that gtest says so, in as many lines as a parameter has.
size_t EndOfSureEnding(absl::string_view text, size_t begin) {
  return EndOfLine(text, std::min(text.find(kTime, begin), text.size()));
}

// A part of a text.
struct Span {
  size_t begin;
  size_t end;
};

// The last place of `mention` in `text` where gtest tells a test's end.
absl::optional<Span> FindLastEnding(absl::string_view text, const std::string& mention,
                                    bool has_ended) {
  for (size_t begin = text.rfind(mention); begin != absl::string_view::npos;
       begin = begin > 0 ? text.rfind(mention, begin - 1) : absl::string_view::npos) {
    const size_t end = has_ended ? EndOfSureEnding(text, begin) : EndOfEnding(text, begin);
    if (end != absl::string_view::npos) {
      return Span{begin, end};
    }
  }
  return absl::nullopt;
}

// Where gtest tells the test's end; nowhere, if the test did not come to it.
absl::optional<Span> FindEnding(absl::string_view text, absl::string_view test, bool has_ended) {
  absl::optional<Span> last;
  for (const absl::string_view word : {"[       OK ] ", "[  FAILED  ] ", "[  SKIPPED ] "}) {
    const absl::optional<Span> found = FindLastEnding(text, absl::StrCat(word, test), has_ended);
    if (found.has_value() && (!last.has_value() || found->begin > last->begin)) {
      last = found;
    }
  }
  return last;
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

GtestConsole DivideConsole(const std::string& out, absl::string_view suite, absl::string_view name,
                           bool has_ended) {
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
  const absl::optional<Span> ending = FindEnding(rest.substr(0, suite_end), test, has_ended);
  console.ended = ending.has_value();
  const Span told = ending.value_or(Span{suite_end, suite_end});
  console.body = std::string(rest.substr(0, told.begin));
  DivideTail(rest.substr(told.end), suite_end - told.end, console);
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
