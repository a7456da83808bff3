// The sandbox of what failed, kept.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "isolate/kept_sandbox.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

Options Keeping() {
  Options options;
  options.keep_failed = true;
  return options;
}

// Something that ran, and what is kept of it.
class Kept {
 public:
  Kept(const Options& options, absl::FunctionRef<int()> function)
      : executor_(*Executor::Create(options)) {
    const absl::StatusOr<Executor::Id> id = executor_->Start([&](Reporter&) { return function(); });
    finished_ = executor_->WaitAny();
    told_ = id.ok() ? Told(finished_.result) : Told(id.status());
  }

  const std::string& told() const { return told_; }
  const KeptSandbox* sandbox() const { return finished_.sandbox.get(); }
  void GiveUp() { finished_.sandbox.reset(); }

 private:
  const std::unique_ptr<Executor> executor_;
  Executor::Finished finished_;
  std::string told_;
};

// What a command prints that is run in the sandbox.
std::string InIt(const KeptSandbox& sandbox, const std::string& command) {
  const std::string line = absl::StrCat(sandbox.EnterCommand(), " ", command, " 2>&1");
  FILE* stream = popen(line.c_str(), "re");
  std::string text;
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof(buffer), stream)) > 0;) {
    text.append(buffer, size);
  }
  pclose(stream);
  return text;
}

// Whether a sandbox is kept of a function that ends like that.
std::string KeptOf(absl::FunctionRef<int()> function) {
  const Kept kept(Keeping(), function);
  return absl::StrCat(kept.told(), kept.sandbox() != nullptr ? ", kept" : "");
}

TEST(Keep, IsForWhateverFailed) {
  EXPECT_EQ(KeptOf([] { return 0; }), "returned 0");
  EXPECT_EQ(KeptOf([] { return 1; }), "returned 1, kept");
  EXPECT_EQ(KeptOf([] { return 256; }), "returned 256, kept");
  EXPECT_EQ(KeptOf([]() -> int { _exit(0); }), "exited with 0, kept");
  EXPECT_EQ(KeptOf([]() -> int { _exit(3); }), "exited with 3, kept");
  EXPECT_EQ(KeptOf([] { return raise(SIGKILL); }), "died of SIGKILL, kept");
}

TEST(Keep, IsForACommandThatFailed) {
  const auto executor = *Executor::Create(Keeping());
  for (const char* command : {"true", "false"}) {
    ASSERT_TRUE(executor->StartCommand({command}).ok());
    const Executor::Finished finished = executor->WaitAny();
    EXPECT_EQ(finished.sandbox != nullptr, command == std::string("false")) << command;
  }
}

TEST(Keep, IsForWhatTookTooLong) {
  Options options = Keeping();
  options.timeout = absl::Milliseconds(100);
  options.grace = absl::Milliseconds(100);
  const Kept kept(options, [] {
    signal(SIGTERM, SIG_IGN);
    for (;;) {
      pause();
    }
    return 0;
  });
  EXPECT_EQ(kept.told(), "timed out");
  ASSERT_NE(kept.sandbox(), nullptr);
  EXPECT_EQ(InIt(*kept.sandbox(), "hostname"), "isolate\n");
}

TEST(Keep, IsNotForWhatNeverEnteredItsSandbox) {
  Options options = Keeping();
  options.memory_limit_bytes = 1;
  const Kept kept(options, [] { return 0; });
  EXPECT_EQ(kept.told(), "limit the memory: ENOMEM");
  EXPECT_EQ(kept.sandbox(), nullptr);
}

TEST(Keep, IsOffByDefault) {
  EXPECT_EQ(Kept({}, [] { return 1; }).sandbox(), nullptr);
}

int FailAndLeave() {
  MakeFile("/tmp/left");
  // Which returns when the program is executed.
  char* const arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("1234567"), nullptr};
  return posix_spawnp(nullptr, "sleep", nullptr, nullptr, arguments, environ) == 0 ? 1 : 2;
}

// In a process that Mark has marked.
std::string LookAround(const Options& options) {
  Kept kept(options, FailAndLeave);
  if (kept.sandbox() == nullptr) {
    return "not kept: " + kept.told();
  }
  const std::string seen = absl::StrCat(
      InIt(*kept.sandbox(), "hostname"), InIt(*kept.sandbox(), "ls /tmp"),
      absl::StrContains(InIt(*kept.sandbox(), "sh -c 'cat /proc/[0-9]*/cmdline'"), "1234567"),
      InIt(*kept.sandbox(), "ls /sys/class/net"));
  kept.GiveUp();
  return seen;
}

