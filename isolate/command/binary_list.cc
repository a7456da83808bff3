#include "isolate/command/binary_list.h"

#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/command/binary_process.h"
#include "isolate/command/gtest_arguments.h"
#include "isolate/command/test_list.h"
#include "isolate/isolate.h"
#include "isolate/leak.h"
#include "isolate/options.h"
#include "isolate/reporter.h"
#include "isolate/result.h"

namespace isolate::command {
namespace {

constexpr absl::Duration kLimit = absl::Minutes(1);

// How much of its output an error shows.
constexpr size_t kShownBytes = 1000;

// The output's end, on lines of its own.
std::string Shown(const Result& result) {
  const std::string text = absl::StrCat(result.out, result.err);
  const absl::string_view all = absl::StripAsciiWhitespace(text);
  if (all.empty()) {
    return "It printed nothing.";
  }
  const size_t begin = all.size() - std::min(all.size(), kShownBytes);
  return absl::StrCat("It printed:\n", begin > 0 ? "..." : "", all.substr(begin));
}

std::string HowItEnded(const BinaryEnd& end) {
  return WIFSIGNALED(end.wait_status) ? Describe(Outcome::kSignaled, WTERMSIG(end.wait_status))
                                      : Describe(Outcome::kExited, WEXITSTATUS(end.wait_status));
}

absl::Status NoList(const std::string& path, const std::string& why, const Result& result) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why, "\n", Shown(result)));
}

}  // namespace

absl::StatusOr<std::vector<ListedTest>> ListTests(const std::string& path,
                                                  const GtestArguments& arguments,
                                                  Options options) {
  options.leaks = LeakKinds();
  options.audit_names = false;
  options.keep_failed = false;
  options.timeout = std::min(options.timeout, kLimit);
  absl::StatusOr<Result> result = Run(options, [&](Reporter& reporter) {
    return RunBinary(
        [&](const std::string& file) { return CommandThatLists(path, arguments, file); }, reporter);
  });
  if (!result.ok()) {
    return result.status();
  }
  const BinaryEnd end = TakeBinaryEnd(*result);
  if (end.execute_error != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": cannot be executed: ", strerror(end.execute_error)));
  }
  if (!end.known || result->outcome == Outcome::kTimedOut) {
    return NoList(path,
                  absl::StrCat("did not list its tests (--gtest_list_tests) within ",
                               absl::FormatDuration(options.timeout), " (--timeout, at most ",
                               absl::FormatDuration(kLimit), ")."),
                  *result);
  }
  if (WIFSIGNALED(end.wait_status)) {
    return NoList(path,
                  absl::StrCat(HowItEnded(end),
                               " when it was to list its tests "
                               "(--gtest_list_tests)."),
                  *result);
  }
  absl::optional<std::vector<ListedTest>> tests = ParseJsonList(end.json);
  if (!tests.has_value() && end.wait_status == 0) {
    tests = ParseTextList(result->out);
  }
  if (!tests.has_value()) {
    return NoList(path,
                  absl::StrCat(HowItEnded(end),
                               ", and listed no tests when it was to "
                               "(--gtest_list_tests): it is no GoogleTest binary, "
                               "or does not take an argument that it was given. "
                               "For other programs there is \"isolate run\", and "
                               "isolate_run for Bazel's --run_under."),
                  *result);
  }
  if (absl::Status status = CheckThatFiltersTellThemApart(*tests); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
  }
  return *std::move(tests);
}

}  // namespace isolate::command
