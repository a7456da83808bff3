#include "gtest_plugin/leak_report.h"

#include <stdio.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "gtest_plugin/replay.h"
#include "gtest_plugin/test_report.h"
#include "gtest_plugin/traits.h"
#include "gtest_plugin/traits_of_tests.h"
#include "isolate/leak.h"

namespace isolate::gtest {
namespace {

using ::testing::Test;
using ::testing::TestInfo;
using ::testing::TestPartResult;

// Of one test's, on the console; and of the tests, at the end.
constexpr size_t kMostShown = 20;
constexpr size_t kMostTests = 10;

// As wide as gtest's own.
constexpr char kTag[] = "[  LEAKED  ] ";

std::string FullName(const TestInfo& test) {
  return absl::StrCat(test.test_suite_name(), ".", test.name());
}

// "port", "2 ports"
std::string Count(int64_t count, LeakKind kind) {
  static constexpr struct {
    LeakKind kind;
    const char* one;
    const char* more;
  } kNouns[] = {
      {LeakKind::kPort, "port", "ports"},
      {LeakKind::kTimeWait, "port in TIME_WAIT", "ports in TIME_WAIT"},
      {LeakKind::kSysv, "System V object", "System V objects"},
      {LeakKind::kPosix, "POSIX object", "POSIX objects"},
      {LeakKind::kProcess, "process", "processes"},
      {LeakKind::kThread, "thread", "threads"},
      {LeakKind::kDescriptor, "descriptor", "descriptors"},
      {LeakKind::kFile, "file", "files"},
      {LeakKind::kState, "change of the process's state", "changes of the process's state"},
  };
  for (const auto& noun : kNouns) {
    if (noun.kind == kind) {
      return absl::StrCat(count, " ", count == 1 ? noun.one : noun.more);
    }
  }
  return "";
}

void Print(const std::vector<Leak>& leaks) {
  for (size_t i = 0; i < leaks.size() && i < kMostShown; ++i) {
    const Leak& leak = leaks[i];
    printf("%s%s: %s\n", kTag, std::string(NameOf(leak.kind)).c_str(), Describe(leak).c_str());
    if (!leak.consequence.empty()) {
      printf("%*swithout isolation, %s\n", static_cast<int>(sizeof(kTag) - 1), "",
             leak.consequence.c_str());
    }
  }
  if (leaks.size() > kMostShown) {
    printf("%sand %d more (--isolate_report=FILE has all)\n", kTag,
           static_cast<int>(leaks.size() - kMostShown));
  }
  fflush(stdout);
}

std::string Names(const std::vector<Leak>& leaks) {
  return absl::StrJoin(leaks, "; ", [](std::string* out, const Leak& leak) {
    absl::StrAppend(out, NameOf(leak.kind), ":", leak.name);
  });
}

}  // namespace

std::string LeakReport::Text(const Counts& counts) {
  std::vector<std::string> parts;
  for (const LeakKind kind : kLeakKinds) {
    if (const int64_t count = counts[static_cast<size_t>(kind)]; count > 0) {
      parts.push_back(Count(count, kind));
    }
  }
  return absl::StrJoin(parts, ", ");
}

void LeakReport::RemoveAllowed(const std::string& test, const std::vector<std::string>& traits,
                               std::vector<Leak>& leaks) {
  LeakKinds named;
  const auto is_rest = [](const Leak& leak) { return leak.count > 1; };
  const auto is_allowed = [&](const Leak& leak) {
    return !is_rest(leak) && allowed_.Allow(leak, test, traits);
  };
  leaks.erase(std::remove_if(leaks.begin(), leaks.end(), is_allowed), leaks.end());
  for (const Leak& leak : leaks) {
    named[static_cast<size_t>(leak.kind)] = named[static_cast<size_t>(leak.kind)] || !is_rest(leak);
  }
  leaks.erase(
      std::remove_if(leaks.begin(), leaks.end(),
                     [&](const Leak& leak) { return is_rest(leak) && !Has(named, leak.kind); }),
      leaks.end());
}

LeakReport::Polluter& LeakReport::PolluterOf(const std::string& test) {
  const auto known = by_test_.emplace(test, polluters_.size());
  if (known.second) {
    polluters_.push_back({test});
  }
  return polluters_[known.first->second];
}

void LeakReport::Judge(const TestInfo& test, std::vector<Leak>& leaks, bool passed) {
  const std::vector<std::string> traits = TraitsOf(test).allow_leaks;
  for (const std::string& text : traits) {
    allowed_.AddOfTraits(text);
  }
  const std::string name = FullName(test);
  RemoveAllowed(name, traits, leaks);
  if (leaks.empty()) {
    return;
  }
  Polluter& polluter = PolluterOf(name);
  std::vector<Leak> failing;
  for (const Leak& leak : leaks) {
    counts_[static_cast<size_t>(leak.kind)] += leak.count;
    polluter.counts[static_cast<size_t>(leak.kind)] += leak.count;
    polluter.total += leak.count;
    if (policies_.Of(leak.kind) == LeakPolicy::kFail) {
      failing.push_back(leak);
    }
  }
  if (!GTEST_FLAG_GET(brief)) {
    Print(leaks);
  }
  Test::RecordProperty("isolate_leaks", Names(leaks));
  if (failing.empty()) {
    return;
  }
  // First: the failure may throw.
  if (passed) {
    Test::RecordProperty("isolate_outcome", "leaked");
  }
  Part part;
  part.type = TestPartResult::kNonFatalFailure;
  part.file = test.file();
  part.line = test.line();
  part.message =
      absl::StrCat("isolate: the test left behind what it must not (--isolate_leaks):",
                   absl::StrJoin(failing, "", [](std::string* out, const Leak& leak) {
                     absl::StrAppend(out, "\n  ", NameOf(leak.kind), ": ", Describe(leak));
                   }));
  Replay(part);
}

void LeakReport::PrintSummary(bool complete) const {
  std::vector<const Polluter*> worst;
  for (const Polluter& polluter : polluters_) {
    worst.push_back(&polluter);
  }
  std::stable_sort(worst.begin(), worst.end(),
                   [](const Polluter* a, const Polluter* b) { return a->total > b->total; });
  if (!worst.empty()) {
    printf("%s%d test%s left something behind: %s\n", kTag, static_cast<int>(worst.size()),
           worst.size() == 1 ? "" : "s", Text(counts_).c_str());
  }
  for (size_t i = 0; i < worst.size() && i < kMostTests; ++i) {
    printf("%s%s: %s\n", kTag, worst[i]->test.c_str(), Text(worst[i]->counts).c_str());
  }
  if (worst.size() > kMostTests) {
    printf("%sand %d more\n", kTag, static_cast<int>(worst.size() - kMostTests));
  }
  const bool strict = std::all_of(std::begin(kLeakKinds), std::end(kLeakKinds), [&](LeakKind kind) {
    return CountOf(kind) == 0 || policies_.Of(kind) == LeakPolicy::kFail;
  });
  if (!worst.empty() && !strict) {
    printf(
        "isolate: --isolate_leaks=fail makes such tests fail, --isolate_allow_leaks names what is "
        "meant, --isolate_leaks=off looks for nothing.\n");
  }
  if (const std::vector<std::string> unused = allowed_.Unused(policies_.Wanted());
      complete && !unused.empty()) {
    printf("isolate: these allowed leaks did not occur, and can go:\n  %s\n",
           absl::StrJoin(unused, "\n  ").c_str());
  }
  fflush(stdout);
}

}  // namespace isolate::gtest
