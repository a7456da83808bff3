#include "isolate/internal/mount_plan.h"

#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Action = MountOp::Action;

// An operation as words: "restore /tmp/build from 0".
std::string Words(const MountOp& op) {
  const std::string optional = op.optional ? " if there" : "";
  switch (op.action) {
    case Action::kKeep:
      return absl::StrCat("keep ", op.path, " as ", op.slot, optional);
    case Action::kTmpfs:
      return absl::StrCat("tmpfs ", op.path, " ", op.data);
    case Action::kCopy:
      return absl::StrCat("copy ", op.path, " ", op.data);
    case Action::kProc:
      return absl::StrCat("proc ", op.path);
    case Action::kSysfs:
      return absl::StrCat("sysfs ", op.path);
    case Action::kMqueue:
      return absl::StrCat("mqueue ", op.path);
    case Action::kRestore:
      return absl::StrCat("restore ", op.path, " from ", op.slot, optional);
    case Action::kReadOnly:
      return absl::StrCat("read-only ", op.path);
  }
  return "";
}

std::vector<std::string> Plan(const Options& options, const HostFacts& facts) {
  std::vector<std::string> words;
  for (const MountOp& op : PlanMounts(options, facts)) {
    words.push_back(Words(op));
  }
  return words;
}

// Options with which a plan has nothing but the file tree in it.
Options OnlyTheTree() {
  Options options;
  options.pid_namespace = false;
  options.network = Network::kHost;
  options.ipc_namespace = false;
  return options;
}

Cover Folder(const std::string& path) { return {path, 01777, 0, 0}; }

HostFacts Facts(const std::vector<std::string>& covers, const std::vector<Keep>& keeps) {
  HostFacts facts;
  for (const std::string& path : covers) {
    facts.covers.push_back(Folder(path));
  }
  facts.keeps = keeps;
  return facts;
}

std::string Tmpfs(const std::string& path) {
  return absl::StrCat("tmpfs ", path, " mode=1777,uid=0,gid=0");
}

struct KeptCase {
  const char* name;
  Keep keep;
  std::vector<std::string> covers;
  absl::optional<std::string> expected;
};

std::ostream& operator<<(std::ostream& out, const KeptCase& kept) { return out << kept.name; }

class KeptEntryTest : public ::testing::TestWithParam<KeptCase> {};

