#include "isolate/internal/mount_info.h"

#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::internal {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Matcher;

Matcher<const MountInfo&> IsMount(absl::string_view mount_point, absl::string_view type) {
  return AllOf(Field(&MountInfo::mount_point, std::string(mount_point)),
               Field(&MountInfo::type, std::string(type)));
}

std::vector<MountInfo> Mounts(const std::vector<std::string>& mount_points) {
  std::vector<MountInfo> mounts;
  mounts.reserve(mount_points.size());
  for (const std::string& mount_point : mount_points) {
    mounts.push_back({mount_point, "tmpfs"});
  }
  return mounts;
}

TEST(ParseMountInfo, ReadsMountPointsAndTypesInOrder) {
  EXPECT_THAT(ParseMountInfo("22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
                             "23 22 0:21 / /proc rw,nosuid - proc proc rw\n"),
              ElementsAre(IsMount("/", "ext4"), IsMount("/proc", "proc")));
}

TEST(ParseMountInfo, PassesOverOptionalFieldsHoweverMany) {
  EXPECT_THAT(ParseMountInfo("36 35 98:0 /mnt1 /one rw master:1 - ext3 /dev/root rw\n"
                             "37 35 98:0 /mnt1 /two rw shared:7 master:1 unbindable - xfs a rw\n"),
              ElementsAre(IsMount("/one", "ext3"), IsMount("/two", "xfs")));
}

TEST(ParseMountInfo, UndoesOctalEscapes) {
  EXPECT_THAT(ParseMountInfo(R"(1 0 0:1 / /a\040b\011c\012d\134 rw - tmpfs x rw)"),
              ElementsAre(IsMount("/a b\tc\nd\\", "tmpfs")));
}

TEST(ParseMountInfo, LeavesWhatIsNoEscapeAsItIs) {
  EXPECT_THAT(ParseMountInfo(R"(1 0 0:1 / /a\04 rw - tmpfs x rw
1 0 0:1 / /\089\ rw - tmpfs x rw)"),
              ElementsAre(IsMount(R"(/a\04)", "tmpfs"), IsMount(R"(/\089\)", "tmpfs")));
}

TEST(ParseMountInfo, ReadsALastLineWithoutANewline) {
  EXPECT_THAT(ParseMountInfo("1 0 0:1 / /a rw - tmpfs x rw"), ElementsAre(IsMount("/a", "tmpfs")));
}

TEST(ParseMountInfo, PassesOverLinesThatItCannotRead) {
  EXPECT_THAT(ParseMountInfo("\n"
                             "rubbish\n"
                             "1 0 0:1 / /no-separator rw tmpfs x rw\n"
                             "1 0 0:1 / /no-type rw -\n"
                             "1 0 0:1 / -\n"
                             "1 0 0:1 - tmpfs\n"
                             "1 0 0:1 / /good rw - tmpfs x rw\n"),
              ElementsAre(IsMount("/good", "tmpfs")));
}

TEST(ParseMountInfo, ReadsThisProcesssOwn) {
  std::ifstream file("/proc/self/mountinfo");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_THAT(ParseMountInfo(text), Contains(IsMount("/proc", "proc")));
}

TEST(OuterMountsUnder, LeavesOutTheFolderItselfAndWhatIsElsewhere) {
  EXPECT_THAT(OuterMountsUnder(Mounts({"/", "/proc", "/procfs", "/proc/bus", "/sys/bus"}), "/proc"),
              ElementsAre("/proc/bus"));
}

TEST(OuterMountsUnder, LeavesOutWhatIsUnderAnother) {
  EXPECT_THAT(OuterMountsUnder(Mounts({"/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/kernel",
                                       "/sys/fs/cgroup/cpu"}),
                               "/sys"),
              ElementsAre("/sys/fs/cgroup", "/sys/kernel"));
}

TEST(OuterMountsUnder, KnowsNeighboursWithACommonBeginning) {
  EXPECT_THAT(OuterMountsUnder(Mounts({"/sys/a", "/sys/ab"}), "/sys"),
              ElementsAre("/sys/a", "/sys/ab"));
  // '-' sorts before '/'.
  EXPECT_THAT(OuterMountsUnder(Mounts({"/sys/a", "/sys/a-b", "/sys/a/c"}), "/sys"),
              ElementsAre("/sys/a", "/sys/a-b"));
}

TEST(OuterMountsUnder, GivesAPathThatIsMountedTwiceOnce) {
  EXPECT_THAT(OuterMountsUnder(Mounts({"/sys/a", "/sys/a"}), "/sys"), ElementsAre("/sys/a"));
}

TEST(OuterMountsUnder, PassesOverAutomounts) {
  EXPECT_THAT(OuterMountsUnder({{"/proc/sys/fs/binfmt_misc", "autofs"}}, "/proc"), IsEmpty());
  EXPECT_THAT(OuterMountsUnder({{"/proc/sys/fs/binfmt_misc", "autofs"},
                                {"/proc/sys/fs/binfmt_misc", "binfmt_misc"}},
                               "/proc"),
              ElementsAre("/proc/sys/fs/binfmt_misc"));
}

struct UnderCase {
  const char* name;
  const char* path;
  const char* folder;
  bool expected;
};

std::ostream& operator<<(std::ostream& out, const UnderCase& under) { return out << under.name; }

class IsUnderTest : public ::testing::TestWithParam<UnderCase> {};

TEST_P(IsUnderTest, ComparesWholeNames) {
  EXPECT_EQ(IsUnder(GetParam().path, GetParam().folder), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(MountInfo, IsUnderTest,
                         ::testing::Values(UnderCase{"Itself", "/tmp", "/tmp", true},
                                           UnderCase{"Entry", "/tmp/a", "/tmp", true},
                                           UnderCase{"DeepEntry", "/tmp/a/b/c", "/tmp/a", true},
                                           UnderCase{"Parent", "/tmp", "/tmp/a", false},
                                           UnderCase{"NeighbourThatBeginsTheSame", "/tmpfs", "/tmp",
                                                     false},
                                           UnderCase{"Elsewhere", "/var/tmp", "/tmp", false},
                                           UnderCase{"AnythingInTheRoot", "/tmp", "/", true},
                                           UnderCase{"TheRootInItself", "/", "/", true},
                                           UnderCase{"TheRootElsewhere", "/", "/tmp", false}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace isolate::internal
