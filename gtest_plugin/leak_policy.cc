#include "gtest_plugin/leak_policy.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/leak.h"

namespace isolate::gtest {
namespace {

constexpr struct {
  LeakPolicy policy;
  absl::string_view name;
} kPolicies[] = {
    {LeakPolicy::kOff, "off"}, {LeakPolicy::kReport, "report"}, {LeakPolicy::kFail, "fail"}};

absl::optional<LeakPolicy> PolicyNamed(absl::string_view name) {
  for (const auto& entry : kPolicies) {
    if (entry.name == name) {
      return entry.policy;
    }
  }
  return absl::nullopt;
}

}  // namespace

LeakKinds LeakPolicies::Wanted() const {
  LeakKinds kinds;
  for (size_t i = 0; i < of.size(); ++i) {
    kinds[i] = of[i] != LeakPolicy::kOff;
  }
  return kinds;
}

absl::optional<LeakKinds> LeakKindsNamed(absl::string_view name) {
  LeakKinds kinds;
  if (name == "all") {
    return AllLeakKinds();
  }
  if (name == "ipc") {
    kinds[static_cast<size_t>(LeakKind::kSysv)] = true;
    kinds[static_cast<size_t>(LeakKind::kPosix)] = true;
    return kinds;
  }
  if (const absl::optional<LeakKind> kind = LeakKindNamed(name)) {
    kinds[static_cast<size_t>(*kind)] = true;
    return kinds;
  }
  return absl::nullopt;
}

std::string NamesOfLeakKinds() {
  return absl::StrCat(
      absl::StrJoin(kLeakKinds, ", ",
                    [](std::string* out, LeakKind kind) { absl::StrAppend(out, NameOf(kind)); }),
      ", ipc (sysv and posix), all");
}

bool AbslParseFlag(absl::string_view text, LeakPolicies* value, std::string* error) {
  for (const absl::string_view entry : absl::StrSplit(text, ',')) {
    std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(entry, absl::MaxSplits(':', 1));
    if (parts.second.empty()) {
      parts = {"all", parts.first};
    }
    const absl::optional<LeakKinds> kinds = LeakKindsNamed(parts.first);
    const absl::optional<LeakPolicy> policy = PolicyNamed(parts.second);
    if (!kinds.has_value() || !policy.has_value()) {
      *error =
          absl::StrCat("expected KIND:POLICY, with commas between several, as ports:fail; the ",
                       "kinds are ", NamesOfLeakKinds(), "; the policies off, report, fail");
      return false;
    }
    for (const LeakKind kind : kLeakKinds) {
      if (Has(*kinds, kind)) {
        value->of[static_cast<size_t>(kind)] = *policy;
      }
    }
  }
  return true;
}

std::string AbslUnparseFlag(const LeakPolicies& value) {
  const auto name = [](LeakPolicy policy) { return kPolicies[static_cast<size_t>(policy)].name; };
  bool same = true;
  for (const LeakPolicy policy : value.of) {
    same = same && policy == value.of.front();
  }
  if (same) {
    return absl::StrCat("all:", name(value.of.front()));
  }
  return absl::StrJoin(kLeakKinds, ",", [&](std::string* out, LeakKind kind) {
    absl::StrAppend(out, NameOf(kind), ":", name(value.Of(kind)));
  });
}

}  // namespace isolate::gtest
