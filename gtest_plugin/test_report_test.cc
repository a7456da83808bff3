#include "gtest_plugin/test_report.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/internal/wire.h"
#include "isolate/result.h"

namespace isolate::gtest {
namespace {

using ::isolate::internal::Encoder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::TestPartResult;

Event PartEvent(const Part& part) {
  Event event;
  event.kind = Event::Kind::kPart;
  event.part = part;
  return event;
}

Event PropertyEvent(const std::string& key, const std::string& value) {
  Event event;
  event.kind = Event::Kind::kProperty;
  event.property = {key, value};
  return event;
}

// So many seconds after the process's code began.
constexpr absl::Time At(int seconds) { return absl::FromUnixSeconds(1'000'000'000 + seconds); }

Event StartEvent(uint32_t test = 0, absl::Time time = At(0)) {
  Event event;
  event.kind = Event::Kind::kTestStart;
  event.test = test;
  event.time = time;
  return event;
}

Event EndEvent(int64_t elapsed_ms, absl::Time time = At(0)) {
  Event event;
  event.kind = Event::Kind::kTestEnd;
  event.elapsed_ms = elapsed_ms;
  event.time = time;
  return event;
}

Event OwnProcessEvent(uint32_t worker, absl::Time started, absl::Time over) {
  Event event;
  event.kind = Event::Kind::kOwnProcess;
  event.own_process = {worker, started, over};
  return event;
}

Part Failure(const std::string& message) {
  return {TestPartResult::kFatalFailure, "a_test.cc", 7, message};
}

Event SanitizerEvent() {
  Event event;
  event.kind = Event::Kind::kSanitizer;
  return event;
}

struct EventCase {
  const char* name;
  Event event;
};

std::ostream& operator<<(std::ostream& out, const EventCase& event) { return out << event.name; }

class Events : public ::testing::TestWithParam<EventCase> {};

TEST_P(Events, ComeBackAsTheyWere) {
  const Event& event = GetParam().event;
  const absl::StatusOr<Event> decoded = Decode(Encode(event));
  ASSERT_EQ(decoded.status(), absl::OkStatus());
  EXPECT_EQ(decoded->kind, event.kind);
  EXPECT_TRUE(decoded->part == event.part);
  EXPECT_EQ(decoded->property.key, event.property.key);
  EXPECT_EQ(decoded->property.value, event.property.value);
  EXPECT_EQ(decoded->test, event.test);
  EXPECT_EQ(decoded->elapsed_ms, event.elapsed_ms);
  EXPECT_EQ(decoded->time, event.time);
  EXPECT_EQ(decoded->own_process.worker, event.own_process.worker);
  EXPECT_EQ(decoded->own_process.started, event.own_process.started);
  EXPECT_EQ(decoded->own_process.over, event.own_process.over);
}

TEST_P(Events, AreRefusedWhereverTheyStop) {
  const std::string message = Encode(GetParam().event);
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(Decode(message.substr(0, size)).status())) << size;
  }
}

TEST_P(Events, AreRefusedWithMoreBehindThem) {
  EXPECT_TRUE(absl::IsDataLoss(Decode(Encode(GetParam().event) + "x").status()));
}

INSTANTIATE_TEST_SUITE_P(
    TestReport, Events,
    ::testing::Values(
        EventCase{"Success", PartEvent({TestPartResult::kSuccess, "a_test.cc", 1, ""})},
        EventCase{"NonFatalFailure",
                  PartEvent({TestPartResult::kNonFatalFailure, "a_test.cc", 2, "two\nlines"})},
        EventCase{"FatalFailure", PartEvent(Failure("Expected: 1"))},
        EventCase{"Skip", PartEvent({TestPartResult::kSkip, "a_test.cc", 3, "no quota"})},
        EventCase{"PartWithoutAFile",
                  PartEvent({TestPartResult::kFatalFailure, absl::nullopt, -1, "exception"})},
        EventCase{"PartWithAnEmptyFile",
                  PartEvent({TestPartResult::kFatalFailure, "", -1, "exception"})},
        EventCase{"PartWithBinaryBytes", PartEvent(Failure(std::string("\0\xff", 2)))},
        EventCase{"Property", PropertyEvent("key", "value")},
        EventCase{"EmptyProperty", PropertyEvent("", "")},
        EventCase{"TestStart", StartEvent(7, At(1))},
        EventCase{"TestEnd", EndEvent(int64_t{1} << 40, At(2))},
        EventCase{"OwnProcess", OwnProcessEvent(3, At(4), At(5))},
        EventCase{"Sanitizer", SanitizerEvent()}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CrashEvent, IsThePrefixAndTheText) {
  Event event;
  event.kind = Event::Kind::kCrash;
  for (const std::string& text : {std::string(), std::string("cause\n @ 0x1\0", 13)}) {
    event.crash = text;
    EXPECT_EQ(Encode(event), std::string(kCrashPrefix, sizeof(kCrashPrefix)) + text);
    const absl::StatusOr<Event> decoded = Decode(Encode(event));
    ASSERT_EQ(decoded.status(), absl::OkStatus());
    EXPECT_EQ(decoded->kind, Event::Kind::kCrash);
    EXPECT_EQ(decoded->crash, text);
  }
}

TEST(SanitizerEvent, IsWhatADeathCallbackSends) {
  EXPECT_EQ(Encode(SanitizerEvent()), std::string(kSanitizerEvent, sizeof(kSanitizerEvent)));
}

TEST(Part, DiffersByEveryField) {
  const Part part = Failure("x");
  EXPECT_TRUE(part == Failure("x"));
  EXPECT_FALSE((part == Part{TestPartResult::kSkip, "a_test.cc", 7, "x"}));
  EXPECT_FALSE((part == Part{TestPartResult::kFatalFailure, "b_test.cc", 7, "x"}));
  EXPECT_FALSE((part == Part{TestPartResult::kFatalFailure, absl::nullopt, 7, "x"}));
  EXPECT_FALSE((part == Part{TestPartResult::kFatalFailure, "a_test.cc", 8, "x"}));
  EXPECT_FALSE((part == Part{TestPartResult::kFatalFailure, "a_test.cc", 7, "y"}));
}

TEST(Decode, RefusesUnknownKinds) {
  // The last one is a part by its low byte.
  for (const uint32_t kind : {0u, 6u, 255u, 257u}) {
    const std::string part = Encode(PartEvent(Failure("x"))).substr(4);
    EXPECT_TRUE(absl::IsDataLoss(Decode(Encoder().U32(kind).bytes() + part).status())) << kind;
    EXPECT_TRUE(absl::IsDataLoss(Decode(Encoder().U32(kind).bytes()).status())) << kind;
  }
}

TEST(Decode, RefusesTimesThatNoClockShows) {
  const std::string never = Encoder().U64(~uint64_t{0}).bytes();
  const std::string now = Encoder().U64(1).bytes();
  for (const std::string& message :
       {Encoder().U32(3).U32(0).bytes() + never, Encoder().U32(4).U64(0).bytes() + never,
        Encoder().U32(9).U32(0).bytes() + never + now,
        Encoder().U32(9).U32(0).bytes() + now + never}) {
    EXPECT_TRUE(absl::IsDataLoss(Decode(message).status()));
  }
}

TEST(Decode, RefusesUnknownTypesOfParts) {
  for (const uint32_t type : {4u, 255u, 256u, 0xffffffffu}) {
    const std::string part =
        Encoder().U32(1).U32(type).U32(1).String("a_test.cc").U32(7).String("x").bytes();
    EXPECT_TRUE(absl::IsDataLoss(Decode(part).status())) << type;
  }
}

// A result of a test that printed and told all this.
class ResultBuilder {
 public:
  ResultBuilder() {
    result_.outcome = Outcome::kReturned;
    result_.usage.wall = absl::Milliseconds(99);
    result_.times.entered = At(0);
    result_.times.ended = At(9);
  }
  ResultBuilder& Print(absl::string_view text) {
    absl::StrAppend(&result_.out, text);
    return *this;
  }
  ResultBuilder& Tell(const Event& event) { return Tell(Encode(event), result_.out.size()); }
  ResultBuilder& Tell(const std::string& message, size_t position) {
    result_.messages.push_back({message, position});
    return *this;
  }
  Result result() const { return result_; }

 private:
  Result result_;
};

// A phase as words: its output, and in brackets what was told.
std::string Words(const std::vector<Step>& steps) {
  std::string words;
  for (const Step& step : steps) {
    words += step.output;
    if (step.part.has_value()) {
      absl::StrAppend(&words, "[", step.part->message, "]");
    }
    if (step.property.has_value()) {
      absl::StrAppend(&words, "[", step.property->key, "=", step.property->value, "]");
    }
  }
  return words;
}

TestReport MakeTestReport(const Result& result) {
  std::vector<TestReport> reports = MakeTestReports(result, 1);
  EXPECT_EQ(reports.size(), 1U);
  return std::move(reports.front());
}

TEST(MakeTestReport, PutsOutputAndEventsInOrderAndIntoPhases) {
  const TestReport report = MakeTestReport(ResultBuilder()
                                               .Print("suite ")
                                               .Tell(PartEvent(Failure("up")))
                                               .Print("before ")
                                               .Tell(StartEvent())
                                               .Print("body ")
                                               .Tell(PartEvent(Failure("one")))
                                               .Tell(PropertyEvent("key", "value"))
                                               .Print("rest ")
                                               .Tell(EndEvent(12))
                                               .Print("down ")
                                               .Tell(PartEvent(Failure("two")))
                                               .Print("last")
                                               .result());
  EXPECT_EQ(Words(report.suite_set_up), "suite [up]before ");
  EXPECT_EQ(Words(report.test), "body [one][key=value]rest ");
  EXPECT_EQ(Words(report.suite_tear_down), "down [two]last");
  EXPECT_TRUE(report.started);
  EXPECT_TRUE(report.ended);
  EXPECT_EQ(report.elapsed_ms, 12);
  EXPECT_TRUE(report.whole());
}

TEST(MakeTestReport, OfAProcessThatToldNothingHasItsOutputAndItsTime) {
  const TestReport report = MakeTestReport(ResultBuilder().Print("output").result());
  EXPECT_EQ(Words(report.suite_set_up), "output");
  EXPECT_THAT(report.test, IsEmpty());
  EXPECT_THAT(report.suite_tear_down, IsEmpty());
  EXPECT_FALSE(report.started);
  EXPECT_FALSE(report.ended);
  EXPECT_EQ(report.elapsed_ms, 99);
  EXPECT_FALSE(report.whole());
}

TEST(MakeTestReport, OfATestThatDiedHasWhatCameBefore) {
  Result result = ResultBuilder()
                      .Tell(StartEvent())
                      .Print("a")
                      .Tell(PartEvent(Failure("one")))
                      .Print("b")
                      .result();
  result.outcome = Outcome::kSignaled;
  result.code = 11;
  const TestReport report = MakeTestReport(result);
  EXPECT_EQ(Words(report.test), "a[one]b");
  EXPECT_TRUE(report.started);
  EXPECT_FALSE(report.ended);
  EXPECT_EQ(report.outcome, Outcome::kSignaled);
  EXPECT_EQ(report.code, 11);
  EXPECT_FALSE(report.whole());
}

TEST(MakeTestReport, OfATestThatExitedAfterItsEndIsNotWhole) {
  Result result = ResultBuilder().Tell(StartEvent()).Tell(EndEvent(1)).result();
  result.outcome = Outcome::kExited;
  EXPECT_FALSE(MakeTestReport(result).whole());
}

TEST(MakeTestReport, HandsStandardErrorOnApart) {
  Result result = ResultBuilder().Print("out").result();
  result.err = "err";
  EXPECT_EQ(MakeTestReport(result).err, "err");
}

TEST(MakeTestReport, HandsDamageOn) {
  Result result = ResultBuilder().Tell(StartEvent()).Tell(EndEvent(1)).result();
  EXPECT_TRUE(MakeTestReport(result).whole());
  result.report_error = "the report is damaged: it ends within a frame";
  EXPECT_EQ(MakeTestReport(result).damage, result.report_error);
  EXPECT_FALSE(MakeTestReport(result).whole());
}

TEST(MakeTestReport, StopsAtAMessageThatItCannotRead) {
  const TestReport report = MakeTestReport(ResultBuilder()
                                               .Tell(StartEvent())
                                               .Tell(PartEvent(Failure("one")))
                                               .Tell("rubbish", 0)
                                               .Tell(PartEvent(Failure("two")))
                                               .Print("output")
                                               .Tell(EndEvent(1))
                                               .result());
  EXPECT_EQ(Words(report.test), "[one]output");
  EXPECT_THAT(report.damage, HasSubstr("an event cannot be read"));
  EXPECT_FALSE(report.whole());
}

TEST(MakeTestReport, PrintsEveryByteOnceThoughMarksAreOutOfOrder) {
  const TestReport report = MakeTestReport(ResultBuilder()
                                               .Print("abcdef")
                                               .Tell(Encode(StartEvent()), 0)
                                               .Tell(Encode(PartEvent(Failure("4"))), 4)
                                               .Tell(Encode(PartEvent(Failure("2"))), 2)
                                               .Tell(Encode(PartEvent(Failure("6"))), 6)
                                               .Tell(Encode(PartEvent(Failure("0"))), 0)
                                               .result());
  EXPECT_EQ(Words(report.test), "abcd[4][2]ef[6][0]");
}

TEST(MakeTestReports, SortsWhatAProcessToldOfSeveralTests) {
  const std::vector<TestReport> reports = MakeTestReports(ResultBuilder()
                                                              .Print("up ")
                                                              .Tell(StartEvent(0))
                                                              .Print("first ")
                                                              .Tell(EndEvent(10))
                                                              .Print("between ")
                                                              .Tell(StartEvent(1))
                                                              .Tell(PartEvent(Failure("one")))
                                                              .Tell(EndEvent(20))
                                                              .Print("down")
                                                              .result(),
                                                          2);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(Words(reports[0].suite_set_up), "up ");
  EXPECT_EQ(Words(reports[0].test), "first ");
  EXPECT_EQ(Words(reports[0].suite_tear_down), "");
  EXPECT_EQ(reports[0].elapsed_ms, 10);
  EXPECT_EQ(Words(reports[1].suite_set_up), "");
  EXPECT_EQ(Words(reports[1].test), "between [one]");
  EXPECT_EQ(Words(reports[1].suite_tear_down), "down");
  EXPECT_EQ(reports[1].elapsed_ms, 20);
  for (const TestReport& report : reports) {
    EXPECT_TRUE(report.whole());
  }
}

TEST(MakeTestReports, GivesTheEndOfTheProcessToTheTestThatRan) {
  Result result = ResultBuilder()
                      .Tell(StartEvent(0))
                      .Tell(EndEvent(10))
                      .Tell(StartEvent(1))
                      .Print("last words")
                      .result();
  result.outcome = Outcome::kSignaled;
  result.code = 11;
  const std::vector<TestReport> reports = MakeTestReports(result, 3);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_TRUE(reports[0].whole());
  EXPECT_EQ(reports[1].outcome, Outcome::kSignaled);
  EXPECT_EQ(reports[1].code, 11);
  EXPECT_EQ(Words(reports[1].test), "last words");
  EXPECT_EQ(reports[1].elapsed_ms, 99 - 10);
}

TEST(MakeTestReports, HasTheTimesOfEachTest) {
  const std::vector<TestReport> reports =
      MakeTestReports(ResultBuilder()
                          .Tell(StartEvent(0, At(1)))
                          .Tell(EndEvent(10, At(2)))
                          .Tell(StartEvent(1, At(3)))
                          .Tell(OwnProcessEvent(4, At(5), At(6)))
                          .result(),
                      2);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].started_at, At(1));
  EXPECT_EQ(reports[0].ended_at, At(2));
  EXPECT_FALSE(reports[0].own_process.has_value());
  EXPECT_EQ(reports[1].started_at, At(3));
  EXPECT_EQ(reports[1].ended_at, absl::InfinitePast());
  ASSERT_TRUE(reports[1].own_process.has_value());
  EXPECT_EQ(reports[1].own_process->worker, 4U);
  EXPECT_EQ(reports[1].own_process->started, At(5));
  EXPECT_EQ(reports[1].own_process->over, At(6));
  EXPECT_EQ(reports[1].times.ended, At(9));
}

TEST(MakeTestReports, BelievesNoTimesThatCannotHaveBeen) {
  const std::vector<TestReport> reports =
      MakeTestReports(ResultBuilder()
                          .Tell(StartEvent(0, absl::UnixEpoch()))
                          .Tell(EndEvent(10, At(7)))
                          .Tell(StartEvent(1, At(3)))
                          .Tell(OwnProcessEvent(0, At(-1), At(-2)))
                          .Tell(EndEvent(10, At(1'000)))
                          .result(),
                      2);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].started_at, At(0));
  EXPECT_EQ(reports[0].ended_at, At(7));
  EXPECT_EQ(reports[1].started_at, At(7));
  EXPECT_EQ(reports[1].ended_at, At(9));
  ASSERT_TRUE(reports[1].own_process.has_value());
  EXPECT_EQ(reports[1].own_process->started, At(0));
  EXPECT_EQ(reports[1].own_process->over, At(0));
}

TEST(OutcomeOf, IsWhatGtestWouldSay) {
  const auto outcome = [](const std::vector<Event>& events) {
    ResultBuilder builder;
    builder.Tell(StartEvent());
    for (const Event& event : events) {
      builder.Tell(event);
    }
    return OutcomeOf(MakeTestReport(builder.Tell(EndEvent(1)).result()), /*run_ended=*/false);
  };
  const Event skip = PartEvent({TestPartResult::kSkip, "a_test.cc", 1, ""});
  EXPECT_EQ(outcome({}), "passed");
  EXPECT_EQ(outcome({PartEvent({TestPartResult::kSuccess, "a_test.cc", 1, ""})}), "passed");
  EXPECT_EQ(outcome({skip}), "skipped");
  EXPECT_EQ(outcome({PartEvent(Failure("x")), skip}), "failed");
  EXPECT_EQ(outcome({PropertyEvent("isolate_outcome", "crashed"), PartEvent(Failure("x"))}),
            "crashed");
}

TEST(OutcomeOf, IsHowTheProcessEndedWhereThatWasTooSoon) {
  Result result = ResultBuilder().Tell(StartEvent()).result();
  const std::pair<Outcome, const char*> names[] = {{Outcome::kSignaled, "crashed"},
                                                   {Outcome::kExited, "exited"},
                                                   {Outcome::kTimedOut, "timed out"},
                                                   {Outcome::kReturned, "lost"},
                                                   {Outcome::kLost, "lost"}};
  for (const auto& [outcome, name] : names) {
    result.outcome = outcome;
    EXPECT_EQ(OutcomeOf(MakeTestReport(result), /*run_ended=*/false), name);
    EXPECT_EQ(OutcomeOf(MakeTestReport(result), /*run_ended=*/true), "interrupted");
  }
  result.returned = true;
  EXPECT_EQ(OutcomeOf(MakeTestReport(result), /*run_ended=*/false), "sanitizer error");
}

TEST(MakeTestReports, BelievesNoTestsThatCannotHaveRun) {
  const std::vector<std::vector<Event>> impossible = {
      {StartEvent(1)},
      {StartEvent(0), EndEvent(1), StartEvent(2)},
      {StartEvent(0), EndEvent(1), StartEvent(0)},
      {StartEvent(0), StartEvent(1)},
      {StartEvent(0), EndEvent(1), StartEvent(1), EndEvent(1), StartEvent(2)},
      {StartEvent(0), EndEvent(1), EndEvent(1)},
      {EndEvent(1)},
      {OwnProcessEvent(0, At(1), At(2))},
      {StartEvent(0), EndEvent(1), OwnProcessEvent(0, At(1), At(2))},
  };
  for (const std::vector<Event>& events : impossible) {
    ResultBuilder builder;
    for (const Event& event : events) {
      builder.Tell(event);
    }
    EXPECT_THAT(MakeTestReports(builder.result(), 2).back().damage,
                HasSubstr("an event cannot be read"));
  }
}

}  // namespace
}  // namespace isolate::gtest
