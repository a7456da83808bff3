#ifndef GTEST_PLUGIN_LEAK_POLICY_H_
#define GTEST_PLUGIN_LEAK_POLICY_H_

// What a test's leaks come to, by kind: the value of --isolate_leaks.  Pure.

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/leak.h"

namespace isolate::gtest {

enum class LeakPolicy {
  kOff,     // it is not looked for
  kReport,  // it is told of
  kFail,    // and the test has failed
};

struct LeakPolicies {
  std::array<LeakPolicy, kLeakKindCount> of = MakeReport();

  LeakPolicy Of(LeakKind kind) const { return of[static_cast<size_t>(kind)]; }
  // Those that are looked for.
  LeakKinds Wanted() const;

 private:
  static constexpr std::array<LeakPolicy, kLeakKindCount> MakeReport() {
    std::array<LeakPolicy, kLeakKindCount> all = {};
    for (LeakPolicy& policy : all) {
      policy = LeakPolicy::kReport;
    }
    return all;
  }
};

// "ports:fail,files:off", "all:fail"; a policy alone is that of all.  What is not named stays as it
// was.
bool AbslParseFlag(absl::string_view text, LeakPolicies* value, std::string* error);
std::string AbslUnparseFlag(const LeakPolicies& value);

// "ports", "ipc" (which is sysv and posix) or "all"; nothing for another name.
absl::optional<LeakKinds> LeakKindsNamed(absl::string_view name);
// All of these names, for messages.
std::string NamesOfLeakKinds();

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_LEAK_POLICY_H_
