// The mount namespace: private folders, scratch, /proc, /sys, and the rest.

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

std::string Mode(const std::string& path) {
  struct stat now;
  return stat(path.c_str(), &now) == 0 ? absl::StrCat(absl::Hex(now.st_mode)) : Called(-1);
}

bool IsTmpfs(const std::string& path) {
  struct statfs now;
  return statfs(path.c_str(), &now) == 0 && now.f_type == TMPFS_MAGIC;
}

// --- /tmp, /var/tmp, /dev/shm ------------------------------------------------

class PrivateFolder : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!Exists(GetParam())) {
      GTEST_SKIP() << "this host has no such folder";
    }
  }
};

TEST_P(PrivateFolder, IsATmpfsOfItsOwn) {
  EXPECT_EQ(Inside({}, [] { return absl::StrCat(IsTmpfs(GetParam())); }), "1");
  EXPECT_NE(Inside({}, [] { return Identity(GetParam()); }), Identity(GetParam()));
}

TEST_P(PrivateFolder, HasTheModeThatItHasOutside) {
  EXPECT_EQ(Inside({}, [] { return Mode(GetParam()); }), Mode(GetParam()));
}

TEST_P(PrivateFolder, KeepsWhatIsMadeInsideInside) {
  const std::string file = absl::StrCat(GetParam(), "/isolate-inside-", getpid());
  EXPECT_EQ(Inside({}, [&] { return MakeFile(file); }), "OK");
  EXPECT_FALSE(Exists(file));
  EXPECT_EQ(Inside({}, [&] { return absl::StrCat(Exists(file)); }), "0");
}

TEST_P(PrivateFolder, HidesWhatIsOutside) {
  const std::string file = absl::StrCat(GetParam(), "/isolate-outside-", getpid());
  if (MakeFile(file) != "OK") {
    GTEST_SKIP() << "this test may not write there";
  }
  EXPECT_EQ(Inside({}, [&] { return absl::StrCat(Exists(file)); }), "0");
  Options options;
  options.mount_namespace = false;
  options.pid_namespace = false;
  EXPECT_EQ(Inside(options, [&] { return absl::StrCat(Exists(file)); }), "1");
  unlink(file.c_str());
}

std::string Fill(const std::string& folder) {
  const std::string file = folder + "/fill";
  const int fd = open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  const std::string block(64 << 10, 'x');
  int64_t written = 0;
  for (;;) {
    const ssize_t size = write(fd, block.data(), block.size());
    if (size < 0 || written > (8 << 20)) {
      return absl::StrCat(Called(size), " after ", written);
    }
    written += size;
  }
}

TEST_P(PrivateFolder, IsFullAtTheSizeLimit) {
  Options options;
  options.tmpfs_size_bytes = 1 << 20;
  EXPECT_EQ(Inside(options, [] { return Fill(GetParam()); }), "ENOSPC after 1048576");
}

INSTANTIATE_TEST_SUITE_P(Folders, PrivateFolder, testing::Values("/tmp", "/var/tmp", "/dev/shm"),
                         [](const auto& folder) {
                           return absl::EndsWith(folder.param, "shm")    ? "DevShm"
                                  : absl::StartsWith(folder.param, "/v") ? "VarTmp"
                                                                         : "Tmp";
                         });

TEST(DevShm, IsWhereSharedMemoryAndSemaphoresArePrivate) {
  const std::string name = absl::StrCat("/isolate-", getpid());
  const int shm = shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
  ASSERT_GE(shm, 0);
  close(shm);
  EXPECT_EQ(Inside({},
                   [&] {
                     const bool seen = shm_open(name.c_str(), O_RDWR, 0) >= 0;
                     const bool made =
                         sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 0) != SEM_FAILED;
                     return absl::StrCat(seen, " ", made);
                   }),
            "0 1");
  EXPECT_EQ(shm_unlink(name.c_str()), 0);
  EXPECT_NE(sem_unlink(name.c_str()), 0);
}

// --- scratch -----------------------------------------------------------------

std::string ScratchVariables() {
  const auto variable = [](const char* name) {
    const char* value = getenv(name);
    return std::string(value != nullptr ? value : "unset");
  };
  return absl::StrCat(variable("TEST_TMPDIR"), " ", variable("TMPDIR"), " ", testing::TempDir());
}

TEST(Scratch, IsTheFolderThatIsNamed) {
  const Folder scratch;
  Options options;
  options.scratch = scratch.path();
  MakeFile(scratch.path() + "/outside");
  EXPECT_EQ(Inside(options, ScratchVariables),
            absl::StrCat(scratch.path(), " ", scratch.path(), " ", scratch.path(), "/"));
  EXPECT_EQ(Inside(options,
                   [&] {
                     const std::string before = List(scratch.path());
                     MakeFile(scratch.path() + "/inside");
                     return before + "," + List(scratch.path());
                   }),
            ",inside");
  EXPECT_EQ(List(scratch.path()), "outside");
}

