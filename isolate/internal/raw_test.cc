#include "isolate/internal/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/open_files.h"

namespace isolate::internal::raw {
namespace {

using ::testing::ExitedWithCode;

// A folder of the test's own, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(::testing::TempDir() + "/raw_test.XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// --- WriteAll ---

TEST(WriteAll, WritesNothingWhereThereIsNothing) { EXPECT_EQ(WriteAll(-1, "", 0), 0); }

TEST(WriteAll, WritesAllOverPartialWritesAndSignals) {
  FdPair pipe = MakePipe();
  // A handler that does nothing, without SA_RESTART: write stops at it.
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  struct sigaction before;
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);

  std::string sent;
  for (int i = 0; i < 1'000'000; ++i) {
    sent += static_cast<char>(i * 7 % 251);
  }
  std::string received;
  const pthread_t writer = pthread_self();
  std::thread reader([&] {
    char buffer[1000];
    ssize_t size;
    do {
      pthread_kill(writer, SIGUSR1);
      size = read(pipe.ours.get(), buffer, sizeof(buffer));
      received.append(buffer, size > 0 ? static_cast<size_t>(size) : 0);
    } while (size > 0);
  });
  EXPECT_EQ(WriteAll(pipe.theirs.get(), sent.data(), sent.size()), 0);
  pipe.theirs.Reset();
  reader.join();
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_TRUE(received == sent) << received.size();
}

TEST(WriteAll, FailsWhereANonBlockingPipeIsFull) {
  const FdPair pipe = MakePipe();
  ASSERT_EQ(fcntl(pipe.theirs.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string much(size_t{1} << 20, 'x');
  errno = 0;
  EXPECT_EQ(WriteAll(pipe.theirs.get(), much.data(), much.size()), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(WriteAll, FailsWhereNobodyReads) {
  FdPair pipe = MakePipe();
  pipe.ours.Reset();
  const sighandler_t before = signal(SIGPIPE, SIG_IGN);
  errno = 0;
  EXPECT_EQ(WriteAll(pipe.theirs.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  signal(SIGPIPE, before);
}

// --- WriteFile ---

TEST(WriteFile, WritesIntoAnExistingFile) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "before";
  EXPECT_EQ(WriteFile((folder / "file").c_str(), "now", 3), 0);
  EXPECT_EQ(ReadFile(folder / "file"), "nowore") << "neither cut nor appended to";
}

TEST(WriteFile, MakesNoFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(WriteFile((folder / "file").c_str(), "now", 3), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(std::filesystem::exists(folder / "file"));
}

TEST(WriteFile, GivesTheErrnoOfTheWriteAndLeavesNothingOpen) {
  const std::vector<int> before = OpenFiles();
  EXPECT_EQ(WriteFile("/dev/full", "now", 3), -1);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_EQ(OpenFiles(), before);
}

// --- MakeParents ---

TEST(MakeParents, MakesEveryFolderButTheLast) {
  const TemporaryFolder folder;
  const mode_t before = umask(0);
  EXPECT_EQ(MakeParents((folder / "a/b/c").c_str()), 0);
  umask(before);
  for (const char* name : {"a", "a/b"}) {
    struct stat made;
    ASSERT_EQ(stat((folder / name).c_str(), &made), 0) << name;
    EXPECT_EQ(made.st_mode, S_IFDIR | 0755u) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "a/b/c"));
}

TEST(MakeParents, LeavesExistingFoldersAsTheyAre) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkdir((folder / "a").c_str(), 0700), 0);
  EXPECT_EQ(MakeParents((folder / "a/b/c").c_str()), 0);
  EXPECT_EQ(MakeParents((folder / "a/b/c").c_str()), 0) << "a second time";
  struct stat there;
  ASSERT_EQ(stat((folder / "a").c_str(), &there), 0);
  EXPECT_EQ(there.st_mode, S_IFDIR | 0700u);
}

TEST(MakeParents, NeedsNoneForAnEntryOfTheRoot) { EXPECT_EQ(MakeParents("/entry"), 0); }

TEST(MakeParents, FailsWhereAFileIsInTheWay) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  EXPECT_EQ(MakeParents((folder / "file/b/c").c_str()), -1);
  EXPECT_EQ(errno, ENOTDIR);
}

TEST(MakeParents, FailsWhereItMayNotWrite) {
  if (geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  const TemporaryFolder folder;
  ASSERT_EQ(mkdir((folder / "a").c_str(), 0555), 0);
  EXPECT_EQ(MakeParents((folder / "a/b/c").c_str()), -1);
  EXPECT_EQ(errno, EACCES);
}

TEST(MakeParents, FailsForAPathThatIsTooLong) {
  const std::string path = "/" + std::string(PATH_MAX, 'x');
  EXPECT_EQ(MakeParents(path.c_str()), -1);
  EXPECT_EQ(errno, ENAMETOOLONG);
}

// --- CloseFrom ---

// What kernels before 5.9 say to close_range.
bool HideCloseRange() {
  sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter = {4, instructions};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0 &&
         syscall(SYS_close_range, 1000, 1000, 0) == -1 && errno == ENOSYS;
}

// Opens 700 to 720 and closes from 705 on but `keep`; the process's exit code
// is 0 if what is open then is what should be.
[[noreturn]] void CloseAndCheck(const std::vector<int>& keep, bool has_close_range) {
  bool right = has_close_range || HideCloseRange();
  std::vector<int> expected;
  for (const int fd : OpenFiles()) {
    if (fd < 700) {
      expected.push_back(fd);
    }
  }
  for (int fd = 700; fd <= 720; ++fd) {
    right = right && dup2(STDERR_FILENO, fd) == fd;
    if (fd < 705 || std::find(keep.begin(), keep.end(), fd) != keep.end()) {
      expected.push_back(fd);
    }
  }
  right = right && CloseFrom(705, keep.data(), keep.size()) == 0 && OpenFiles() == expected;
  _exit(right ? 0 : 1);
}

class CloseFromTest : public ::testing::TestWithParam<bool> {};

TEST_P(CloseFromTest, ClosesAllFromTheFirstOn) {
  EXPECT_EXIT(CloseAndCheck({}, GetParam()), ExitedWithCode(0), "");
}

TEST_P(CloseFromTest, KeepsWhatItIsTold) {
  EXPECT_EXIT(CloseAndCheck({707, 710, 711, 719}, GetParam()), ExitedWithCode(0), "");
}

TEST_P(CloseFromTest, KeepsTheFirstAndTheLast) {
  EXPECT_EXIT(CloseAndCheck({705, 720}, GetParam()), ExitedWithCode(0), "");
}

TEST_P(CloseFromTest, TakesOnesToKeepThatAreBelowTheFirstOrNotOpen) {
  EXPECT_EXIT(CloseAndCheck({-1, 2, 703, 710, 800}, GetParam()), ExitedWithCode(0), "");
}

TEST_P(CloseFromTest, TakesOneToKeepTwice) {
  EXPECT_EXIT(CloseAndCheck({710, 710}, GetParam()), ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(CloseRange, CloseFromTest, ::testing::Values(true, false),
                         [](const auto& test) { return test.param ? "IsThere" : "IsMissing"; });

// --- Processes ---

TEST(Clone, ForksAProcessThatEndsWithItsCode) {
  const pid_t child = Clone(0);
  if (child == 0) {
    Exit(7);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

TEST(Exit, RunsNoHandler) {
  const auto end = [] {
    atexit([] { _exit(1); });
    Exit(7);
  };
  EXPECT_EXIT(end(), ExitedWithCode(7), "");
}

TEST(Pidfd, IsCloseOnExecAndTakesSignals) {
  const pid_t child = Clone(0);
  if (child == 0) {
    for (;;) {
      pause();
    }
  }
  ASSERT_GT(child, 0);
  const Fd pidfd(PidfdOpen(child));
  ASSERT_TRUE(pidfd.valid());
  EXPECT_NE(fcntl(pidfd.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(PidfdSendSignal(pidfd.get(), SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  EXPECT_EQ(PidfdSendSignal(pidfd.get(), SIGKILL), -1);
  EXPECT_EQ(errno, ESRCH);
}

// --- Capabilities ---

// The lines of /proc/self/status that begin with "Cap".
std::map<std::string, uint64_t> KernelsCapabilities() {
  std::map<std::string, uint64_t> sets;
  std::ifstream status("/proc/thread-self/status");
  for (std::string word; status >> word;) {
    if (word.substr(0, 3) == "Cap") {
      status >> std::hex >> sets[word];
    }
  }
  return sets;
}

std::map<std::string, uint64_t> Sets(const Capabilities& capabilities) {
  const auto both = [](uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; };
  const __user_cap_data_struct& low = capabilities.sets[0];
  const __user_cap_data_struct& high = capabilities.sets[1];
  return {{"CapInh:", both(low.inheritable, high.inheritable)},
          {"CapPrm:", both(low.permitted, high.permitted)},
          {"CapEff:", both(low.effective, high.effective)},
          {"CapBnd:", capabilities.bounding},
          {"CapAmb:", capabilities.ambient}};
}

TEST(GetCapabilities, SaysWhatProcSays) {
  Capabilities capabilities;
  ASSERT_EQ(GetCapabilities(&capabilities), 0);
  EXPECT_EQ(Sets(capabilities), KernelsCapabilities());
}

TEST(LimitCapabilities, ChangesNothingWhereAllIsWanted) {
  const auto limit = [] {
    const auto before = KernelsCapabilities();
    Capabilities own;
    const bool right = GetCapabilities(&own) == 0 && LimitCapabilities(own) == 0 &&
                       KernelsCapabilities() == before;
    _exit(right ? 0 : 1);
  };
  EXPECT_EXIT(limit(), ExitedWithCode(0), "");
}

TEST(LimitCapabilities, TakesAwayWhatIsNotWanted) {
  Capabilities own;
  ASSERT_EQ(GetCapabilities(&own), 0);
  const uint32_t net_admin = uint32_t{1} << CAP_NET_ADMIN;
  if ((own.sets[0].effective & net_admin) == 0 ||
      (own.sets[0].effective & uint32_t{1} << CAP_SETPCAP) == 0) {
    GTEST_SKIP() << "has no capability to lose";
  }
  const auto limit = [&] {
    Capabilities wanted = own;
    wanted.bounding &= ~uint64_t{net_admin};
    wanted.sets[0].permitted &= ~net_admin;
    const bool limited = LimitCapabilities(wanted) == 0;
    wanted.sets[0].effective &= ~net_admin;
    wanted.sets[0].inheritable &= ~net_admin;
    _exit(limited && KernelsCapabilities() == Sets(wanted) ? 0 : 1);
  };
  EXPECT_EXIT(limit(), ExitedWithCode(0), "");
}

TEST(LimitCapabilities, GivesNothingThatIsNotThere) {
  const auto limit = [] {
    Capabilities none = {};
    Capabilities all;
    memset(all.sets, 0xff, sizeof(all.sets));
    all.bounding = ~uint64_t{0};
    GetCapabilities(&none);
    const uint64_t bounding = none.bounding;
    none = {};
    none.bounding = bounding;
    const bool right = LimitCapabilities(none) == 0 && LimitCapabilities(all) == 0 &&
                       KernelsCapabilities() == Sets(none);
    _exit(right ? 0 : 1);
  };
  EXPECT_EXIT(limit(), ExitedWithCode(0), "");
}

}  // namespace
}  // namespace isolate::internal::raw