TEST_P(KeptEntryTest, IsWhatHasToBePutBack) {
  EXPECT_EQ(KeptEntry(GetParam().keep, Facts(GetParam().covers, {}).covers), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    MountPlan, KeptEntryTest,
    ::testing::Values(
        KeptCase{"NothingWhereThereIsNoCover", {"/home/a", true}, {}, absl::nullopt},
        KeptCase{"NothingElsewhere", {"/home/a", true}, {"/tmp"}, absl::nullopt},
        KeptCase{"NothingBesideACover", {"/tmpfs/a", true}, {"/tmp"}, absl::nullopt},
        KeptCase{"NothingForACoverItself", {"/tmp", false}, {"/tmp"}, absl::nullopt},
        KeptCase{"NothingForACoverInACover", {"/tmp/a", true}, {"/tmp", "/tmp/a"}, absl::nullopt},
        KeptCase{"ThePathAlone", {"/tmp/a/b/c", false}, {"/tmp"}, "/tmp/a/b/c"},
        KeptCase{"TheEntryWithItsNeighbours", {"/tmp/a/b/c", true}, {"/tmp"}, "/tmp/a"},
        KeptCase{"TheEntryThatIsThePath", {"/tmp/a", true}, {"/tmp"}, "/tmp/a"},
        KeptCase{"TheEntryOfTheInnermostCover",
                 {"/tmp/a/b/c/d", true},
                 {"/tmp", "/tmp/a/b", "/tmp/a"},
                 "/tmp/a/b/c"},
        KeptCase{"TheEntryOfTheOuterCoverBesideAnInnerOne",
                 {"/tmp/b/c", true},
                 {"/tmp", "/tmp/a"},
                 "/tmp/b"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(PlanMounts, DoesNothingWithoutAMountNamespace) {
  Options options;
  options.mount_namespace = false;
  HostFacts facts = Facts({"/tmp"}, {{"/tmp/a", false}});
  facts.proc_mounts = {"/proc/fs"};
  EXPECT_THAT(Plan(options, facts), IsEmpty());
}

TEST(PlanMounts, CoversFoldersWithTmpfs) {
  EXPECT_THAT(Plan(OnlyTheTree(), Facts({"/tmp", "/dev/shm"}, {})),
              ElementsAre(Tmpfs("/dev/shm"), Tmpfs("/tmp")));
}

TEST(PlanMounts, KeepsAllBeforeAnythingIsCovered) {
  EXPECT_THAT(
      Plan(OnlyTheTree(),
           Facts({"/tmp", "/var/tmp"}, {{"/tmp/out", false}, {"/var/tmp/build/bin/test", true}})),
      ElementsAre("keep /tmp/out as 0", "keep /var/tmp/build as 1", Tmpfs("/tmp"),
                  "restore /tmp/out from 0", Tmpfs("/var/tmp"), "restore /var/tmp/build from 1"));
}

TEST(PlanMounts, KeepsNothingThatIsVisibleAnyway) {
  EXPECT_THAT(Plan(OnlyTheTree(), Facts({"/tmp"}, {{"/home/a", true}, {"/tmp", false}})),
              ElementsAre(Tmpfs("/tmp")));
}

TEST(PlanMounts, KeepsAPathOnceAndNotAgainWithinAnother) {
  EXPECT_THAT(Plan(OnlyTheTree(), Facts({"/tmp"}, {{"/tmp/build/out", false},
                                                   {"/tmp/build-2", false},
                                                   {"/tmp/build/bin", true},
                                                   {"/tmp/build", false}})),
              ElementsAre("keep /tmp/build as 0", "keep /tmp/build-2 as 1", Tmpfs("/tmp"),
                          "restore /tmp/build from 0", "restore /tmp/build-2 from 1"));
}

TEST(PlanMounts, CoversAFolderWithinAKeptOneAfterItIsBack) {
  EXPECT_THAT(Plan(OnlyTheTree(), Facts({"/tmp/build/scratch", "/tmp"}, {{"/tmp/build", false}})),
              ElementsAre("keep /tmp/build as 0", Tmpfs("/tmp"), "restore /tmp/build from 0",
                          Tmpfs("/tmp/build/scratch")));
}

TEST(PlanMounts, KeepsAPathWithinAKeptOneWhereACoverLiesBetween) {
  EXPECT_THAT(Plan(OnlyTheTree(), Facts({"/tmp", "/tmp/build/scratch"},
                                        {{"/tmp/build/scratch/out", false}, {"/tmp/build", true}})),
              ElementsAre("keep /tmp/build as 0", "keep /tmp/build/scratch/out as 1", Tmpfs("/tmp"),
                          "restore /tmp/build from 0", Tmpfs("/tmp/build/scratch"),
                          "restore /tmp/build/scratch/out from 1"));
}

TEST(PlanMounts, CopiesAFolderWithinACopiedOneBeforeThatHidesIt) {
  Options options = OnlyTheTree();
  options.copy_private_folders = true;
  HostFacts facts;
  facts.covers = {{"/tmp"}, {"/tmp/a"}, {"/tmp/a/b"}};
  facts.keeps = {{"/tmp/kept"}};
  EXPECT_THAT(
      Plan(options, facts),
      ElementsAre("keep /tmp/kept as 0", "copy /tmp/a/b mode=1777,uid=0,gid=0",
                  "keep /tmp/a/b as 1", "copy /tmp/a mode=1777,uid=0,gid=0", "keep /tmp/a as 2",
                  "copy /tmp mode=1777,uid=0,gid=0", "restore /tmp/a from 2",
                  "restore /tmp/a/b from 1", "restore /tmp/kept from 0"));
}

TEST(PlanMounts, MountsProcAndPutsItsMountsBackInAPidNamespace) {
  Options options = OnlyTheTree();
  HostFacts facts;
  facts.proc_mounts = {"/proc/cpuinfo", "/proc/sys/fs/binfmt_misc"};
  facts.sys_mounts = {"/sys/fs/cgroup"};
  EXPECT_THAT(Plan(options, facts), IsEmpty());

  options.pid_namespace = true;
  EXPECT_THAT(
      Plan(options, facts),
      ElementsAre("keep /proc/cpuinfo as 0 if there", "keep /proc/sys/fs/binfmt_misc as 1 if there",
                  "proc /proc", "restore /proc/cpuinfo from 0 if there",
                  "restore /proc/sys/fs/binfmt_misc from 1 if there"));
}

TEST(PlanMounts, MountsSysAndPutsItsMountsBackWhereverTheNetworkIsNotTheHosts) {
  Options options = OnlyTheTree();
  HostFacts facts;
  facts.sys_mounts = {"/sys/fs/cgroup"};
  for (const Network network : {Network::kLoopback, Network::kNone}) {
    options.network = network;
    EXPECT_THAT(Plan(options, facts), ElementsAre("keep /sys/fs/cgroup as 0 if there", "sysfs /sys",
                                                  "restore /sys/fs/cgroup from 0 if there"));
  }
}

TEST(PlanMounts, MountsMqueueInAnIpcNamespaceWhereThereIsAFolderForIt) {
  Options options = OnlyTheTree();
  HostFacts facts;
  facts.has_mqueue_folder = true;
  EXPECT_THAT(Plan(options, facts), IsEmpty());
  options.ipc_namespace = true;
  EXPECT_THAT(Plan(options, facts), ElementsAre("mqueue /dev/mqueue"));
  facts.has_mqueue_folder = false;
  EXPECT_THAT(Plan(options, facts), IsEmpty());
}

TEST(PlanMounts, MakesAPathReadOnlyBeforeWhatIsPrivateInIt) {
  HostFacts facts = Facts({"/var/tmp"}, {});
  facts.read_only_paths = {"/var"};
  EXPECT_THAT(Plan(OnlyTheTree(), facts), ElementsAre("read-only /var", Tmpfs("/var/tmp")));
}

TEST(PlanMounts, MakesPathsReadOnlyAtTheEnd) {
  HostFacts facts = Facts({"/tmp"}, {{"/tmp/data", false}});
  facts.read_only_paths = {"/tmp/data", "/home"};
  facts.has_mqueue_folder = true;
  EXPECT_THAT(
      Plan(Options(), facts),
      ElementsAre("keep /tmp/data as 0", Tmpfs("/tmp"), "restore /tmp/data from 0", "proc /proc",
                  "sysfs /sys", "mqueue /dev/mqueue", "read-only /tmp/data", "read-only /home"));
}

TEST(PlanMounts, GivesEveryKeptTreeASlotOfItsOwnAndPutsItBackOnce) {
  HostFacts facts =
      Facts({"/tmp", "/var/tmp"}, {{"/tmp/a", false}, {"/tmp/b", false}, {"/var/tmp/c", true}});
  facts.proc_mounts = {"/proc/fs"};
  facts.sys_mounts = {"/sys/fs/cgroup", "/sys/kernel"};
  std::set<size_t> kept;
  std::set<size_t> restored;
  for (const MountOp& op : PlanMounts(Options(), facts)) {
    if (op.action == Action::kKeep) {
      EXPECT_THAT(restored, IsEmpty());
      EXPECT_TRUE(kept.insert(op.slot).second) << op.path;
    } else if (op.action == Action::kRestore) {
      EXPECT_THAT(kept, Contains(op.slot)) << op.path;
      EXPECT_TRUE(restored.insert(op.slot).second) << op.path;
    }
  }
  EXPECT_THAT(kept, ElementsAre(0, 1, 2, 3, 4, 5)) << "slots are indices";
  EXPECT_EQ(restored, kept);
}

TEST(PlanMounts, NamesTheStepOfEveryOperation) {
  HostFacts facts = Facts({"/tmp"}, {{"/tmp/a", false}});
  facts.read_only_paths = {"/tmp/a"};
  facts.has_mqueue_folder = true;
  std::vector<Step> steps;
  for (const MountOp& op : PlanMounts(Options(), facts)) {
    steps.push_back(op.step);
  }
  EXPECT_THAT(steps,
              ElementsAre(Step::kKeepPath, Step::kMountTmpfs, Step::kRestorePath, Step::kMountProc,
                          Step::kMountSysfs, Step::kMountMqueue, Step::kReadOnlyPath));
}

TEST(TmpfsData, HasTheFoldersModeAndOwner) {
  HostFacts facts;
  facts.covers = {{"/scratch", 0750, 1000, 100}};
  facts.uid = 1000;
  facts.gid = 100;
  EXPECT_THAT(Plan(OnlyTheTree(), facts), ElementsAre("tmpfs /scratch mode=750,uid=1000,gid=100"));
}

TEST(TmpfsData, NamesAnotherOwnerOnlyWhereOneMayChown) {
  HostFacts facts;
  facts.covers = {{"/tmp", 01777, 0, 0}, {"/var/tmp", 01777, 1000, 0}};
  facts.uid = 1000;
  facts.gid = 100;
  EXPECT_THAT(Plan(OnlyTheTree(), facts),
              ElementsAre("tmpfs /tmp mode=1777", "tmpfs /var/tmp mode=1777"));
  facts.may_chown = true;
  EXPECT_THAT(Plan(OnlyTheTree(), facts), ElementsAre("tmpfs /tmp mode=1777,uid=0,gid=0",
                                                      "tmpfs /var/tmp mode=1777,uid=1000,gid=0"));
}

TEST(TmpfsData, HasTheSizeLimitWhereThereIsOne) {
  Options options = OnlyTheTree();
  options.tmpfs_size_bytes = int64_t{5} << 30;
  EXPECT_THAT(Plan(options, Facts({"/tmp"}, {})),
              ElementsAre("tmpfs /tmp mode=1777,uid=0,gid=0,size=5368709120"));
}

TEST(HostsFile, KnowsTheHostNameBeforeAllElse) {
  EXPECT_EQ(HostsFile("127.0.0.1 localhost\n10.0.0.1 node\n", "node"),
            "127.0.0.1\tnode\n127.0.0.1 localhost\n10.0.0.1 node\n");
}

TEST(HostsFile, AddsLocalhostWhereItIsNotKnown) {
  const std::string added = "127.0.0.1\tlocalhost\n::1\tlocalhost\n";
  EXPECT_EQ(HostsFile("", "node"), "127.0.0.1\tnode\n" + added);
  for (const std::string outside :
       {"# 127.0.0.1 localhost\n", "10.0.0.1 localhost.example\n", "10.0.0.1 a # localhost\n"}) {
    EXPECT_EQ(HostsFile(outside, "node"), absl::StrCat("127.0.0.1\tnode\n", outside, added));
  }
}

TEST(HostsFile, EndsTheLastLineBeforeItAddsOne) {
  EXPECT_EQ(HostsFile("10.0.0.1 a", "node"),
            "127.0.0.1\tnode\n10.0.0.1 a\n127.0.0.1\tlocalhost\n::1\tlocalhost\n");
}

TEST(HostsFile, FindsLocalhostAnywhereInALine) {
  for (const std::string outside : {"127.0.0.1\tnode\tlocalhost\n", "::1 localhost # comment\n",
                                    "10.0.0.1 a\n127.0.0.1   localhost loopback\n"}) {
    EXPECT_EQ(HostsFile(outside, "node"), "127.0.0.1\tnode\n" + outside);
  }
}

}  // namespace
}  // namespace isolate::internal
