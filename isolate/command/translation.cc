#include "isolate/command/translation.h"

#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"
#include "isolate/command/binary_process.h"
#include "isolate/command/gtest_console.h"
#include "isolate/command/gtest_outcome.h"
#include "isolate/leak.h"
#include "isolate/result.h"

namespace isolate::command {
namespace {

using ::isolate::gtest::Event;
using ::isolate::gtest::Part;
using ::isolate::gtest::Property;
using ::testing::TestPartResult;

// Output and events, in order.
class Story {
 public:
  void Print(absl::string_view text) { absl::StrAppend(&out_, text); }

  void Tell(const Event& event) {
    messages_.push_back({isolate::gtest::Encode(event), out_.size()});
  }

  void Tell(Part part) {
    fails_ = fails_ || part.type == TestPartResult::kNonFatalFailure;
    Event event;
    event.part = std::move(part);
    Tell(event);
  }

  void Tell(const std::vector<Property>& properties) {
    for (const Property& property : properties) {
      Event event;
      event.kind = Event::Kind::kProperty;
      event.property = property;
      Tell(event);
    }
  }

  // The text, with the parts in place of what gtest printed of them.
  void Tell(const std::string& text, std::vector<PlacedPart> parts) {
    std::stable_sort(parts.begin(), parts.end(),
                     [](const PlacedPart& a, const PlacedPart& b) { return a.begin < b.begin; });
    const absl::string_view all = text;
    size_t told = 0;
    for (PlacedPart& placed : parts) {
      if (placed.begin >= told) {
        Print(all.substr(told, placed.begin - told));
        told = placed.end;
      }
      Tell(std::move(placed.part));
    }
    Print(all.substr(told));
  }

  bool fails() const { return fails_; }

  void MoveTo(Result& result) {
    result.out = std::move(out_);
    result.messages = std::move(messages_);
  }

 private:
  std::string out_;
  std::vector<Message> messages_;
  bool fails_ = false;
};

void Append(std::vector<PlacedPart> more, std::vector<PlacedPart>& parts) {
  parts.insert(parts.end(), more.begin(), more.end());
}

// What only looks like a part, within the message of one that is known, is none.
std::vector<PlacedPart> Outside(const std::vector<PlacedPart>& known,
                                std::vector<PlacedPart> scanned) {
  scanned.erase(std::remove_if(scanned.begin(), scanned.end(),
                               [&](const PlacedPart& part) {
                                 return std::any_of(
                                     known.begin(), known.end(), [&](const PlacedPart& other) {
                                       return part.begin >= other.begin && part.begin < other.end;
                                     });
                               }),
                scanned.end());
  return scanned;
}

// The text that is not of the parts, which are in order.
std::string Without(const std::vector<PlacedPart>& parts, absl::string_view text) {
  std::string rest;
  size_t from = 0;
  for (const PlacedPart& part : parts) {
    absl::StrAppend(&rest, text.substr(from, part.begin - from));
    from = part.end;
  }
  return absl::StrCat(rest, text.substr(from));
}

// Of one test.
class Translator {
 public:
  Translator(absl::string_view suite, absl::string_view name, Result result)
      : result_(std::move(result)), end_(TakeBinaryEnd(result_)) {
    told_ = ParseOutcome(end_.json, suite, name);
    console_ = DivideConsole(result_.out, suite, name, /*has_ended=*/told_.has_value());
    if (told_.has_value() && told_->may_not_have_run && !ExitedWith0() && console_.of_gtest &&
        !console_.begun) {
      told_->ran = false;
    }
    if (told_.has_value() && told_->ran && !console_.begun) {
      // Another printer than gtest's.
      console_.body = std::exchange(result_.out, "");
      console_.before = console_.set_up = "";
      console_.begun = true;
    }
  }

  Result Take() {
    if (end_.execute_error != 0) {
      TellThatNothingRan(absl::StrCat("the binary cannot be executed in a sandbox: ",
                                      strerror(end_.execute_error)));
    } else if (told_.has_value() && !told_->listed) {
      TellThatNothingRan(
          "a test that the binary listed is not there when it is executed for that test; register "
          "the same tests each time");
    } else {
      TellSetUp();
      TellTest();
      TellTearDown();
      TellEnd();
    }
    story_.MoveTo(result_);
    return std::move(result_);
  }

 private:
  bool ExitedWith0() const { return end_.known && end_.wait_status == 0; }

  // Versions before 1.12 run the tests of a suite whose set-up has failed.  Of such a suite the
  // runner's gtest would not tell what its tests came to.
  bool TestRan() const {
    return told_.has_value() ? told_->ran && !told_->skipped
                             : console_.begun && !console_.ended;  // it crashed; others skip it
  }

  // The failures that the JSON tells, of those left; or all, where it tells none although something
  // has failed.
  std::vector<PlacedPart> Failures(const std::string& text, std::vector<Part>& told, bool tells) {
    if (tells) {
      return Find(text, told);
    }
    return ExitedWith0() ? std::vector<PlacedPart>() : ScanForFailures(text);
  }

  void TellThatNothingRan(const std::string& why) {
    Event event;
    event.kind = Event::Kind::kNotIsolated;
    event.not_isolated = absl::StrCat("cannot isolate: ", why, ".");
    story_.Tell(event);
  }

