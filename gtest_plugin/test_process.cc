#include "gtest_plugin/test_process.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/crash.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/interruption.h"
#include "gtest_plugin/outputs_folder.h"
#include "gtest_plugin/stacks.h"
#include "gtest_plugin/test_report.h"
#include "isolate/internal/audit_mark.h"
#include "isolate/internal/realtime.h"
#include "isolate/reporter.h"

// LeakSanitizer, where it is linked in: it would look only at a process that ends by
// exit.  Not 0 where there are leaks, which it has printed then.
extern "C" __attribute__((weak)) int __lsan_do_recoverable_leak_check();

namespace isolate::gtest {
namespace {

using ::isolate::internal::RealtimeNow;
using ::testing::TestInfo;
using ::testing::TestPartResult;
using ::testing::TestResult;
using ::testing::TestSuite;

// Process numbers repeat in sandboxes, so each test has a folder for its core; none where no core
// may be written.
std::string CoreFolder(const TestInfo& test) {
  rlimit limit;
  if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur == 0) {
    return "";
  }
  std::string pattern;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), pattern);
  if (pattern.empty() || pattern.find_first_of("|/@") != std::string::npos) {
    return "";  // it goes to a program, or to a place of its own
  }
  const std::string outputs = OutputsFolder();
  return outputs.empty() ? "" : FolderOf(test, outputs);
}

// The tests of the suite: those that gtest is to run while it runs the suite, and
// all of them while one of those runs, which may look at them, as gtest's check does that
// they have one fixture class.
class TestsOfSuite {
 public:
  explicit TestsOfSuite(const Assignment& assignment)
      : suite_(*assignment.suite), other_tests_(assignment.tests) {
    // Since 1.18 gtest sorts the list like this before it runs a suite; which of them comes
    // when, the indices say.
    std::stable_sort(other_tests_.begin(), other_tests_.end(), ComesBefore);
    absl::flat_hash_map<const TestInfo*, int> positions;
    for (const TestInfo* test : other_tests_) {
      positions.emplace(test, static_cast<int>(positions.size()));
    }
    for (const TestInfo* test : assignment.tests) {
      other_indices_.push_back(positions.at(test));
    }
    Exchange();
  }

  void Exchange() {
    std::swap(suite_.*MemberOf(internal::TestList{}), other_tests_);
    std::swap(suite_.*MemberOf(internal::TestIndices{}), other_indices_);
  }

 private:
  static bool ComesBefore(const TestInfo* a, const TestInfo* b) {
    const int order = strcmp(a->file(), b->file());
    return order != 0 ? order < 0 : a->line() < b->line();
  }

  TestSuite& suite_;
  std::vector<TestInfo*> other_tests_;
  std::vector<int> other_indices_;
};

// The only listener of a test process.
class ReportingListener : public ::testing::EmptyTestEventListener {
 public:
  ReportingListener(Reporter& reporter, const Assignment& assignment)
      : reporter_(reporter), assignment_(assignment), tests_(assignment) {}

  void OnTestSuiteStart(const TestSuite& suite) override { suite_ = &suite; }

  void OnTestStart(const TestInfo& test) override {
    tests_.Exchange();
    SendNewProperties(Look::kForChanged);
    test_ = &test;
    test_properties_.clear();
    {
      const ::isolate::internal::ScopedAside aside;
      SetCoreFolder(CoreFolder(test));
    }
    if (begun_ == 0) {
      NextStretch();
    }
    if (assignment_.tests.size() > 1 && !assignment_.snapshot) {
      Reporter::BeginFootprint(begun_ + 1);
    }
    if (assignment_.tests.size() > 1) {
      // Not OK where the report cannot be sent either.
      (void)reporter_.SetTimeLimit(assignment_.time_limit);
    }
    Event event;
    event.kind = Event::Kind::kTestStart;
    event.test = begun_++;
    event.time = RealtimeNow();
    Send(event);
  }

  void OnTestPartResult(const TestPartResult& result) override {
    failed_ = failed_ || result.failed();
    SendNewProperties();
    Send(EventOf(result));
  }

  void OnTestEnd(const TestInfo& test) override {
    const absl::Time now = RealtimeNow();
    SendNewProperties(Look::kForChanged);
    SendLeak(test);
    test_ = nullptr;
    Event event;
    event.kind = Event::Kind::kTestEnd;
    event.elapsed_ms = test.result()->elapsed_time();
    event.time = now;
    Send(event);
    NextStretch();
    tests_.Exchange();
  }

  void OnTestSuiteEnd(const TestSuite&) override { SendNewProperties(Look::kForChanged); }

  bool failed() const { return failed_; }

 private:
  // Properties that are new, or also those whose value has changed.
  enum class Look { kForNew, kForChanged };

  // One for each of several tests.  Those of a snapshot run elsewhere.
  void NextStretch() {
    if (assignment_.tests.size() > 1 && !assignment_.snapshot) {
      reporter_.NextStretch();
    }
  }

  // The fixture is gone by now; what the suite keeps is in sight.  What has leaked once would be
  // found after every test that follows.
  void SendLeak(const TestInfo& test) {
    if (leaks_ || __lsan_do_recoverable_leak_check == nullptr ||
        __lsan_do_recoverable_leak_check() == 0) {
      return;
    }
    leaks_ = true;
    failed_ = true;
    Event event;
    event.part.type = TestPartResult::kNonFatalFailure;
    event.part.file = test.file();
    event.part.line = test.line();
    event.part.message = "isolate: the test leaks memory; LeakSanitizer's report is in its output";
    Send(event);
  }

