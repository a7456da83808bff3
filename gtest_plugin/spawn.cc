#include "gtest_plugin/spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/exit_with.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/wire.h"
#include "isolate/reporter.h"

namespace isolate::gtest {
namespace {

using ::isolate::internal::Decoder;
using ::isolate::internal::Encoder;
using ::isolate::internal::kNoLimit;
using ::testing::TestInfo;
using ::testing::TestSuite;
using ::testing::UnitTest;

constexpr char kVariable[] = "ISOLATE_SPAWNED";

// What the executed program is to run, by name.
struct Order {
  std::string reporter;
  absl::Duration time_limit;
  std::string suite;
  std::vector<std::string> tests;
};

std::string Encode(const Order& order) {
  Encoder encoder;
  encoder.String(order.reporter)
      .U64(order.time_limit == absl::InfiniteDuration()
               ? kNoLimit
               : static_cast<uint64_t>(absl::ToInt64Nanoseconds(order.time_limit)))
      .String(order.suite)
      .U32(static_cast<uint32_t>(order.tests.size()));
  for (const std::string& test : order.tests) {
    encoder.String(test);
  }
  return encoder.bytes();
}

absl::StatusOr<Order> Decode(const std::string& bytes) {
  Decoder decoder(bytes);
  const auto reporter = decoder.String();
  const auto time_limit = decoder.U64();
  const auto suite = decoder.String();
  const auto count = decoder.U32();
  Order order;
  for (uint32_t i = 0; i < count.value_or(0); ++i) {
    const auto test = decoder.String();
    if (!test.has_value()) {
      break;
    }
    order.tests.emplace_back(*test);
  }
  if (!decoder.complete() || order.tests.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kVariable, " is for isolate's own use; unset it"));
  }
  order.reporter = std::string(*reporter);
  order.time_limit = *time_limit == kNoLimit ? absl::InfiniteDuration()
                                             : absl::Nanoseconds(static_cast<int64_t>(*time_limit));
  order.suite = std::string(*suite);
  return order;
}

// Those that the program was given, but for where gtest is to report: that is the
// runner's affair.
std::vector<std::string> ArgumentsOfProgram() {
  std::vector<std::string> kept;
  for (const std::string& argument : internal::ArgumentsOfProgram()) {
    absl::string_view flag = argument;
    const bool is_flag = absl::ConsumePrefix(&flag, "--") || absl::ConsumePrefix(&flag, "-");
    if (!is_flag || !(absl::StartsWith(flag, GTEST_FLAG_PREFIX_ "output") ||
                      absl::StartsWith(flag, GTEST_FLAG_PREFIX_ "stream_result_to"))) {
      kept.push_back(argument);
    }
  }
  return kept;
}

// A file with this content that the executed program inherits; -1 and errno on failure.
int MakeInheritedFile(const std::string& content) {
  const int file = memfd_create("isolate-order", 0);
  if (file < 0 || isolate::internal::raw::WriteAll(file, content.data(), content.size()) != 0 ||
      lseek(file, 0, SEEK_SET) != 0) {
    return -1;
  }
  return file;
}

std::string ReadAll(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t size; (size = read(descriptor, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(size));
  }
  return text;
}

// Runs the tests of an order within RUN_ALL_TESTS of a program of which nothing else is wanted.
class Spawned : public ::testing::EmptyTestEventListener {
 public:
  Spawned(Order order, std::unique_ptr<Reporter> reporter)
      : order_(std::move(order)), reporter_(std::move(reporter)) {}

  void OnTestPartResult(const ::testing::TestPartResult& result) override;
  void OnEnvironmentsSetUpEnd(const UnitTest& unit_test) override;
  void OnTestIterationEnd(const UnitTest&, int) override { reporter_->Finish(code_); }

 private:
  Assignment Find(UnitTest& unit_test) const;

  const Order order_;
  const std::unique_ptr<Reporter> reporter_;
  bool ran_ = false;
  int code_ = 0;
};

// Of an Environment; in the tests there is another listener for them.
void Spawned::OnTestPartResult(const ::testing::TestPartResult& result) {
  if (!ran_) {
    (void)reporter_->Send(isolate::gtest::Encode(EventOf(result)));
  }
}

