#include "gtest_plugin/test_report.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/variant.h"
#include "gtest/gtest.h"
#include "isolate/footprint.h"
#include "isolate/internal/wire.h"
#include "isolate/leak.h"
#include "isolate/result.h"

namespace isolate::gtest {
namespace {

using ::isolate::internal::Decoder;
using ::isolate::internal::Encoder;
using ::testing::TestPartResult;

absl::Status Unreadable() {
  return absl::DataLossError("the report is damaged: an event cannot be read");
}

bool IsPartType(uint32_t type) {
  switch (type) {
    case TestPartResult::kSuccess:
    case TestPartResult::kNonFatalFailure:
    case TestPartResult::kFatalFailure:
    case TestPartResult::kSkip:
      return true;
  }
  return false;
}

// Takes the fields of a part; false where they are not there.
bool DecodePart(Decoder& decoder, Part& part) {
  const auto type = decoder.U32();
  const auto has_file = decoder.U32();
  const auto file = decoder.String();
  const auto line = decoder.U32();
  const auto message = decoder.String();
  if (!decoder.complete() || !IsPartType(*type)) {
    return false;
  }
  part.type = static_cast<TestPartResult::Type>(*type);
  if (*has_file != 0) {
    part.file = std::string(*file);
  }
  part.line = static_cast<int>(*line);
  part.message = std::string(*message);
  return true;
}

void EncodeLeak(const Leak& leak, Encoder& encoder) {
  encoder.U32(static_cast<uint32_t>(leak.kind))
      .String(leak.name)
      .String(leak.detail)
      .String(leak.consequence)
      .U32(static_cast<uint32_t>(leak.attributes.size()));
  for (const Leak::Attribute& attribute : leak.attributes) {
    const auto* number = absl::get_if<int64_t>(&attribute.value);
    encoder.String(attribute.name).U32(number != nullptr ? 1 : 0);
    if (number != nullptr) {
      encoder.U64(static_cast<uint64_t>(*number));
    } else {
      encoder.String(absl::get<std::string>(attribute.value));
    }
  }
}

bool DecodeLeak(Decoder& decoder, Leak& leak) {
  const auto kind = decoder.U32();
  const auto name = decoder.String();
  const auto detail = decoder.String();
  const auto consequence = decoder.String();
  const auto count = decoder.U32();
  if (!count.has_value() || *kind >= kLeakKindCount) {
    return false;
  }
  leak.kind = static_cast<LeakKind>(*kind);
  leak.name = std::string(*name);
  leak.detail = std::string(*detail);
  leak.consequence = std::string(*consequence);
  for (uint32_t i = 0; i < *count; ++i) {
    const auto attribute = decoder.String();
    const auto is_number = decoder.U32();
    if (!is_number.has_value()) {
      return false;
    }
    if (*is_number != 0) {
      const auto number = decoder.U64().value_or(0);
      leak.attributes.push_back({std::string(*attribute), static_cast<int64_t>(number)});
    } else {
      const auto text = decoder.String().value_or("");
      leak.attributes.push_back({std::string(*attribute), std::string(text)});
    }
  }
  return decoder.complete();
}

size_t SizeOf(const Leak& leak) {
  return sizeof(leak) + leak.name.size() + leak.detail.size() + leak.consequence.size() +
         leak.attributes.size() * sizeof(Leak::Attribute);
}

size_t SizeOf(const Step& step) {
  size_t size = step.output.size();
  if (step.part.has_value()) {
    size += step.part->message.size() + step.part->file.value_or("").size();
  }
  if (step.property.has_value()) {
    size += step.property->key.size() + step.property->value.size();
  }
  return size;
}

void EncodeTime(absl::Time time, Encoder& encoder) {
  encoder.U64(static_cast<uint64_t>(absl::ToUnixNanos(time)));
}

// False for one that is not there, or from before 1970.
bool DecodeTime(Decoder& decoder, absl::Time& time) {
  const auto nanoseconds = decoder.U64();
  if (!nanoseconds.has_value() || *nanoseconds > std::numeric_limits<int64_t>::max()) {
    return false;
  }
  time = absl::FromUnixNanos(static_cast<int64_t>(*nanoseconds));
  return true;
}

// Sorts events by test and by phase.
class ReportBuilder {
 public:
  ReportBuilder(size_t tests, const Times& times)
      : tests_(tests), begun_(times.entered), ended_(times.ended), last_(begun_), reports_(1) {}

