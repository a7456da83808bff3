#include "isolate/internal/host_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/internal/scoped_variable.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Matcher;
using ::testing::Not;

Matcher<const Cover&> IsCover(const std::string& path) { return Field(&Cover::path, path); }

Matcher<const Keep&> IsKept(const std::string& path) { return Field(&Keep::path, path); }

Matcher<const Keep&> IsKept(const std::string& path, bool with_neighbours) {
  return AllOf(Field(&Keep::path, path), Field(&Keep::with_neighbours, with_neighbours));
}

// A folder of the test's own, and an environment in which nothing points
// elsewhere.
class HostFactsTest : public ::testing::Test {
 protected:
  HostFactsTest() {
    std::string path = ::testing::TempDir() + "/host_facts_test.XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    root_ = fs::canonical(path).string();
    for (const char* name :
         {"TEST_TMPDIR", "TMPDIR", "RUNFILES_DIR", "TEST_SRCDIR", "TEST_UNDECLARED_OUTPUTS_DIR",
          "TEST_UNDECLARED_OUTPUTS_ANNOTATIONS_DIR", "COVERAGE_DIR", "GCOV_PREFIX",
          "XML_OUTPUT_FILE", "COVERAGE_OUTPUT_FILE", "LLVM_PROFILE_FILE",
          "TEST_PREMATURE_EXIT_FILE", "TEST_SHARD_STATUS_FILE", "TEST_WARNINGS_OUTPUT_FILE",
          "TEST_INFRASTRUCTURE_FAILURE_FILE", "TEST_UNUSED_RUNFILES_LOG_FILE"}) {
      variables_.emplace_back(name, nullptr);
    }
    options_.scratch = Folder("scratch");
  }
  ~HostFactsTest() override { fs::remove_all(root_); }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  std::string Folder(const std::string& name) const {
    fs::create_directories(Path(name));
    return Path(name);
  }

  std::string File(const std::string& name) const {
    fs::create_directories(fs::path(Path(name)).parent_path());
    std::ofstream(Path(name)) << "x";
    return Path(name);
  }

  std::string Link(const std::string& name, const std::string& target) const {
    fs::create_directories(fs::path(Path(name)).parent_path());
    fs::create_symlink(target, Path(name));
    return Path(name);
  }

  HostFacts Gather() const {
    absl::StatusOr<HostFacts> facts = GatherHostFacts(options_);
    EXPECT_EQ(facts.status(), absl::OkStatus());
    return facts.ok() ? *facts : HostFacts();
  }

  // What has to be kept of the scratch folder, so that the runfiles tree
  // "runfiles" is of use.
  std::vector<std::string> EntriesKeptForRunfiles() const {
    const ScopedVariable runfiles("RUNFILES_DIR", Path("runfiles").c_str());
    const std::vector<Cover> scratch = {{Path("scratch"), 0755, 0, 0}};
    std::vector<std::string> entries;
    for (const Keep& keep : Gather().keeps) {
      if (const auto entry = KeptEntry(keep, scratch)) {
        entries.push_back(*entry);
      }
    }
    std::sort(entries.begin(), entries.end());
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
    return entries;
  }

  Options options_;

 private:
  std::string root_;
  std::vector<ScopedVariable> variables_;
};

TEST_F(HostFactsTest, ScratchIsTheFolderOfTheOptionsThenOfTestTmpdirThenOfTmpdirThenTmp) {
  const ScopedVariable tmpdir("TMPDIR", "/of_tmpdir");
  {
    const ScopedVariable test_tmpdir("TEST_TMPDIR", "/of_test_tmpdir");
    Options options;
    options.scratch = "/of_options";
    EXPECT_EQ(ScratchFolder(options), "/of_options");
    EXPECT_EQ(ScratchFolder(Options()), "/of_test_tmpdir");
  }
  EXPECT_EQ(ScratchFolder(Options()), "/of_tmpdir");
  const ScopedVariable unset("TMPDIR", nullptr);
  EXPECT_EQ(ScratchFolder(Options()), "/tmp");
}