  void TellSetUp() {
    if (told_.has_value()) {
      suite_failures_ = told_->suite_failures;
      outer_failures_ = told_->outer_failures;
    }
    tells_suite_failures_ = !suite_failures_.empty();
    tells_outer_failures_ = !outer_failures_.empty();
    // Told as of the test, for which they happened: gtest runs tests after some of them.
    failures_before_ = Failures(console_.before, outer_failures_, tells_outer_failures_);
    failed_before_ = !failures_before_.empty();
    if (!failed_before_) {
      story_.Print(console_.before);
    }
    std::vector<PlacedPart> failures =
        Failures(console_.set_up, suite_failures_, tells_suite_failures_);
    set_up_failed_ = !failures.empty();
    if (TestRan()) {
      story_.Print(Without(failures, console_.set_up));
      late_failures_ = std::move(failures);
    } else {
      story_.Tell(console_.set_up, std::move(failures));
    }
    if (told_.has_value()) {
      story_.Tell(told_->suite_properties);
    }
  }

  void TellTest() {
    if (!console_.begun && !told_.has_value() && !failed_before_) {
      return;  // that the process ended is all there is to tell
    }
    Event start;
    start.kind = Event::Kind::kTestStart;
    start.time = Begun();
    story_.Tell(start);
    if (failed_before_) {
      story_.Tell(console_.before, std::move(failures_before_));
    }
    TellBody();
    if (!told_.has_value()) {
      return;
    }
    story_.Tell(told_->properties);
    Event end;
    end.kind = Event::Kind::kTestEnd;
    end.elapsed_ms = told_->elapsed_ms;
    end.time = Over();
    story_.Tell(end);
  }

  void TellBody() {
    std::vector<PlacedPart> parts;
    std::vector<Part> others;
    if (told_.has_value()) {
      others = told_->failures;
      parts = Find(console_.body, others);
      std::vector<Part> skips = told_->skips;
      // Older versions tell neither where a test was skipped, nor that one was that had failed.
      const bool may_have_skipped = told_->skipped || !told_->failures.empty();
      Append(skips.empty() && may_have_skipped ? Outside(parts, ScanForSkips(console_.body))
                                               : Find(console_.body, skips),
             parts);
      others.insert(others.end(), skips.begin(), skips.end());
    } else {
      parts = ScanForFailures(console_.body);
      Append(Outside(parts, ScanForSkips(console_.body)), parts);
    }
    if (told_.has_value() && parts.empty() && others.empty() && !set_up_failed_ &&
        !failed_before_) {
      if (told_->skipped) {
        others.push_back(Skip(""));
      } else if (!told_->ran && ExitedWith0()) {
        others.push_back(Skip("isolate: gtest did not come to the test, as an Environment skips"));
      }
    }
    story_.Tell(console_.body, std::move(parts));
    for (Part& part : others) {
      story_.Tell(std::move(part));
    }
  }

  static Part Skip(const std::string& message) {
    Part part;
    part.type = TestPartResult::kSkip;
    part.message = message;
    return part;
  }

  void TellTearDown() {
    for (PlacedPart& placed : late_failures_) {
      story_.Tell(std::move(placed.part));
    }
    story_.Tell(console_.tear_down,
                Failures(console_.tear_down, suite_failures_, tells_suite_failures_));
    story_.Tell(console_.after, Failures(console_.after, outer_failures_, tells_outer_failures_));
    for (std::vector<Part>* parts : {&suite_failures_, &outer_failures_}) {
      for (Part& part : *parts) {
        story_.Tell(std::move(part));
      }
    }
  }

  // The test process has returned; what is to be told is how the binary's ended.
  void TellEnd() {
    if (result_.outcome == Outcome::kTimedOut) {
      ForgetProcesses();
    }
    if (!end_.known || result_.outcome != Outcome::kReturned) {
      return;
    }
    if (WIFSIGNALED(end_.wait_status)) {
      Event crash;
      crash.kind = Event::Kind::kCrash;
      crash.crash = "a binary that is linked with //gtest_plugin:main would tell where";
      story_.Tell(crash);
      result_.outcome = Outcome::kSignaled;
      result_.code = WTERMSIG(end_.wait_status);
      return;
    }
    result_.code = WEXITSTATUS(end_.wait_status);
    if (!told_.has_value() || (result_.code != 0 && !story_.fails())) {
      result_.outcome = Outcome::kExited;
    }
  }

  // Whoever ran when the time was over was ended with the test; the result names them all.
  void ForgetProcesses() {
    result_.leaks.erase(
        std::remove_if(result_.leaks.begin(), result_.leaks.end(),
                       [](const Leak& leak) { return leak.kind == LeakKind::kProcess; }),
        result_.leaks.end());
  }

  // Of the test, as far as it is known: the binary starts before, and ends soon after.
  absl::Time Over() const { return std::max(result_.times.ended, absl::UnixEpoch()); }
  absl::Time Begun() const {
    const absl::Time begun =
        told_.has_value() ? Over() - absl::Milliseconds(told_->elapsed_ms) : result_.times.entered;
    return std::max(begun, absl::UnixEpoch());
  }

  Result result_;
  const BinaryEnd end_;
  absl::optional<GtestOutcome> told_;
  GtestConsole console_;
  std::vector<Part> suite_failures_;
  std::vector<Part> outer_failures_;
  bool tells_suite_failures_ = false;
  bool tells_outer_failures_ = false;
  std::vector<PlacedPart> failures_before_;  // in console_.before
  std::vector<PlacedPart> late_failures_;    // in console_.set_up, of a suite whose tests ran
  bool failed_before_ = false;
  bool set_up_failed_ = false;
  Story story_;
};

}  // namespace

Result Translate(absl::string_view suite, absl::string_view name, Result result) {
  return Translator(suite, name, std::move(result)).Take();
}

}  // namespace isolate::command