Assignment Spawned::Find(UnitTest& unit_test) const {
  Assignment assignment;
  assignment.time_limit = order_.time_limit;
  for (int i = 0; i < unit_test.total_test_suite_count(); ++i) {
    TestSuite* suite = (unit_test.*MemberOf(internal::SuiteAt{}))(i);
    if (suite->name() != order_.suite) {
      continue;
    }
    assignment.suite = suite;
    assignment.functions = {suite->*MemberOf(internal::SetUpFunction{}),
                            suite->*MemberOf(internal::TearDownFunction{})};
    for (const std::string& name : order_.tests) {
      for (int j = 0; j < suite->total_test_count(); ++j) {
        if (suite->GetTestInfo(j)->name() == name) {
          assignment.tests.push_back(const_cast<TestInfo*>(suite->GetTestInfo(j)));
          break;
        }
      }
    }
  }
  return assignment;
}

void Spawned::OnEnvironmentsSetUpEnd(const UnitTest& unit_test) {
  auto& mutable_unit_test = const_cast<UnitTest&>(unit_test);
  const Assignment assignment = Find(mutable_unit_test);
  if (assignment.tests.size() != order_.tests.size()) {
    Event event;
    event.kind = Event::Kind::kNotIsolated;
    event.not_isolated = absl::StrCat("cannot isolate: ", order_.suite, ".", order_.tests.front(),
                                      " is not there when the program is executed again "
                                      "(--isolate_spawn=exec); register the same "
                                      "tests each time.");
    (void)reporter_->Send(isolate::gtest::Encode(event));
    reporter_->Finish(kNotIsolatedExitCode);
  }
  ran_ = true;
  code_ = RunTests(assignment, *reporter_, this);
  // gtest goes on to its suites, of which none is to run again.
  for (int i = 0; i < mutable_unit_test.total_test_suite_count(); ++i) {
    TestSuite& suite = *(mutable_unit_test.*MemberOf(internal::SuiteAt{}))(i);
    suite.*MemberOf(internal::SetUpFunction{}) = nullptr;
    suite.*MemberOf(internal::TearDownFunction{}) = nullptr;
    (suite.*MemberOf(internal::TestList{})).clear();
    (suite.*MemberOf(internal::TestIndices{})).clear();
  }
}

}  // namespace

void ExecTests(const Assignment& assignment, Reporter& reporter) {
  Order order{reporter.HandOver(), assignment.time_limit, assignment.suite->name(), {}};
  for (const TestInfo* test : assignment.tests) {
    order.tests.emplace_back(test->name());
  }
  std::vector<std::string> arguments = ArgumentsOfProgram();
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  const int file = MakeInheritedFile(Encode(order));
  if (file >= 0 && setenv(kVariable, absl::StrCat(file).c_str(), 1) == 0) {
    execv("/proc/self/exe", argv.data());
  }
  Event event;
  event.kind = Event::Kind::kNotIsolated;
  event.not_isolated = absl::StrCat("cannot isolate: the program cannot be executed again (",
                                    strerrordesc_np(errno), "), as --isolate_spawn=exec asks.");
  (void)reporter.Send(isolate::gtest::Encode(event));
  reporter.Finish(kNotIsolatedExitCode);
}

bool IsSpawned() { return getenv(kVariable) != nullptr; }

absl::Status InstallSpawned() {
  int descriptor = -1;
  if (const char* value = getenv(kVariable)) {
    (void)absl::SimpleAtoi(value, &descriptor);
  }
  // What the test executes is no test of ours.
  unsetenv(kVariable);
  const isolate::internal::Fd file(descriptor);
  absl::StatusOr<Order> order = Decode(ReadAll(file.get()));
  if (!order.ok()) {
    return order.status();
  }
  absl::StatusOr<std::unique_ptr<Reporter>> reporter = Reporter::TakeOver(order->reporter);
  if (!reporter.ok()) {
    return reporter.status();
  }
  // gtest's printers and the listeners of so far live in the runner.
  static auto* others = new ::testing::TestEventListeners;
  auto& listeners = UnitTest::GetInstance()->listeners();
  std::swap(listeners.*MemberOf(internal::Repeater{}), others->*MemberOf(internal::Repeater{}));
  listeners.Append(new Spawned(*std::move(order), *std::move(reporter)));
  return absl::OkStatus();
}

}  // namespace isolate::gtest