TEST_F(HostFactsTest, AnEmptyVariableIsNoScratchFolder) {
  const ScopedVariable test_tmpdir("TEST_TMPDIR", "");
  const ScopedVariable tmpdir("TMPDIR", "/of_tmpdir");
  EXPECT_EQ(ScratchFolder(Options()), "/of_tmpdir");
}

TEST_F(HostFactsTest, ThereAreNoneWithoutAMountNamespace) {
  options_.mount_namespace = false;
  options_.scratch = Path("missing");
  const HostFacts facts = Gather();
  EXPECT_THAT(facts.covers, IsEmpty());
  EXPECT_THAT(facts.keeps, IsEmpty());
}

TEST_F(HostFactsTest, CoversTmpAndTheScratchFolder) {
  const HostFacts facts = Gather();
  EXPECT_THAT(facts.covers, Contains(IsCover("/tmp")));
  EXPECT_THAT(facts.covers, Contains(IsCover(Path("scratch"))));
}

TEST_F(HostFactsTest, CoversNothingTwice) {
  options_.scratch = "/tmp/../tmp";
  EXPECT_THAT(Gather().covers, Contains(IsCover("/tmp")).Times(1));
}

TEST_F(HostFactsTest, ACoverHasTheModeAndTheOwnerOfTheFolder) {
  ASSERT_EQ(chmod(options_.scratch.c_str(), 01750), 0);
  EXPECT_THAT(Gather().covers,
              Contains(AllOf(IsCover(options_.scratch), Field(&Cover::mode, 01750u),
                             Field(&Cover::uid, geteuid()), Field(&Cover::gid, getegid()))));
}

TEST_F(HostFactsTest, CoversTheFolderThatALinkLeadsTo) {
  options_.scratch = Link("link", "scratch");
  EXPECT_THAT(Gather().covers, Contains(IsCover(Path("scratch"))));
  EXPECT_THAT(Gather().covers, Not(Contains(IsCover(Path("link")))));
}

TEST_F(HostFactsTest, RefusesAScratchFolderThatCannotBePrivate) {
  const std::pair<std::string, int> scratches[] = {
      {Path("missing"), ENOENT}, {File("file"), ENOTDIR}, {"/tmp/..", EINVAL},
      {"/dev", EINVAL},          {"/proc", EINVAL},       {"/sys", EINVAL}};
  for (const auto& [scratch, error] : scratches) {
    options_.scratch = scratch;
    const auto failure = GetSetupFailure(GatherHostFacts(options_).status());
    ASSERT_TRUE(failure.has_value()) << scratch;
    EXPECT_EQ(failure->step, Step::kMountTmpfs);
    EXPECT_EQ(failure->error, error);
    EXPECT_EQ(failure->detail, scratch);
  }
}

TEST_F(HostFactsTest, RefusesAWritablePathInAReadOnlyOne) {
  options_.read_only_paths = {Link("link", "folder")};
  options_.writable_paths = {Folder("folder/inner")};
  const absl::Status status = GatherHostFacts(options_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("would be read-only"));
}

TEST_F(HostFactsTest, RefusesAPrivateFolderAsAnExtraPath) {
  for (auto* paths : {&options_.read_only_paths, &options_.writable_paths}) {
    *paths = {"/tmp/../tmp"};
    const absl::Status status = GatherHostFacts(options_).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr("is private in every sandbox"));
    paths->clear();
  }
}

TEST_F(HostFactsTest, KeepsTheWorkingDirectoryAloneAndTheProgramWithItsNeighbours) {
  const HostFacts facts = Gather();
  EXPECT_THAT(facts.keeps, Contains(IsKept(fs::current_path().string(), false)));
  EXPECT_THAT(facts.keeps, Contains(IsKept(fs::canonical("/proc/self/exe").string(), true)));
}

