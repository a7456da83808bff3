#include "gtest_plugin/planner.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "gtest_plugin/allowed_leaks.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/traits.h"
#include "gtest_plugin/traits_of_tests.h"
#include "isolate/executor.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::gtest {

using ::testing::TestInfo;
using ::testing::TestSuite;

namespace {

// Whether one process may run both, of one suite.
bool ShareAProcess(const Assignment& a, const Assignment& b) {
  return (a.scope == Scope::kSuite || a.snapshot) && a.scope == b.scope &&
         a.snapshot == b.snapshot && a.sandbox == b.sandbox;
}

// Whether a sandbox has to be another one than the flags say.
bool AsksForAnother(const Traits& traits) {
  return traits.timeout.has_value() || traits.network.has_value() || traits.hostname.has_value() ||
         traits.memory_limit_bytes.has_value() || traits.time_offset.has_value() ||
         !traits.read_only_paths.empty() || !traits.writable_paths.empty();
}

// Of options that differ in nothing but what traits may say.
bool IsSameKind(const Options& a, const Options& b) {
  return a.timeout == b.timeout && a.network == b.network && a.hostname == b.hostname &&
         a.memory_limit_bytes == b.memory_limit_bytes && a.time_offset == b.time_offset &&
         a.read_only_paths == b.read_only_paths && a.writable_paths == b.writable_paths;
}

}  // namespace

// Tests that share a process are put together where the first of them stands.
absl::StatusOr<std::vector<Assignment>> Planner::Plan(TestSuite& suite,
                                                      const SuiteFunctions& functions) {
  std::vector<Assignment> assignments;
  for (int i = 0; i < suite.total_test_count(); ++i) {
    const TestInfo* test = suite.GetTestInfo(i);
    if (!test->should_run()) {
      continue;
    }
    const Traits traits = TraitsOf(*test);
    for (const std::string& allowed : traits.allow_leaks) {
      if (absl::Status status = ParseAllowedLeak(allowed).status(); !status.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("the traits of ", suite.name(), ".",
                                                       test->name(),
                                                       ": allow_leaks: ", status.message()));
      }
    }
    const absl::StatusOr<Executor::Kind> sandbox = SandboxFor(traits);
    if (absl::IsInvalidArgument(sandbox.status()) &&
        !GetSetupFailure(sandbox.status()).has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the traits of ", suite.name(), ".", test->name(), ": ", sandbox.status().message()));
    }
    if (!sandbox.ok()) {
      return sandbox.status();
    }
    Assignment assignment;
    assignment.suite = &suite;
    // gtest owns it as a mutable object; only its reflection is const.
    assignment.tests = {const_cast<TestInfo*>(test)};
    assignment.functions = functions;
    assignment.sandbox = *sandbox;
    assignment.scope = traits.scope.value_or(settings_.scope);
    assignment.time_limit = kinds_[*sandbox].timeout;
    assignment.snapshot =
        traits.suite_setup.value_or(settings_.suite_setup) == SuiteSetUp::kSnapshot &&
        assignment.functions.set_up != nullptr;
    if (assignment.snapshot && settings_.spawn == Spawn::kExec) {
      return absl::InvalidArgumentError(
          absl::StrCat("the traits of ", suite.name(), ".", test->name(),
                       ": suite_setup: a snapshot is not to be had with --isolate_spawn=exec"));
    }
    if (assignment.snapshot && assignment.scope == Scope::kTest && settings_.options.keep_failed &&
        settings_.options.full_output_folder.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--isolate_keep=failed: the tests of ", suite.name(),
          ", forked from a snapshot, have no terminal; set TEST_UNDECLARED_OUTPUTS_DIR to a folder "
          "to which the files of tests that fail are copied"));
    }
    const auto same =
        std::find_if(assignments.begin(), assignments.end(),
                     [&](const Assignment& other) { return ShareAProcess(assignment, other); });
    if (same != assignments.end()) {
      same->tests.push_back(assignment.tests.front());
    } else {
      assignments.push_back(std::move(assignment));
    }
  }
  for (Assignment& assignment : assignments) {
    assignment.snapshot = assignment.snapshot && assignment.tests.size() > 1;
  }
  return assignments;
}

// The kind of sandbox that the traits ask for; a new one, if there is none like it.
absl::StatusOr<Executor::Kind> Planner::SandboxFor(const Traits& traits) {
  if (!AsksForAnother(traits)) {
    return Executor::kDefaultKind;
  }
  Options options = settings_.options;
  options.timeout = traits.timeout.value_or(options.timeout);
  options.network = traits.network.value_or(options.network);
  options.hostname = traits.hostname.value_or(options.hostname);
  options.memory_limit_bytes = traits.memory_limit_bytes.value_or(options.memory_limit_bytes);
  options.time_offset = traits.time_offset.has_value() ? traits.time_offset : options.time_offset;
  options.read_only_paths.insert(options.read_only_paths.end(), traits.read_only_paths.begin(),
                                 traits.read_only_paths.end());
  options.writable_paths.insert(options.writable_paths.end(), traits.writable_paths.begin(),
                                traits.writable_paths.end());
  for (size_t kind = 0; kind < kinds_.size(); ++kind) {
    if (IsSameKind(kinds_[kind], options)) {
      return kind;
    }
  }
  kinds_.push_back(options);
  return executor_.AddKind(options);
}

}  // namespace isolate::gtest
