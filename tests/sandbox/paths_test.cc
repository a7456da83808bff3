// What stays visible: the working directory, extra paths, output folders; and
// stdin.

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

using ::testing::HasSubstr;

std::string WorkingDirectory() {
  char path[PATH_MAX];
  return getcwd(path, sizeof(path)) != nullptr ? path : Called(-1);
}

// What `look` sees in a sandbox whose caller is in `folder`.
std::string InsideFrom(const std::string& folder, const Options& options,
                       absl::FunctionRef<std::string()> look) {
  return InCaller([&] { return chdir(folder.c_str()) == 0 ? Inside(options, look) : Called(-1); });
}

// --- the working directory -----------------------------------------------------

TEST(WorkingDirectory, IsTheCallers) {
  EXPECT_EQ(Inside({}, WorkingDirectory), WorkingDirectory());
  EXPECT_EQ(Inside({}, [] { return Identity("."); }), Identity("."));
}

TEST(WorkingDirectory, MayBeAnyFolderOfTheTree) {
  for (const char* folder : {"/", "/usr", "/tmp", "/dev/shm", "/proc", "/sys"}) {
    EXPECT_EQ(InsideFrom(folder, {}, WorkingDirectory), folder);
  }
}

TEST(WorkingDirectory, IsThePrivateFolderWhereItIsOne) {
  EXPECT_EQ(InsideFrom("/tmp", {}, [] { return absl::StrCat(Identity(".") == Identity("/tmp")); }),
            "1");
}

TEST(WorkingDirectory, StaysVisibleAndWritableUnderTmp) {
  const Folder folder;
  const std::string cwd = folder.path() + "/a/b";
  ASSERT_TRUE(std::filesystem::create_directories(cwd));
  MakeFile(cwd + "/before");
  EXPECT_EQ(InsideFrom(cwd, {},
                       [] {
                         const std::string seen = WorkingDirectory() + " " + List(".");
                         return absl::StrCat(seen, " ", MakeFile("inside"));
                       }),
            absl::StrCat(cwd, " before OK"));
  EXPECT_EQ(List(cwd), "before inside");
}

TEST(WorkingDirectory, IsKeptWhereTheUmaskForbidsAll) {
  const Folder folder;
  EXPECT_EQ(InCaller([&]() -> std::string {
              if (chdir(folder.path().c_str()) != 0) {
                return Called(-1);
              }
              umask(0777);
              return Inside({}, [] { return MakeFile("inside"); });
            }),
            "OK");
}

TEST(WorkingDirectory, MayBeRemoved) {
  const Folder parent;
  EXPECT_EQ(InCaller([&]() -> std::string {
              const std::string gone = parent.path() + "/gone";
              if (mkdir(gone.c_str(), 0755) != 0 || chdir(gone.c_str()) != 0 ||
                  rmdir(gone.c_str()) != 0) {
                return Called(-1);
              }
              return Inside({}, WorkingDirectory);
            }),
            "ENOENT");
}

TEST(WorkingDirectory, ChangedAfterCreateIsFollowedOrAnError) {
  const Folder folder;
  EXPECT_EQ(InCaller([&]() -> std::string {
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
              std::string told;
              for (const std::string& to : {std::string("/usr"), folder.path()}) {
                if (!executor.ok() || chdir(to.c_str()) != 0 ||
                    !(*executor)
                         ->Start([](Reporter& reporter) {
                           return reporter.Send(WorkingDirectory()).ok() ? 0 : 1;
                         })
                         .ok()) {
                  return "not started";
                }
                const absl::StatusOr<Result> result = (*executor)->WaitAny().result;
                absl::StrAppend(&told, result.ok() ? result->messages.at(0).payload : Told(result),
                                "; ");
              }
              return told;
            }),
            "/usr; go back to the working directory: ENOENT; ");
}

// --- extra paths ---------------------------------------------------------------

