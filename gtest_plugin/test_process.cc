#include "gtest_plugin/test_process.h"

#include <stdio.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/test_report.h"
#include "isolate/reporter.h"

namespace isolate::gtest {
namespace {

using ::testing::TestInfo;
using ::testing::TestPartResult;
using ::testing::TestResult;
using ::testing::TestSuite;

// The only listener of a test process.
class ReportingListener : public ::testing::EmptyTestEventListener {
 public:
  explicit ReportingListener(Reporter& reporter) : reporter_(reporter) {}

  void OnTestSuiteStart(const TestSuite& suite) override { suite_ = &suite; }

  void OnTestStart(const TestInfo& test) override {
    SendNewProperties(suite_->ad_hoc_test_result(), suite_properties_);
    test_ = &test;
    Event event;
    event.kind = Event::Kind::kTestStart;
    Send(event);
  }

  void OnTestPartResult(const TestPartResult& result) override {
    SendNewProperties();
    Event event;
    event.part.type = result.type();
    if (result.file_name() != nullptr) {
      event.part.file = result.file_name();
    }
    event.part.line = result.line_number();
    event.part.message = result.message();
    Send(event);
  }

  void OnTestEnd(const TestInfo& test) override {
    SendNewProperties();
    test_ = nullptr;
    Event event;
    event.kind = Event::Kind::kTestEnd;
    event.elapsed_ms = test.result()->elapsed_time();
    Send(event);
  }

  void OnTestSuiteEnd(const TestSuite&) override { SendNewProperties(); }

 private:
  void SendNewProperties() {
    if (test_ != nullptr) {
      SendNewProperties(*test_->result(), test_properties_);
    } else if (suite_ != nullptr) {
      SendNewProperties(suite_->ad_hoc_test_result(), suite_properties_);
    }
  }

  // gtest tells no listener of a property, so they are looked for at every
  // other event.  A key that was recorded again keeps its place.
  void SendNewProperties(const TestResult& result, std::vector<std::string>& sent) {
    for (int i = 0; i < result.test_property_count(); ++i) {
      const ::testing::TestProperty& property = result.GetTestProperty(i);
      const auto index = static_cast<size_t>(i);
      if (index < sent.size() && sent[index] == property.value()) {
        continue;
      }
      sent.resize(std::max(sent.size(), index + 1));
      sent[index] = property.value();
      Event event;
      event.kind = Event::Kind::kProperty;
      event.property = {property.key(), property.value()};
      Send(event);
    }
  }

  void Send(Event event) {
    std::string message = Encode(event);
    if (message.size() > Reporter::kMaxMessageSize) {
      const size_t surplus = message.size() - Reporter::kMaxMessageSize;
      std::string& text =
          event.kind == Event::Kind::kProperty ? event.property.value : event.part.message;
      const std::string note =
          absl::StrCat("\n[isolate: the rest of ", text.size(), " bytes is left out]");
      text.resize(text.size() - std::min(text.size(), surplus + note.size()));
      text += note;
      message = Encode(event);
    }
    const absl::Status status = reporter_.Send(message);
    if (absl::IsFailedPrecondition(status) && event.kind == Event::Kind::kPart) {
      // A process that the test forked: gtest's printer would print here.
      PrintPart(event.part);
    }
  }

  static void PrintPart(const Part& part) {
    const bool failed =
        part.type == TestPartResult::kNonFatalFailure || part.type == TestPartResult::kFatalFailure;
    if (part.type == TestPartResult::kSuccess) {
      return;
    }
    const std::string location = ::testing::internal::FormatFileLocation(
        part.file.has_value() ? part.file->c_str() : nullptr, part.line);
    printf("%s %s%s\n", location.c_str(), failed ? "Failure\n" : "Skipped\n", part.message.c_str());
    fflush(stdout);
  }

  Reporter& reporter_;
  const TestSuite* suite_ = nullptr;
  const TestInfo* test_ = nullptr;
  std::vector<std::string> suite_properties_;
  std::vector<std::string> test_properties_;
};

}  // namespace

int RunTest(TestSuite& suite, TestInfo& test, const SuiteFunctions& functions, Reporter& reporter) {
  // Both live until the process ends: gtest keeps pointers to them.
  auto* listeners = new ::testing::TestEventListeners;
  listeners->Append(new ReportingListener(reporter));
  std::swap(::testing::UnitTest::GetInstance()->listeners().*MemberOf(internal::Repeater{}),
            listeners->*MemberOf(internal::Repeater{}));

  suite.*MemberOf(internal::SetUpFunction{}) = functions.set_up;
  suite.*MemberOf(internal::TearDownFunction{}) = functions.tear_down;
  suite.*MemberOf(internal::TestList{}) = {&test};
  suite.*MemberOf(internal::TestIndices{}) = {0};
  (suite.*MemberOf(internal::RunSuite{}))();
  return 0;
}

}  // namespace isolate::gtest