  // Whether the event may come now: tests are run in their order, each once.
  bool IsNext(const Event& event) const {
    const TestReport& now = reports_.back();
    switch (event.kind) {
      case Event::Kind::kTestStart:
        return event.test == Begun() && event.test < tests_ && now.started == now.ended;
      case Event::Kind::kTestEnd:
      case Event::Kind::kOwnProcess:
        return now.started && !now.ended;
      default:
        return true;
    }
  }

  // Output behind which nothing happened.
  void Add(std::string output) {
    Step step;
    step.output = std::move(output);
    Append(std::move(step));
  }

  void Add(std::string output, Event event) {
    if (event.kind == Event::Kind::kTestStart && reports_.back().ended) {
      NextTest();
    }
    TestReport& report = reports_.back();
    Step step;
    step.output = std::move(output);
    switch (event.kind) {
      case Event::Kind::kPart:
        step.part = std::move(event.part);
        break;
      case Event::Kind::kProperty:
        step.property = std::move(event.property);
        break;
      case Event::Kind::kCrash:
        report.crash += event.crash;
        break;
      case Event::Kind::kNotIsolated:
        report.not_isolated = std::move(event.not_isolated);
        break;
      case Event::Kind::kSanitizer:
        report.sanitizer = true;
        break;
      case Event::Kind::kLeak:
        report.leaks.push_back(std::move(event.leak));
        break;
      case Event::Kind::kOwnProcess:
        report.own_process = event.own_process;
        report.own_process->started = Within(event.own_process.started, begun_);
        report.own_process->over = Within(event.own_process.over, report.own_process->started);
        break;
      case Event::Kind::kTestStart:
      case Event::Kind::kTestEnd:
        break;
    }
    Append(std::move(step));
    if (event.kind == Event::Kind::kTestStart) {
      report.started = true;
      report.started_at = last_ = Within(event.time, last_);
    } else if (event.kind == Event::Kind::kTestEnd) {
      report.ended = true;
      report.ended_at = last_ = Within(event.time, last_);
      report.elapsed_ms = event.elapsed_ms;
    }
  }

  std::vector<TestReport> Take() { return std::move(reports_); }

 private:
  // A time that the process told, or the nearest from `first` on that it can have been.
  absl::Time Within(absl::Time told, absl::Time first) const {
    return std::min(std::max(told, first), ended_);
  }

  // How many tests have begun.
  size_t Begun() const { return reports_.back().started ? reports_.size() : 0; }

  void Append(Step step) {
    TestReport& now = reports_.back();
    const bool in_set_up = !now.started && reports_.size() == 1;
    now.size_bytes += SizeOf(step);
    (now.ended   ? now.suite_tear_down
     : in_set_up ? now.suite_set_up
                 : now.test)
        .push_back(std::move(step));
  }

  // What came after the last test came before this one.
  void NextTest() {
    TestReport& last = reports_.back();
    last.outcome = Outcome::kReturned;
    TestReport next;
    next.test = std::move(last.suite_tear_down);
    last.suite_tear_down.clear();
    reports_.push_back(std::move(next));
  }

