#include "gtest_plugin/test_report.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/internal/wire.h"
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

}  // namespace

bool operator==(const Part& a, const Part& b) {
  return a.type == b.type && a.file == b.file && a.line == b.line && a.message == b.message;
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
      break;
    case Event::Kind::kTestEnd:
      encoder.U64(static_cast<uint64_t>(event.elapsed_ms));
      break;
    case Event::Kind::kCrash:
      return encoder.bytes() + event.crash;
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
    case Event::Kind::kTestStart:
      if (!decoder.complete()) {
        return Unreadable();
      }
      return event;
    case Event::Kind::kTestEnd: {
      const auto elapsed_ms = decoder.U64();
      if (!decoder.complete()) {
        return Unreadable();
      }
      event.elapsed_ms = static_cast<int64_t>(*elapsed_ms);
      return event;
    }
    case Event::Kind::kCrash:
      event.crash = std::string(message.substr(sizeof(kCrashPrefix)));
      return event;
  }
  return Unreadable();
}

TestReport MakeTestReport(Result result) {
  TestReport report;
  report.outcome = result.outcome;
  report.code = result.code;
  report.elapsed_ms = absl::ToInt64Milliseconds(result.usage.wall);
  report.damage = std::move(result.report_error);
  report.processes = std::move(result.processes);
  report.err = std::move(result.err);
  report.size_bytes = report.err.size() + result.out.size();
  for (const Message& message : result.messages) {
    report.size_bytes += message.payload.size();
  }

  std::vector<Step>* phase = &report.suite_set_up;
  size_t printed = 0;
  const auto output_until = [&](size_t position) {
    // A forged mark may be out of order.
    position = std::max(position, printed);
    std::string output = result.out.substr(printed, position - printed);
    printed = position;
    return output;
  };
  for (const Message& message : result.messages) {
    absl::StatusOr<Event> event = Decode(message.payload);
    if (!event.ok()) {
      report.damage = std::string(event.status().message());
      break;
    }
    Step step;
    step.output = output_until(message.out_position);
    switch (event->kind) {
      case Event::Kind::kPart:
        step.part = std::move(event->part);
        break;
      case Event::Kind::kProperty:
        step.property = std::move(event->property);
        break;
      case Event::Kind::kTestStart:
        report.started = true;
        break;
      case Event::Kind::kTestEnd:
        report.ended = true;
        report.elapsed_ms = event->elapsed_ms;
        break;
      case Event::Kind::kCrash:
        report.crash += event->crash;
        break;
    }
    phase->push_back(std::move(step));
    if (event->kind == Event::Kind::kTestStart) {
      phase = &report.test;
    } else if (event->kind == Event::Kind::kTestEnd) {
      phase = &report.suite_tear_down;
    }
  }
  Step last;
  last.output = output_until(result.out.size());
  phase->push_back(std::move(last));
  return report;
}

}  // namespace isolate::gtest