TEST(KeptSandbox, CanBeEntered) { EXPECT_EQ(LookAround(Keeping()), "isolate\nleft\n1lo\n"); }

TEST(KeptSandbox, CanBeEnteredWithAUserNamespace) {
  Options options = Keeping();
  options.user_namespace = UserNamespace::kAlways;
  EXPECT_EQ(LookAround(options), "isolate\nleft\n1lo\n");
}

TEST(KeptSandbox, CanBeEnteredByAnOrdinaryUser) {
  if (!CanBecomeOrdinaryUser()) {
    GTEST_SKIP() << "this process cannot become another user's";
  }
  EXPECT_EQ(InCaller([] {
              BecomeOrdinaryUser();
              return LookAround(Keeping());
            }),
            "isolate\nleft\n1lo\n");
}

TEST(KeptSandbox, EndsWithAllThatIsInItWhenItIsGivenUp) {
  EXPECT_EQ(InCaller([]() -> std::string {
              Mark();
              const Options options = Keeping();
              const auto executor = *Executor::Create(options);
              if (!executor->Start([](Reporter&) { return FailAndLeave(); }).ok()) {
                return "not started";
              }
              Executor::Finished finished = executor->WaitAny();
              // A program is executed for a moment before it has its name.
              const bool there = Eventually([] { return absl::StrContains(Marked(), "sleep"); });
              finished.sandbox.reset();
              const bool gone = Eventually([] { return !absl::StrContains(Marked(), "sleep"); });
              return absl::StrCat(there, gone);
            }),
            "11");
}

TEST(KeptSandbox, EndsWithTheProcessThatHasIt) {
  EXPECT_EQ(InCaller([]() -> std::string {
              Mark();
              if (fork() == 0) {
                const Kept kept(Keeping(), FailAndLeave);
                _exit(kept.sandbox() != nullptr ? 0 : 1);
              }
              int status = 0;
              wait(&status);
              return absl::StrCat(status, Eventually([] { return Marked() == "none"; }));
            }),
            "01");
}

// One that goes on writing for ever must not be waited for.
TEST(KeptSandbox, MayHaveALoudProcessInIt) {
  EXPECT_EQ(KeptOf([] {
              if (fork() == 0) {
                signal(SIGPIPE, SIG_IGN);
                const std::string noise(4096, 'x');
                for (;;) {
                  (void)!write(STDOUT_FILENO, noise.data(), noise.size());
                }
              }
              return 1;
            }),
            "returned 1, kept");
}

