#ifndef ISOLATE_COMMAND_GTEST_CONSOLE_H_
#define ISOLATE_COMMAND_GTEST_CONSOLE_H_

// What a GoogleTest binary prints when it runs one test, without colours: told apart from what
// gtest itself prints around it, which the runner's gtest prints again.  Pure code.
//
// What became of the test is not read from here, as a test can print anything, but from the JSON;
// unless there is none, or an older version leaves it out there.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest_plugin/test_report.h"

namespace isolate::command {

struct GtestConsole {
  std::string before;     // of main and of the Environments
  std::string set_up;     // of SetUpTestSuite
  std::string body;       // of the test and its fixture, with the failures
  std::string tear_down;  // of TearDownTestSuite
  std::string after;      // of the Environments and of what follows
  bool of_gtest = false;  // gtest's own printer wrote it
  bool begun = false;     // the test, as gtest says
  bool ended = false;     // the test, as gtest says
};

// `has_ended`: it is known that the test did.  Otherwise it may have crashed after it printed
// something that looks like its end, which counts only with a time, as gtest's own has.
GtestConsole DivideConsole(const std::string& out, absl::string_view suite, absl::string_view name,
                           bool has_ended);

// A part, and where in a text gtest has printed it.
struct PlacedPart {
  size_t begin = 0;
  size_t end = 0;
  isolate::gtest::Part part;
};

// Places parts, which are in the text's order.  Those that are not there stay in `parts`.
std::vector<PlacedPart> Find(const std::string& text, std::vector<isolate::gtest::Part>& parts);

// All that looks like a failure, or like a skip.  Where a message ends is not to be seen: that of a
// failure is taken to go on to the next part, or to the end, and that of a skip to have one line.
std::vector<PlacedPart> ScanForFailures(const std::string& text);
std::vector<PlacedPart> ScanForSkips(const std::string& text);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_GTEST_CONSOLE_H_