  const size_t tests_;
  const absl::Time begun_;  // the process's own code
  const absl::Time ended_;  // the process
  absl::Time last_;         // of the tests' starts and ends
  std::vector<TestReport> reports_;
};

}  // namespace

bool operator==(const Part& a, const Part& b) {
  return a.type == b.type && a.file == b.file && a.line == b.line && a.message == b.message;
}

Event EventOf(const TestPartResult& result) {
  Event event;
  event.part.type = result.type();
  if (result.file_name() != nullptr) {
    event.part.file = result.file_name();
  }
  event.part.line = result.line_number();
  event.part.message = result.message();
  return event;
}

std::string Encode(const Event& event) {
  Encoder encoder;
  encoder.U32(static_cast<uint32_t>(event.kind));
  switch (event.kind) {
    case Event::Kind::kPart:
      encoder.U32(static_cast<uint32_t>(event.part.type))
          .U32(event.part.file.has_value() ? 1 : 0)
          .String(event.part.file.value_or(""))
          .U32(static_cast<uint32_t>(event.part.line))
          .String(event.part.message);
      break;
    case Event::Kind::kProperty:
      encoder.String(event.property.key).String(event.property.value);
      break;
    case Event::Kind::kTestStart:
      encoder.U32(event.test);
      EncodeTime(event.time, encoder);
      break;
    case Event::Kind::kTestEnd:
      encoder.U64(static_cast<uint64_t>(event.elapsed_ms));
      EncodeTime(event.time, encoder);
      break;
    case Event::Kind::kOwnProcess:
      encoder.U32(event.own_process.worker);
      EncodeTime(event.own_process.started, encoder);
      EncodeTime(event.own_process.over, encoder);
      break;
    case Event::Kind::kCrash:
      return encoder.bytes() + event.crash;
    case Event::Kind::kSanitizer:
      break;
    case Event::Kind::kLeak:
      EncodeLeak(event.leak, encoder);
      break;
    case Event::Kind::kNotIsolated:
      encoder.String(event.not_isolated);
      break;
  }
  return encoder.bytes();
}

absl::StatusOr<Event> Decode(absl::string_view message) {
  Decoder decoder(message);
  const auto kind = decoder.U32();
  // What does not fit into a Kind would be taken for another one.
  if (!kind.has_value() || *kind > std::numeric_limits<uint8_t>::max()) {
    return Unreadable();
  }
  Event event;
  event.kind = static_cast<Event::Kind>(*kind);
  switch (event.kind) {
    case Event::Kind::kPart:
      if (!DecodePart(decoder, event.part)) {
        return Unreadable();
      }
      return event;
    case Event::Kind::kProperty: {
      const auto key = decoder.String();
      const auto value = decoder.String();
      if (!decoder.complete()) {
        return Unreadable();
      }
      event.property = {std::string(*key), std::string(*value)};
      return event;
    }
    case Event::Kind::kTestStart: {
      const auto test = decoder.U32();
      if (!DecodeTime(decoder, event.time) || !decoder.complete()) {
        return Unreadable();
      }
      event.test = *test;
      return event;
    }
    case Event::Kind::kTestEnd: {
      const auto elapsed_ms = decoder.U64();
      if (!DecodeTime(decoder, event.time) || !decoder.complete()) {
        return Unreadable();
      }
      event.elapsed_ms = static_cast<int64_t>(*elapsed_ms);
      return event;
    }
    case Event::Kind::kOwnProcess: {
      const auto worker = decoder.U32();
      if (!DecodeTime(decoder, event.own_process.started) ||
          !DecodeTime(decoder, event.own_process.over) || !decoder.complete()) {
        return Unreadable();
      }
      event.own_process.worker = *worker;
      return event;
    }
    case Event::Kind::kNotIsolated: {
      const auto why = decoder.String();
      if (!decoder.complete()) {
        return Unreadable();
      }
      event.not_isolated = std::string(*why);
      return event;
    }
    case Event::Kind::kLeak:
      if (!DecodeLeak(decoder, event.leak)) {
        return Unreadable();
      }
      return event;
    case Event::Kind::kSanitizer:
      if (!decoder.complete()) {
        return Unreadable();
      }
      return event;
    case Event::Kind::kCrash:
      event.crash = std::string(message.substr(sizeof(kCrashPrefix)));
      return event;
  }
  return Unreadable();
}

namespace {

// Gives each to the test in whose stretch it appeared: the first stretch of a process that runs
// several tests is the suite's set-up, and the last its tear-down.
void DistributeLeaks(std::vector<Leak> leaks, size_t tests, std::vector<TestReport>& reports) {
  for (Leak& leak : leaks) {
    TestReport* report = &reports.back();
    const auto note = [&](absl::string_view text) {
      absl::StrAppend(&leak.detail, leak.detail.empty() ? "" : "; ", text);
    };
    if (tests > 1 && !leak.stretch.has_value()) {
      note("of this test or one before it in its process");
    } else if (tests > 1) {
      if (*leak.stretch >= 1 && *leak.stretch <= reports.size()) {
        report = &reports[*leak.stretch - 1];
      } else {
        note("of the suite's set-up or tear-down");
      }
    }
    report->size_bytes += SizeOf(leak);
    report->leaks.push_back(std::move(leak));
  }
}

// The same.  What the set-up used is the first test's, and what the tear-down did the last one's.
void DistributeFootprint(Footprint footprint, size_t tests, std::vector<TestReport>& reports) {
  for (NameUse& use : footprint.names) {
    const size_t index = tests > 1 && use.stretch > 0 ? use.stretch - 1 : 0;
    TestReport& report = reports[std::min(index, reports.size() - 1)];
    report.size_bytes += sizeof(use) + use.name.size();
    report.footprint.names.push_back(std::move(use));
  }
  // Of whichever test it was.
  for (TestReport& report : reports) {
    report.footprint.untold = footprint.untold;
  }
}

// Of one that did not go all its way.
const char* OutcomeOfTheProcess(const TestReport& report) {
  if (report.sanitizer) {
    return "sanitizer error";
  }
  switch (report.outcome) {
    case Outcome::kSignaled:
      return "crashed";
    case Outcome::kExited:
      return "exited";
    case Outcome::kTimedOut:
      return "timed out";
    case Outcome::kReturned:
    case Outcome::kLost:
      return "lost";
  }
  return "";
}

}  // namespace

std::string OutcomeOf(const TestReport& report, bool run_ended) {
  if (!report.whole()) {
    return run_ended ? "interrupted" : OutcomeOfTheProcess(report);
  }
  const char* outcome = "passed";
  for (const Step& step : report.test) {
    // As the suite's process told it of a test that it had started a process for.
    if (step.property.has_value() && step.property->key == "isolate_outcome") {
      return step.property->value;
    }
    if (!step.part.has_value()) {
      continue;
    }
    if (step.part->type == TestPartResult::kFatalFailure ||
        step.part->type == TestPartResult::kNonFatalFailure) {
      outcome = "failed";
    } else if (step.part->type == TestPartResult::kSkip && outcome != std::string("failed")) {
      outcome = "skipped";
    }
  }
  return outcome;
}

std::vector<TestReport> MakeTestReports(Result result, size_t tests) {
  ReportBuilder builder(tests, result.times);
  size_t printed = 0;
  const auto output_until = [&](size_t position) {
    // A forged mark may be out of order.
    position = std::max(position, printed);
    std::string output = result.out.substr(printed, position - printed);
    printed = position;
    return output;
  };
  std::string damage = std::move(result.report_error);
  for (const Message& message : result.messages) {
    absl::StatusOr<Event> event = Decode(message.payload);
    if (event.ok() && !builder.IsNext(*event)) {
      event = Unreadable();
    }
    if (!event.ok()) {
      damage = std::string(event.status().message());
      break;
    }
    builder.Add(output_until(message.out_position), *std::move(event));
  }
  builder.Add(output_until(result.out.size()));

  std::vector<TestReport> reports = builder.Take();
  DistributeLeaks(std::move(result.leaks), tests, reports);
  DistributeFootprint(std::move(result.footprint), tests, reports);
  TestReport& last = reports.back();
  last.outcome = result.outcome;
  last.code = result.code;
  last.sanitizer = last.sanitizer || result.returned;
  last.usage = result.usage;
  last.times = std::move(result.times);
  last.namespaces = result.namespaces;
  last.omitted_bytes = result.omitted_bytes;
  last.out_file = std::move(result.out_file);
  last.err_file = std::move(result.err_file);
  last.full_output_error = std::move(result.full_output_error);
  last.damage = std::move(damage);
  last.processes = std::move(result.processes);
  if (!last.ended) {
    last.elapsed_ms = absl::ToInt64Milliseconds(result.usage.wall);
    for (const TestReport& report : reports) {
      last.elapsed_ms -= &report != &last ? report.elapsed_ms : 0;
    }
  }
  reports.front().size_bytes += result.err.size();
  reports.front().err = std::move(result.err);
  return reports;
}

}  // namespace isolate::gtest
