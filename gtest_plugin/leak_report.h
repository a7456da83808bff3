#ifndef GTEST_PLUGIN_LEAK_REPORT_H_
#define GTEST_PLUGIN_LEAK_REPORT_H_

// Tells of leaks in gtest's own voice: under each test, as a property of it, as its failure where
// the policy says so, and at the end of the program.  Lives in the runner.

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gtest/gtest.h"
#include "gtest_plugin/allowed_leaks.h"
#include "gtest_plugin/leak_policy.h"
#include "isolate/leak.h"

namespace isolate::gtest {

class LeakReport {
 public:
  LeakReport(const LeakPolicies& policies, AllowedLeaks allowed)
      : policies_(policies), allowed_(std::move(allowed)) {}

  // To be called while gtest runs the test's stand-in.  Takes out of `leaks` those that are
  // allowed, and the rest of a kind of which all that are named are; what is left it prints and
  // records as the property isolate_leaks; where one fails the test, it adds the failure, and
  // isolate_outcome is "leaked" if `passed`.
  void Judge(const ::testing::TestInfo& test, std::vector<Leak>& leaks, bool passed);

  // Prints how many leaks there were, of which kinds, and which tests left most.  `complete`: every
  // test of the program ran; then allowances that allowed nothing are named.  Nothing, if there is
  // nothing to tell.
  void PrintSummary(bool complete) const;

  // How many there were of a kind that were not allowed.
  int64_t CountOf(LeakKind kind) const { return counts_[static_cast<size_t>(kind)]; }

 private:
  using Counts = std::array<int64_t, kLeakKindCount>;
  struct Polluter {
    std::string test;
    Counts counts = {};
    int64_t total = 0;
  };

  static std::string Text(const Counts& counts);
  void RemoveAllowed(const std::string& test, const std::vector<std::string>& traits,
                     std::vector<Leak>& leaks);
  Polluter& PolluterOf(const std::string& test);

  const LeakPolicies policies_;
  AllowedLeaks allowed_;
  Counts counts_ = {};
  absl::flat_hash_map<std::string, size_t> by_test_;  // where it stands in the next
  std::vector<Polluter> polluters_;                   // a test once, however often it ran
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_LEAK_REPORT_H_