TEST(Scratch, IsWhatTheEnvironmentSaysOtherwise) {
  const Folder test;
  const Folder tmp;
  const auto inside = [&](const char* test_tmpdir, const char* tmpdir) {
    return InCaller([&] {
      unsetenv("TEST_TMPDIR");
      unsetenv("TMPDIR");
      if (test_tmpdir != nullptr) {
        setenv("TEST_TMPDIR", test_tmpdir, 1);
      }
      if (tmpdir != nullptr) {
        setenv("TMPDIR", tmpdir, 1);
      }
      return Inside({}, ScratchVariables);
    });
  };
  const auto expected = [](const std::string& folder) {
    return absl::StrCat(folder, " ", folder, " ", folder, "/");
  };
  EXPECT_EQ(inside(test.path().c_str(), tmp.path().c_str()), expected(test.path()));
  EXPECT_EQ(inside(nullptr, tmp.path().c_str()), expected(tmp.path()));
  EXPECT_EQ(inside(nullptr, nullptr), expected("/tmp"));
}

TEST(Scratch, LeavesTheCallersEnvironmentAlone) {
  const Folder scratch;
  Options options;
  options.scratch = scratch.path();
  const std::string before = ScratchVariables();
  Inside(options, ScratchVariables);
  EXPECT_EQ(ScratchVariables(), before);
}

TEST(Scratch, IsWritableAndLimitedLikeTheOthers) {
  const Folder scratch;
  Options options;
  options.scratch = scratch.path();
  options.tmpfs_size_bytes = 1 << 20;
  EXPECT_EQ(Inside(options, [&] { return Fill(scratch.path()); }), "ENOSPC after 1048576");
}

TEST(Scratch, HasTheModeAndTheOwnerThatItHasOutside) {
  const Folder scratch;
  ASSERT_EQ(chmod(scratch.path().c_str(), 0710), 0);
  Options options;
  options.scratch = scratch.path();
  const auto look = [&] {
    struct stat now = {};
    stat(scratch.path().c_str(), &now);
    return absl::StrCat(absl::Hex(now.st_mode), " ", now.st_uid, " ", now.st_gid);
  };
  EXPECT_EQ(Inside(options, look), look());
}

TEST(Scratch, MayBeALink) {
  const Folder folder;
  const std::string link = folder.path() + "/link";
  const std::string real = folder.path() + "/real";
  ASSERT_EQ(mkdir(real.c_str(), 0755), 0);
  ASSERT_EQ(symlink(real.c_str(), link.c_str()), 0);
  Options options;
  options.scratch = link;
  options.writable_paths = {folder.path()};
  EXPECT_EQ(Inside(options,
                   [&] { return absl::StrCat(getenv("TMPDIR"), " ", MakeFile(link + "/file")); }),
            absl::StrCat(link, " OK"));
  EXPECT_EQ(List(real), "");
}

TEST(Scratch, HasAnEmptyFolderForEachSandbox) {
  const Folder scratch;
  Options options;
  options.scratch = scratch.path();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Inside(options,
                     [&] {
                       const std::string before = List(scratch.path());
                       MakeFile(scratch.path() + "/file");
                       return before;
                     }),
              "");
  }
}

// --- the rest of the tree ----------------------------------------------------

// What became of a folder of the caller's, in a copy of it.
std::string UseCopy(const std::string& folder) {
  std::string words = absl::StrCat(Mode(folder), " ", List(folder));
  words += Called(unlink((folder + "/dir/file").c_str()));
  words += Called(rmdir((folder + "/dir").c_str()));
  words += MakeFile(folder + "/new");
  return absl::StrCat(words, " ", List(folder), "\n");
}