// Who writes there must not die of it: there is somebody who could read.
TEST(KeptSandbox, LetsAProcessInItPrint) {
  const Kept kept(Keeping(), [] {
    if (mkfifo("/tmp/tell", 0600) != 0) {
      return 2;
    }
    if (fork() == 0) {
      char byte;
      const int told = open("/tmp/tell", O_RDONLY | O_CLOEXEC);
      const bool asked = read(told, &byte, 1) == 1;
      const bool wrote = asked && write(STDOUT_FILENO, "text", 4) == 4;
      close(open(wrote ? "/tmp/wrote" : "/tmp/failed", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
      _exit(0);
    }
    return 1;
  });
  ASSERT_NE(kept.sandbox(), nullptr);
  InIt(*kept.sandbox(), "sh -c 'echo > /tmp/tell'");
  EXPECT_TRUE(
      Eventually([&] { return absl::StrContains(InIt(*kept.sandbox(), "ls /tmp"), "wrote"); }));
}

// --- its files ---------------------------------------------------------------------

TEST(KeptFiles, AreCopiedAsTheyAre) {
  const Folder folder;
  const Kept kept(Keeping(), [] {
    mkdir("/tmp/folder", 0750);
    mkdir("/var/tmp/empty", 0700);
    const int file = open("/tmp/folder/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
    (void)!write(file, "text", 4);
    (void)!symlink("/etc/passwd", "/tmp/link");
    mkfifo("/tmp/fifo", 0600);
    return 1;
  });
  ASSERT_NE(kept.sandbox(), nullptr);
  EXPECT_EQ(kept.sandbox()->CopyFilesTo(folder.path() + "/copy"), absl::OkStatus());
  const std::string copy = folder.path() + "/copy";
  EXPECT_EQ(List(copy), "tmp var");
  EXPECT_EQ(List(copy + "/tmp"), "folder link");
  EXPECT_EQ(ReadFile(copy + "/tmp/folder/file"), "text");
  EXPECT_EQ(std::filesystem::read_symlink(copy + "/tmp/link"), "/etc/passwd");
  struct stat status = {};
  ASSERT_EQ(stat((copy + "/tmp/folder").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0750);
  ASSERT_EQ(stat((copy + "/tmp/folder/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640);
}

TEST(KeptFiles, AreNotTheCallersOwn) {
  const Folder folder;
  const Folder seen;
  MakeFile(seen.path() + "/callers");
  Options options = Keeping();
  options.writable_paths = {seen.path()};
  const Kept kept(options, [] {
    MakeFile("/tmp/its_own");
    return 1;
  });
  ASSERT_NE(kept.sandbox(), nullptr);
  EXPECT_EQ(kept.sandbox()->CopyFilesTo(folder.path()), absl::OkStatus());
  EXPECT_TRUE(Exists(folder.path() + "/tmp/its_own"));
  EXPECT_FALSE(Exists(folder.path() + seen.path()));
}

TEST(KeptFiles, OfNothingAreNoFolder) {
  const Folder folder;
  const Kept kept(Keeping(), [] { return 1; });
  ASSERT_NE(kept.sandbox(), nullptr);
  EXPECT_EQ(kept.sandbox()->CopyFilesTo(folder.path() + "/copy"), absl::OkStatus());
  EXPECT_FALSE(Exists(folder.path() + "/copy"));
}

TEST(KeptFiles, KeepTheirHoles) {
  const Folder folder;
  const Kept kept(Keeping(), [] {
    const int file = open("/tmp/sparse", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    return ftruncate(file, off_t{1} << 40) == 0 && pwrite(file, "text", 4, off_t{1} << 39) == 4 ? 1
                                                                                                : 2;
  });
  EXPECT_EQ(kept.told(), "returned 1");
  ASSERT_NE(kept.sandbox(), nullptr);
  EXPECT_EQ(kept.sandbox()->CopyFilesTo(folder.path()), absl::OkStatus());
  struct stat status = {};
  ASSERT_EQ(stat((folder.path() + "/tmp/sparse").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, off_t{1} << 40);
  EXPECT_LT(status.st_blocks, 10'000);
}

TEST(KeptFiles, GiveNobodyRights) {
  const Folder folder;
  const Kept kept(Keeping(), [] {
    MakeFile("/tmp/program");
    return chmod("/tmp/program", 06755) == 0 ? 1 : 2;
  });
  EXPECT_EQ(kept.told(), "returned 1");
  ASSERT_NE(kept.sandbox(), nullptr);
  EXPECT_EQ(kept.sandbox()->CopyFilesTo(folder.path()), absl::OkStatus());
  struct stat status = {};
  ASSERT_EQ(stat((folder.path() + "/tmp/program").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755);
}

// For an ordinary user, a folder that must not be written to.
TEST(KeptFiles, MayLieInFoldersThatNobodyMayWriteTo) {
  const Folder folder;
  const Kept kept(Keeping(), [] {
    mkdir("/tmp/folder", 0700);
    MakeFile("/tmp/folder/file");
    chmod("/tmp/folder", 0500);
    return 1;
  });
  ASSERT_NE(kept.sandbox(), nullptr);
  EXPECT_EQ(kept.sandbox()->CopyFilesTo(folder.path()), absl::OkStatus());
  EXPECT_TRUE(Exists(folder.path() + "/tmp/folder/file"));
}

TEST(KeptFiles, ThatCannotBeCopiedAreNamed) {
  const Kept kept(Keeping(), [] {
    MakeFile("/tmp/left");
    return 1;
  });
  ASSERT_NE(kept.sandbox(), nullptr);
  const absl::Status status = kept.sandbox()->CopyFilesTo("/proc/no_such_place");
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "cannot copy /tmp")) << status;
}

}  // namespace
}  // namespace isolate