TEST(ReadOnlyPath, RefusesWriting) {
  const Folder folder;
  MakeFile(folder.path() + "/old");
  Options options;
  options.read_only_paths = {folder.path()};
  EXPECT_EQ(Inside(options,
                   [&] {
                     return absl::StrCat(List(folder.path()), " ", MakeFile(folder.path() + "/new"),
                                         " ",
                                         Called(open((folder.path() + "/old").c_str(), O_WRONLY)),
                                         " ", Called(unlink((folder.path() + "/old").c_str())), " ",
                                         Called(mkdir((folder.path() + "/folder").c_str(), 0755)));
                   }),
            "old EROFS EROFS EROFS EROFS");
  EXPECT_EQ(MakeFile(folder.path() + "/after"), "OK");
}

TEST(ReadOnlyPath, MayLieOutsideOfPrivateFolders) {
  Options options;
  options.read_only_paths = {"/etc", "/usr"};
  EXPECT_EQ(
      Inside(options, [] { return absl::StrCat(MakeFile("/etc/x"), " ", MakeFile("/usr/x")); }),
      "EROFS EROFS");
}

TEST(ReadOnlyPath, MayBeAFile) {
  const Folder folder;
  const std::string file = folder.path() + "/file";
  std::ofstream(file) << "text";
  Options options;
  options.read_only_paths = {file};
  EXPECT_EQ(Inside(options,
                   [&] {
                     return absl::StrCat(ReadFile(file), " ", Called(open(file.c_str(), O_WRONLY)));
                   }),
            "text EROFS");
}

TEST(ReadOnlyPath, IsReadOnlyInWhatIsMountedUnderItToo) {
  if (!CanEnterOwnNamespaces()) {
    GTEST_SKIP() << "this host allows no user namespace";
  }
  const Folder folder;
  EXPECT_EQ(InCaller([&]() -> std::string {
              const std::string below = folder.path() + "/below";
              if (!EnterOwnNamespaces() || mkdir(below.c_str(), 0755) != 0 ||
                  mount("tmpfs", below.c_str(), "tmpfs", 0, nullptr) != 0) {
                return Called(-1);
              }
              Options options;
              options.read_only_paths = {folder.path()};
              return Inside(options, [&] { return MakeFile(below + "/new"); });
            }),
            "EROFS");
}

TEST(WritablePath, IsVisibleAndWritableUnderTmp) {
  const Folder folder;
  MakeFile(folder.path() + "/old");
  Options options;
  EXPECT_EQ(Inside(options, [&] { return absl::StrCat(Exists(folder.path())); }), "0");
  options.writable_paths = {folder.path()};
  EXPECT_EQ(Inside(options,
                   [&] {
                     const std::string seen = List(folder.path());
                     return absl::StrCat(seen, " ", MakeFile(folder.path() + "/new"));
                   }),
            "old OK");
  EXPECT_EQ(List(folder.path()), "new old");
}

TEST(WritablePath, MayBeAFileUnderTmp) {
  const Folder folder;
  const std::string file = folder.path() + "/file";
  MakeFile(file);
  Options options;
  options.writable_paths = {file};
  EXPECT_EQ(Inside(options,
                   [&] {
                     std::ofstream(file) << "written inside";
                     return List(folder.path());
                   }),
            "file");
  EXPECT_EQ(ReadFile(file), "written inside");
}

TEST(WritablePath, MayLieUnderTheScratchFolder) {
  const Folder scratch;
  const std::string kept = scratch.path() + "/kept";
  ASSERT_EQ(mkdir(kept.c_str(), 0755), 0);
  Options options;
  options.scratch = scratch.path();
  options.writable_paths = {kept};
  EXPECT_EQ(Inside(options,
                   [&] {
                     const std::string seen = List(scratch.path());
                     return absl::StrCat(seen, " ", MakeFile(kept + "/new"));
                   }),
            "kept OK");
  EXPECT_EQ(List(kept), "new");
}