TEST_F(HostFactsTest, KeepsOtherProgramsAsTheyAreCalledAndWhereTheyLie) {
  Link("links/tool", File("tools/bin/tool"));
  Link("links/tool.runfiles/main/data.txt", File("scratch/workspace/data.txt"));
  options_.programs = {Path("links/tool"), Path("missing/tool")};
  EXPECT_THAT(Gather().keeps, AllOf(Contains(IsKept(Path("links"), true)),
                                    Contains(IsKept(Path("tools/bin/tool"), true)),
                                    Contains(IsKept(Path("scratch/workspace/data.txt"), true)),
                                    Not(Contains(IsKept(Path("missing"), true)))));
}

TEST_F(HostFactsTest, KeepsOutputFoldersAndTheFoldersOfOutputFilesAlone) {
  const std::string link = Link("outputs", Folder("real_outputs"));
  const ScopedVariable outputs("TEST_UNDECLARED_OUTPUTS_DIR", link.c_str());
  const ScopedVariable coverage("COVERAGE_DIR", Folder("coverage").c_str());
  const ScopedVariable xml("XML_OUTPUT_FILE", (Folder("xml") + "/test.xml").c_str());
  const ScopedVariable missing("GCOV_PREFIX", Path("missing").c_str());
  const HostFacts facts = Gather();
  EXPECT_THAT(facts.keeps, Contains(IsKept(Path("real_outputs"), false)));
  EXPECT_THAT(facts.keeps, Contains(IsKept(Path("coverage"), false)));
  EXPECT_THAT(facts.keeps, Contains(IsKept(Path("xml"), false)));
  EXPECT_THAT(facts.keeps, Not(Contains(IsKept(Path("missing")))));
}

TEST_F(HostFactsTest, KeepsTheRunfilesTreeWithItsNeighbours) {
  for (const char* name : {"RUNFILES_DIR", "TEST_SRCDIR"}) {
    const ScopedVariable runfiles(name, Folder("runfiles").c_str());
    EXPECT_THAT(Gather().keeps, Contains(IsKept(Path("runfiles"), true))) << name;
  }
}

TEST_F(HostFactsTest, KeepsWhatRunfilesLeadToWhereItWouldBeCovered) {
  Link("runfiles/main/data.txt", File("scratch/workspace/data.txt"));
  Link("runfiles/main/deep/tool", File("scratch/output/bin/tool"));
  Link("runfiles/main/elsewhere.txt", File("elsewhere/data.txt"));
  EXPECT_THAT(EntriesKeptForRunfiles(),
              ElementsAre(Path("scratch/output"), Path("scratch/workspace")));
}

TEST_F(HostFactsTest, KeepsWhatLinksOfLinksInRunfilesLeadTo) {
  File("scratch/workspace/data.txt");
  Link("execroot/data.txt", Path("scratch/workspace/data.txt"));
  Link("runfiles/main/data.txt", Path("execroot/data.txt"));
  EXPECT_THAT(EntriesKeptForRunfiles(), ElementsAre(Path("scratch/workspace")));
}

TEST_F(HostFactsTest, KeepsAFolderThatARunfileIs) {
  Folder("scratch/workspace/testdata");
  Link("runfiles/main/testdata", Path("scratch/workspace/testdata"));
  EXPECT_THAT(EntriesKeptForRunfiles(), ElementsAre(Path("scratch/workspace")));
}

TEST_F(HostFactsTest, KeepsEveryRunfileThatLiesInTheCoveredFolderItself) {
  for (const std::string name : {"a", "b", "c"}) {
    Link("runfiles/main/" + name, File("scratch/" + name));
  }
  EXPECT_THAT(EntriesKeptForRunfiles(),
              ElementsAre(Path("scratch/a"), Path("scratch/b"), Path("scratch/c")));
}

