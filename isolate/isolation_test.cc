#include "isolate/isolation.h"

#include <set>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"

namespace isolate {
namespace {

TEST(Isolation, HasANameOfItsOwnThatLeadsBackToIt) {
  std::set<absl::string_view> names;
  for (const Isolation kind : kIsolationKinds) {
    EXPECT_TRUE(names.insert(NameOf(kind)).second) << NameOf(kind);
    EXPECT_EQ(IsolationNamed(NameOf(kind)), kind);
  }
  EXPECT_EQ(IsolationNamed(""), absl::nullopt);
  EXPECT_EQ(IsolationNamed("net"), absl::nullopt);
}

TEST(Isolations, AreReadAsTheyAreWritten) {
  for (const char* names : {"none", "pid", "network,ipc", "pid,mount,cgroup"}) {
    const absl::optional<Isolations> kinds = IsolationsNamed(names);
    ASSERT_TRUE(kinds.has_value()) << names;
    EXPECT_EQ(NamesOf(*kinds), names);
  }
  EXPECT_EQ(IsolationsNamed("all"), AllIsolations());
  EXPECT_EQ(NamesOf(*IsolationsNamed("ipc,network,ipc")), "network,ipc");
}

TEST(Isolations, OfOtherNamesAreNone) {
  for (const char* names : {"", "net", "pid,", "pid;ipc", "all,pid", "none,pid", "PID"}) {
    EXPECT_EQ(IsolationsNamed(names), absl::nullopt) << names;
  }
  EXPECT_NE(RightIsolations().find("none, all, or some of pid, network,"), std::string::npos);
}

TEST(WithDependents, AddsWhatCannotBeHadWithout) {
  const auto with = [](const char* names) {
    return NamesOf(WithDependents(*IsolationsNamed(names)));
  };
  EXPECT_EQ(with("mount"), "pid,sys,mqueue,mount");
  EXPECT_EQ(with("network"), "network,sys");
  EXPECT_EQ(with("ipc"), "ipc,mqueue");
  EXPECT_EQ(with("pid,uts"), "pid,uts");
  EXPECT_EQ(with("none"), "none");
}

}  // namespace
}  // namespace isolate