TEST(WritablePath, MayHaveStrangeCharacters) {
  const Folder folder;
  const std::string strange = folder.path() + "/a b\n\\040,colon:\"quote";
  ASSERT_EQ(mkdir(strange.c_str(), 0755), 0);
  Options options;
  options.writable_paths = {strange};
  EXPECT_EQ(Inside(options, [&] { return MakeFile(strange + "/new"); }), "OK");
  options.writable_paths = {};
  options.scratch = strange;
  EXPECT_EQ(Inside(options, [&] { return MakeFile(strange + "/newer"); }), "OK");
  EXPECT_EQ(List(strange), "new");
}

struct MissingPath {
  const char* name;
  void (*set)(const std::string& path, Options& options);
  const char* told;
};

class Missing : public testing::TestWithParam<MissingPath> {};

TEST_P(Missing, IsAClearErrorBeforeAnythingRuns) {
  const Folder folder;
  const std::string missing = folder.path() + "/missing";
  const std::string trace = folder.path() + "/trace";
  Options options;
  options.writable_paths = {folder.path()};
  GetParam().set(missing, options);
  const absl::StatusOr<Result> result = ResultInside(options, [&] { return MakeFile(trace); });
  EXPECT_EQ(Told(result), GetParam().told);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(missing));
  EXPECT_FALSE(Exists(trace));
}

INSTANTIATE_TEST_SUITE_P(Paths, Missing,
                         testing::Values(MissingPath{"ReadOnly",
                                                     [](const std::string& path, Options& options) {
                                                       options.read_only_paths = {path};
                                                     },
                                                     "make a path read-only: ENOENT"},
                                         MissingPath{
                                             "Writable",
                                             [](const std::string& path, Options& options) {
                                               options.writable_paths.push_back(path);
                                             },
                                             "hold on to a path that a tmpfs will cover: ENOENT"},
                                         MissingPath{"Scratch",
                                                     [](const std::string& path, Options& options) {
                                                       options.scratch = path;
                                                     },
                                                     "mount a tmpfs: ENOENT"}),
                         [](const auto& path) { return std::string(path.param.name); });

// --- what the run itself needs ---------------------------------------------------

class OutputFolder : public testing::TestWithParam<const char*> {};

TEST_P(OutputFolder, IsWritableAsOutside) {
  const Folder folder;
  EXPECT_EQ(InCaller([&] {
              const std::string name = GetParam();
              const bool is_file = name.find("FILE") != std::string::npos;
              setenv(name.c_str(), (folder.path() + (is_file ? "/report" : "")).c_str(), 1);
              return Inside({}, [&] { return MakeFile(folder.path() + "/report"); });
            }),
            "OK");
  EXPECT_EQ(List(folder.path()), "report");
}

INSTANTIATE_TEST_SUITE_P(Variables, OutputFolder,
                         testing::Values("TEST_UNDECLARED_OUTPUTS_DIR",
                                         "TEST_UNDECLARED_OUTPUTS_ANNOTATIONS_DIR", "COVERAGE_DIR",
                                         "XML_OUTPUT_FILE"),
                         [](const auto& name) { return std::string(name.param); });

TEST(Program, IsVisible) {
  EXPECT_EQ(Inside({}, [] { return Identity("/proc/self/exe"); }), Identity("/proc/self/exe"));
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_EQ(Inside({}, [&] { return Identity(program); }), Identity(program));
}

// --- stdin -----------------------------------------------------------------------

TEST(StandardInput, IsDevNull) {
  EXPECT_EQ(Inside({},
                   [] {
                     char byte;
                     return absl::StrCat(Identity("/proc/self/fd/0") == Identity("/dev/null"), " ",
                                         read(STDIN_FILENO, &byte, 1));
                   }),
            "1 0");
}

TEST(StandardInput, IsDevNullForACommand) {
  EXPECT_EQ(RunCommand({}, {"readlink", "/proc/self/fd/0"})->out, "/dev/null\n");
}

}  // namespace
}  // namespace isolate