  void SendNewProperties(Look look = Look::kForNew) {
    if (test_ != nullptr) {
      SendNewProperties(*test_->result(), test_properties_, look);
    } else if (suite_ != nullptr) {
      SendNewProperties(suite_->ad_hoc_test_result(), suite_properties_, look);
    }
  }

  // gtest tells no listener of a property, so they are looked for at every other
  // event: the new ones, and at the end those too whose key was recorded again,
  // which keep their place.
  void SendNewProperties(const TestResult& result, std::vector<std::string>& sent, Look look) {
    std::vector<Event> events;
    internal::WithLock(const_cast<TestResult&>(result).*MemberOf(internal::PropertiesMutex{}), [&] {
      const auto count = static_cast<size_t>(result.test_property_count());
      for (size_t i = look == Look::kForChanged ? 0 : sent.size(); i < count; ++i) {
        const ::testing::TestProperty& property = result.GetTestProperty(static_cast<int>(i));
        if (i < sent.size() && sent[i] == property.value()) {
          continue;
        }
        sent.resize(std::max(sent.size(), i + 1));
        sent[i] = property.value();
        Event event;
        event.kind = Event::Kind::kProperty;
        event.property = {property.key(), property.value()};
        events.push_back(std::move(event));
      }
    });
    for (Event& event : events) {
      Send(std::move(event));
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
    if (!IsAffordable(event, message.size())) {
      return;
    }
    const absl::Status status = reporter_.Send(message);
    if (absl::IsFailedPrecondition(status) && event.kind == Event::Kind::kPart) {
      // A process that the test forked: gtest's printer would print here.
      PrintPart(event.part);
    }
  }

  // Whether it leaves room for what has to be told: of successes, which gtest shows
  // nowhere, half of the messages; of all parts and properties, so much that the
  // test's end can be told.  A test whose failures do not fit has failed.
  bool IsAffordable(const Event& event, size_t size) {
    if (event.kind != Event::Kind::kPart && event.kind != Event::Kind::kProperty) {
      return true;
    }
    const bool success =
        event.kind == Event::Kind::kPart && event.part.type == TestPartResult::kSuccess;
    const uint32_t most = success ? Reporter::kMaxMessages / 2 : Reporter::kMaxMessages - 16;
    if (sent_ >= most || sent_bytes_ + size > Reporter::kMaxTotalSize - 1024) {
      return false;
    }
    ++sent_;
    sent_bytes_ += size;
    return true;
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
  const Assignment& assignment_;
  TestsOfSuite tests_;
  uint32_t begun_ = 0;
  bool leaks_ = false;
  bool failed_ = false;
  const TestSuite* suite_ = nullptr;
  const TestInfo* test_ = nullptr;
  std::vector<std::string> suite_properties_;
  std::vector<std::string> test_properties_;
  uint32_t sent_ = 0;
  size_t sent_bytes_ = 0;
};

}  // namespace

int RunTests(const Assignment& assignment, Reporter& reporter,
             ::testing::TestEventListener* listener) {
  TestSuite& suite = *assignment.suite;
  ReleaseInterruptions();
  ReportCrashes(reporter);
  if (!GTEST_FLAG_GET(stream_result_to).empty()) {
    // A death test's child would stream, too: where the sandbox does not let it, gtest
    // ends it for that.
    internal::AddArgumentOfDeathTests("--" GTEST_FLAG_PREFIX_ "stream_result_to=");
  }
  // What is set aside lives until the process ends, and stays in sight, so that it is
  // no leak to LeakSanitizer.
  static std::vector<::testing::TestEventListeners*> aside;
  aside.push_back(new ::testing::TestEventListeners);
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  std::swap(listeners.*MemberOf(internal::Repeater{}),
            aside.back()->*MemberOf(internal::Repeater{}));
  auto* reporting_listener = new ReportingListener(reporter, assignment);
  // The runner may have been in the midst of another test when this process was forked,
  // and of this very suite.  gtest is in no test when it has skipped one, of which no
  // listener hears; then it forgets what it knows of the suite.
  (assignment.tests.front()->*MemberOf(internal::SkipTest{}))();
  (suite.*MemberOf(internal::ClearResult{}))();

  listeners.Append(reporting_listener);
  if (listener != nullptr) {
    listeners.Append(listener);
  }
  suite.*MemberOf(internal::SetUpFunction{}) = assignment.functions.set_up;
  suite.*MemberOf(internal::TearDownFunction{}) = assignment.functions.tear_down;
  if (assignment.stretch > 0) {
    Reporter::BeginFootprint(assignment.stretch);
  }
  reporter.SetStandOf([](pid_t thread) -> Reporter::Stand {
    ThreadStand stand = StandOf(thread);
    return {std::move(stand.function), std::move(stand.stack)};
  });
  // What gtest, the runner and this function have opened so far is theirs.
  reporter.BeginLeakCheck();
  (suite.*MemberOf(internal::RunSuite{}))();
  return reporting_listener->failed() ? 1 : 0;
}

}  // namespace isolate::gtest
