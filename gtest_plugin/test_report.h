#ifndef GTEST_PLUGIN_TEST_REPORT_H_
#define GTEST_PLUGIN_TEST_REPORT_H_

// What a test process tells the runner about its test, event by event, and how
// it goes into messages.  Pure code: no gtest state, no system call.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "isolate/footprint.h"
#include "isolate/leak.h"
#include "isolate/result.h"

namespace isolate::gtest {

// An assertion's outcome; what testing::TestPartResult holds.
struct Part {
  ::testing::TestPartResult::Type type = ::testing::TestPartResult::kSuccess;
  absl::optional<std::string> file;
  int line = -1;
  std::string message;
};

bool operator==(const Part& a, const Part& b);

// What RecordProperty recorded.
struct Property {
  std::string key;
  std::string value;
};

// A process of a test's own, that was started by its suite's process: which of the workers there it
// had, and when, by CLOCK_REALTIME.
struct OwnProcess {
  uint32_t worker = 0;
  absl::Time started;
  absl::Time over;
};

struct Event {
  enum class Kind : uint8_t {
    kPart = 1,
    kProperty = 2,
    kTestStart = 3,
    kTestEnd = 4,
    kCrash = 5,
    kNotIsolated = 6,
    kSanitizer = 7,
    kLeak = 8,
    kOwnProcess = 9,
  };
  Kind kind = Kind::kPart;
  Part part;
  Property property;
  uint32_t test = 0;  // kTestStart: which of those that the process runs
  std::string
      not_isolated;        // kNotIsolated: why a sandbox within the process's own could not be had
  Leak leak;               // kLeak: of a test that ran in a sandbox within the process's own
  int64_t elapsed_ms = 0;  // kTestEnd: as gtest measured it
  absl::Time time;         // kTestStart, kTestEnd: when it was, by CLOCK_REALTIME
  OwnProcess own_process;  // kOwnProcess: of the test that has started
  std::string
      crash;  // kCrash: a piece of the cause and the stacks, the latter on lines of their own
};

// How a crash event begins: a signal handler puts the text behind it, to the end of
// the message.
inline constexpr char kCrashPrefix[] = {static_cast<char>(Event::Kind::kCrash), 0, 0, 0};

// The whole of the event that a sanitizer ends the process, likewise.
inline constexpr char kSanitizerEvent[] = {static_cast<char>(Event::Kind::kSanitizer), 0, 0, 0};

// The event that tells of an assertion.
Event EventOf(const ::testing::TestPartResult& result);

std::string Encode(const Event& event);

// DataLoss for what Encode cannot have written: a test process is not trusted.
absl::StatusOr<Event> Decode(absl::string_view message);

// A stretch of output followed by something that happened.
struct Step {
  std::string output;
  absl::optional<Part> part;
  absl::optional<Property> property;
};

// All that was told of one test, in order, by phase.
struct TestReport {
  std::vector<Step> suite_set_up;
  std::vector<Step> test;
  std::vector<Step> suite_tear_down;
  std::string err;  // where stderr is captured apart

  bool started = false;    // the suite's set-up was done
  bool ended = false;      // the test, with its fixture, was done
  int64_t elapsed_ms = 0;  // as gtest measured it, or the process's whole time
  // When that was, as Times has it; InfinitePast: it was not.
  absl::Time started_at = absl::InfinitePast();
  absl::Time ended_at = absl::InfinitePast();
  absl::optional<OwnProcess> own_process;

  // What became of the process.
  Outcome outcome = Outcome::kLost;
  int code = 0;
  bool sanitizer = false;  // ended it, for what it found
  Usage usage;
  Times times;
  Namespaces namespaces;
  // Where all of its output is, as in Result.
  std::string out_file;
  std::string err_file;
  std::string full_output_error;
  int64_t omitted_bytes = 0;       // of its output
  std::string damage;              // not empty: what is wrong with the report
  std::string crash;               // all that Event::crash told
  std::vector<Leak> leaks;         // what it left behind
  Footprint footprint;             // the shared names that it used, if they were recorded
  std::vector<Process> processes;  // that were in the sandbox when its time was over
  std::string not_isolated;        // not empty: why this test and others could not be run

  // Where it ran, and since when: since its process was started, or, of one of several in a
  // process, since it was itself, where that is known.
  int worker = -1;  // from 0 on; -1: it is not known
  absl::Time running_since;

  size_t size_bytes = 0;  // of all texts together

  // The process went all its way.
  bool whole() const { return outcome == Outcome::kReturned && ended && damage.empty(); }
};

// "passed", "failed" or "skipped"; or, where the process did not go all its way, "crashed",
// "exited", "sanitizer error", "timed out", "interrupted" (with the run, `run_ended`) or "lost".
// What the policy on leaks makes of it is not in it.
std::string OutcomeOf(const TestReport& report, bool run_ended);

// Puts together the messages and the output of a process that was to run `tests` tests, at least
// one.  A report for each that it began, in order, and at least one.  What became of the
// process is the last one's end; those before it have gone all their way.  The suite's set-up is in
// the first one, its tear-down in the last.  The times of the tests are in order and within the
// process's, whatever it told.
std::vector<TestReport> MakeTestReports(Result result, size_t tests);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TEST_REPORT_H_