// Where something else is mounted in /tmp, an ordinary user cannot have a copy of it; so
// in a sandbox, where nothing is.
TEST(CopyOfPrivateFolders, HasWhatIsThereAndIsWrittenToAlone) {
  std::string scratch = absl::StrCat(testing::TempDir(), "/scratch-XXXXXX");
  ASSERT_NE(mkdtemp(scratch.data()), nullptr);
  Options options;
  options.scratch = scratch;
  const absl::StatusOr<Result> result = isolate::Run(options, [&](Reporter&) {
    Options copy = options;
    copy.copy_private_folders = true;
    for (const std::string& folder : {std::string("/tmp"), std::string("/var/tmp"), scratch}) {
      mkdir((folder + "/dir").c_str(), 0755);
      MakeFile(folder + "/dir/file");
      const std::string before = List(folder);
      const absl::StatusOr<Result> inner = isolate::Run(copy, [&](Reporter&) {
        printf("%s", UseCopy(folder).c_str());
        return 0;
      });
      const std::string expected =
          absl::StrCat(Mode(folder), " ", before, "OKOKOK ",
                       folder == "/tmp" && before != "dir" ? before + " new" : "new", "\n");
      if (!inner.ok() || inner->out != expected || List(folder) != before) {
        printf("%s: %s, %s expected %s", folder.c_str(), Told(inner).c_str(),
               inner.ok() ? inner->out.c_str() : "", expected.c_str());
      }
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result.status());
  EXPECT_EQ(result->out, "");
  rmdir(scratch.c_str());
}

TEST(Tree, IsOtherwiseAsOutside) {
  for (const char* path :
       {"/", "/etc", "/etc/passwd", "/usr/bin", "/bin/sh", "/dev/null", "/dev/urandom", "/var"}) {
    EXPECT_EQ(Inside({}, [&] { return Identity(path); }), Identity(path)) << path;
  }
}

TEST(Tree, IsTheCallersWhereThatHasAnotherRoot) {
  if (!CanEnterOwnNamespaces()) {
    GTEST_SKIP() << "this host allows no user namespace";
  }
  const Folder root;
  EXPECT_EQ(InCaller([&]() -> std::string {
              const std::string mnt = root.path() + "/mnt";
              if (!EnterOwnNamespaces() ||
                  mount("/", root.path().c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0 ||
                  mount("tmpfs", mnt.c_str(), "tmpfs", 0, nullptr) != 0 ||
                  MakeFile(mnt + "/in_the_other_root") != "OK") {
                return "not there";
              }
              // /tmp is private in the sandbox, and would hide the root in any case.
              return chroot(root.path().c_str()) == 0 && chdir("/mnt") == 0
                         ? Inside({}, [] { return List("/mnt") + " " + List("."); })
                         : Called(-1);
            }),
            "in_the_other_root in_the_other_root");
}

TEST(Tree, HasAFreshProc) {
  const auto look = [] {
    return Exists(absl::StrCat("/proc/self/task/", getpid())) ? "same" : "other";
  };
  EXPECT_EQ(Inside({}, look), "same");
}

TEST(Tree, KeepsWhatIsMountedUnderProcAndSys) {
  // Every mount point below them that leads somewhere outside.
  std::vector<std::string> points;
  for (const char* path : {"/sys/fs/cgroup", "/proc/sys/fs/binfmt_misc", "/sys/kernel/debug"}) {
    if (Exists(path) &&
        absl::StrContains(ReadFile("/proc/self/mountinfo"), absl::StrCat(" ", path, " "))) {
      points.emplace_back(path);
    }
  }
  if (points.empty()) {
    GTEST_SKIP() << "nothing is mounted there";
  }
  for (const std::string& path : points) {
    EXPECT_EQ(Inside({}, [&] { return List(path); }), List(path)) << path;
  }
}

// --- propagation -------------------------------------------------------------

TEST(Mounts, MadeInsideAreNotSeenOutside) {
  const Folder scratch;
  Options options;
  options.scratch = scratch.path();
  const std::string before = ReadFile("/proc/self/mountinfo");
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options);
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  const Meeting meeting;
  ASSERT_TRUE((*executor)
                  ->Start([&](Reporter& reporter) {
                    // As an ordinary user: in a user namespace of its own.
                    if (geteuid() != 0) {
                      EnterOwnNamespaces();
                    }
                    const std::string said =
                        Called(mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, nullptr));
                    meeting.Attend();
                    return reporter.Send(said).ok() ? 0 : 1;
                  })
                  .ok());
  ASSERT_TRUE(meeting.Await(1));
  EXPECT_EQ(ReadFile("/proc/self/mountinfo"), before);
  meeting.Dismiss(1);
  const absl::StatusOr<Result> result = (*executor)->WaitAny().result;
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->messages.at(0).payload, "OK");
}

// Mounts a tmpfs with one file in it on /mnt, between two sandboxes of an
// executor; what the second sees there.
std::string SeeLaterMount() {
  if (!EnterOwnNamespaces() || mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr) != 0) {
    return Called(-1);
  }
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, /*ready=*/0);
  if (!executor.ok()) {
    return Told(executor.status());
  }
  const auto look = [&] {
    const bool started =
        (*executor)
            ->Start([](Reporter& reporter) { return !reporter.Send(List("/mnt")).ok(); })
            .ok();
    const absl::StatusOr<Result> result = (*executor)->WaitAny().result;
    return started && result.ok() ? result->messages.at(0).payload : Told(result);
  };
  look();  // uses up the sandbox that Create tried
  if (mount("tmpfs", "/mnt", "tmpfs", 0, nullptr) != 0) {
    return Called(-1);
  }
  MakeFile("/mnt/new");
  return look();
}

TEST(Mounts, MadeOutsideLaterAreSeenInLaterSandboxes) {
  if (!CanEnterOwnNamespaces()) {
    GTEST_SKIP() << "this host allows no user namespace";
  }
  EXPECT_EQ(InCaller(SeeLaterMount), "new");
}

TEST(Mounts, AreTheCallersWhereOff) {
  Options options;
  options.mount_namespace = false;
  options.pid_namespace = false;
  EXPECT_EQ(Inside(options, [] { return Identity("/tmp"); }), Identity("/tmp"));
}

}  // namespace
}  // namespace isolate