TEST_F(HostFactsTest, IsNotMisledByRunfilesThatLeadNowhere) {
  // Whichever of the two the walk meets first.
  for (const std::string name : {"a", "b"}) {
    const std::string other = name == "a" ? "b" : "a";
    Link("runfiles/main/" + name, Path("scratch/workspace/missing"));
    Link("runfiles/main/" + other, File("scratch/workspace/data.txt"));
    EXPECT_THAT(EntriesKeptForRunfiles(), ElementsAre(Path("scratch/workspace")));
    fs::remove_all(Path("runfiles"));
  }
}

TEST_F(HostFactsTest, PassesOverRunfilesThatAreNotLinksOrRelativeOnes) {
  File("scratch/data");
  File("runfiles/main/file");
  Link("runfiles/main/relative", "../scratch/data");
  // From here the target of the link is there, but not from where the link is.
  const fs::path before = fs::current_path();
  fs::current_path(Folder("elsewhere"));
  EXPECT_THAT(EntriesKeptForRunfiles(), IsEmpty());
  fs::current_path(before);
}

TEST_F(HostFactsTest, TakesARunfilesTreeThatIsNotThere) {
  EXPECT_THAT(EntriesKeptForRunfiles(), IsEmpty());
}

TEST_F(HostFactsTest, KeepsExtraPathsByTheirRealNames) {
  options_.writable_paths = {Link("link", File("writable"))};
  options_.read_only_paths = {Folder("read_only") + "/../read_only"};
  const HostFacts facts = Gather();
  EXPECT_THAT(facts.keeps, Contains(IsKept(Path("writable"), false)));
  EXPECT_THAT(facts.keeps, Contains(IsKept(Path("read_only"), false)));
  EXPECT_THAT(facts.read_only_paths, ElementsAre(Path("read_only")));
}

TEST_F(HostFactsTest, RefusesAnExtraPathThatIsNotThere) {
  options_.writable_paths = {Path("missing")};
  auto failure = GetSetupFailure(GatherHostFacts(options_).status());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->step, Step::kKeepPath);
  EXPECT_EQ(failure->detail, Path("missing"));

  options_.read_only_paths = options_.writable_paths;
  options_.writable_paths.clear();
  failure = GetSetupFailure(GatherHostFacts(options_).status());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->step, Step::kReadOnlyPath);
}

TEST_F(HostFactsTest, KnowsTheCaller) {
  const HostFacts facts = Gather();
  EXPECT_EQ(facts.uid, geteuid());
  EXPECT_EQ(facts.gid, getegid());
}

TEST_F(HostFactsTest, KnowsTheMqueueFolder) {
  EXPECT_EQ(Gather().has_mqueue_folder, fs::is_directory("/dev/mqueue"));
}

TEST(ReadHosts, GivesTheFileWhereThereIsOne) {
  std::ifstream file("/etc/hosts");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(ReadHosts().has_value(), fs::exists("/etc/hosts"));
  EXPECT_EQ(ReadHosts().value_or(""), text);
}

class IdentityMapTest : public HostFactsTest {
 protected:
  std::string MapOf(const std::string& text) const {
    std::ofstream(Path("map")) << text;
    return IdentityMap(Path("map"));
  }
};

TEST_F(IdentityMapTest, MapsEveryIdToItself) {
  EXPECT_EQ(MapOf("         0          0 4294967295\n"), "0 0 4294967295\n");
}

TEST_F(IdentityMapTest, MapsEveryRangeOfTheInsideToItself) {
  EXPECT_EQ(MapOf("         0       1000          1\n"
                  "         1     100000      65536\n"),
            "0 0 1\n1 1 65536\n");
}

TEST_F(IdentityMapTest, IsEmptyWhereTheFileIsEmptyOrCannotBeRead) {
  EXPECT_EQ(MapOf(""), "");
  EXPECT_EQ(IdentityMap(Path("missing")), "");
}

TEST_F(IdentityMapTest, ReadsThisProcesssOwn) {
  const std::string map = IdentityMap("/proc/self/uid_map");
  EXPECT_FALSE(map.empty());
  EXPECT_EQ(map.back(), '\n');
}

}  // namespace
}  // namespace isolate::internal
