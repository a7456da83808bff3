#include "gtest_plugin/replay.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/test_report.h"
#include "isolate/result.h"

namespace isolate::gtest {
namespace {

void Print(const std::string& text, FILE* stream) {
  if (!text.empty()) {
    // Not a string function: output may hold NUL bytes.
    fwrite(text.data(), 1, text.size(), stream);
    fflush(stream);
  }
}

// In the runner gtest must not add a stack trace of the replay to a message
// that has one of the test.
class ScopedNoStackTrace {
 public:
  ScopedNoStackTrace() : depth_(GTEST_FLAG_GET(stack_trace_depth)) {
    GTEST_FLAG_SET(stack_trace_depth, 0);
  }
  ~ScopedNoStackTrace() { GTEST_FLAG_SET(stack_trace_depth, depth_); }
  ScopedNoStackTrace(const ScopedNoStackTrace&) = delete;
  ScopedNoStackTrace& operator=(const ScopedNoStackTrace&) = delete;

 private:
  const int depth_;
};

// What gtest's own macros expand to.
void Assert(const Part& part, const std::string& message) {
  ::testing::internal::AssertHelper(part.type, part.file.has_value() ? part.file->c_str() : nullptr,
                                    part.line, message.c_str()) = ::testing::Message();
}

// What gtest puts behind a message without a stack trace: an end of line since 1.13,
// nothing before.  The test's process has got it already.
std::string AdditionOfGtest() {
  ::testing::TestPartResultArray results;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    Assert(Part(), "x");  // a success: for a failure gtest might break or throw
  }
  return results.GetTestPartResult(0).message() + 1;
}

std::string Where(const TestReport& report) {
  if (!report.started) {
    return "in SetUpTestSuite, before the test began";
  }
  if (report.ended) {
    return "after the test, in TearDownTestSuite or at the process's end";
  }
  return "before the test ended";
}

std::string WhatEnded(const TestReport& report, absl::Duration limit) {
  if (!report.damage.empty()) {
    return absl::StrCat("isolate: ", report.damage, " (the test's process ",
                        Describe(report.outcome, report.code), ")");
  }
  if (report.sanitizer) {
    return absl::StrCat("isolate: a sanitizer found an error ", Where(report),
                        ", and ended the test's process with code ", report.code,
                        "; its report is in the output");
  }
  switch (report.outcome) {
    case Outcome::kReturned:
      return "isolate: the test's process ended without reporting that the test had finished";
    case Outcome::kExited:
      return absl::StrCat("isolate: the test's process exited with code ", report.code, " ",
                          Where(report),
                          ": it called exit, executed another program, or closed descriptors "
                          "that it had not opened");
    case Outcome::kSignaled:
      // A handler has a stack of its own in the main thread only.
      return absl::StrCat("isolate: the test's process ", Describe(report.outcome, report.code),
                          " ", Where(report),
                          report.code == SIGSEGV && report.crash.empty()
                              ? "; no handler could run, as where a thread's stack has overflowed"
                              : "");
    case Outcome::kTimedOut:
      return absl::StrCat("isolate: the test took longer than its time limit of ",
                          absl::FormatDuration(limit), " (--isolate_timeout) and was ended");
    case Outcome::kLost:
      return "isolate: the test's process ended, and something else in this process, such as a "
             "SIGCHLD handler, took its exit status";
  }
  return "";
}

// "SIGSEGV"
std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat(signal);
}

std::string DoesWhat(const Thread& thread) {
  switch (thread.state) {
    case 'R':
      return "runs";
    case 'T':
      return "is stopped";
    case 't':
      return "is traced";
    case 'Z':
      return "has ended, and nobody has waited for it";
    default:
      return absl::StrCat("waits in ", thread.waits_in.empty() ? "the kernel" : thread.waits_in);
  }
}

}  // namespace

void Replay(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    Print(step.output, stdout);
    if (step.part.has_value()) {
      Replay(*step.part);
    }
    if (step.property.has_value()) {
      ::testing::Test::RecordProperty(step.property->key, step.property->value);
    }
  }
}

void Replay(const Part& part) {
  const ScopedNoStackTrace no_stack_trace;
  static const std::string* const kAddition = new std::string(AdditionOfGtest());
  std::string message = part.message;
  if (absl::EndsWith(message, *kAddition)) {
    message.resize(message.size() - kAddition->size());
  }
  Assert(part, message);
}

void ReplayTime(const ::testing::TestInfo& test, const TestReport& report) {
  (const_cast<::testing::TestResult*>(test.result())->*MemberOf(internal::SetElapsedTime{}))(
      report.elapsed_ms);
}

void ReplayErr(const std::string& err) { Print(err, stderr); }

std::string WhereItStood(const TestReport& report) {
  std::string text = report.crash;
  for (const Process& process : report.processes) {
    // The test's own process, if its stacks are known.
    if (process.parent == 0 && !report.crash.empty()) {
      continue;
    }
    absl::StrAppend(&text, "\n  process ", process.id);
    if (process.parent != 0) {
      absl::StrAppend(&text, ", child of ", process.parent);
    }
    absl::StrAppend(&text, ": ", process.command.empty() ? "(ended)" : process.command);
    for (const Thread& thread : process.threads) {
      absl::StrAppend(&text, "\n    thread ", thread.id, " (", thread.name, ") ", DoesWhat(thread));
    }
  }
  return text;
}

std::string ExplainEnd(const TestReport& report, absl::Duration limit) {
  const std::string where = WhereItStood(report);
  return absl::StrCat(WhatEnded(report, limit), where.empty() || where.front() == '\n' ? "" : ": ",
                      where);
}

void ReplayEnd(const ::testing::TestInfo& test, const TestReport& report, absl::Duration limit,
               bool run_ended) {
  Part end;
  end.type = ::testing::TestPartResult::kFatalFailure;
  end.file = test.file();
  end.line = test.line();
  end.message = run_ended ? absl::StrCat("isolate: the run was ended while this test was running",
                                         WhereItStood(report))
                          : ExplainEnd(report, limit);
  // First: the failure may throw.
  ::testing::Test::RecordProperty("isolate_outcome", OutcomeOf(report, run_ended));
  if (report.outcome == Outcome::kSignaled) {
    ::testing::Test::RecordProperty("isolate_signal", SignalName(report.code));
  } else if (report.outcome == Outcome::kExited) {
    ::testing::Test::RecordProperty("isolate_exit_code", report.code);
  }
  Replay(end);
}

std::string PropertyOf(const ::testing::TestResult& result, absl::string_view key) {
  for (int i = 0; i < result.test_property_count(); ++i) {
    if (result.GetTestProperty(i).key() == key) {
      return result.GetTestProperty(i).value();
    }
  }
  return "";
}

std::string OutcomeOf(const ::testing::TestResult& result) {
  std::string outcome = PropertyOf(result, "isolate_outcome");
  if (!outcome.empty()) {
    return outcome;
  }
  return result.Failed() ? "failed" : result.Skipped() ? "skipped" : "passed";
}

}  // namespace isolate::gtest
