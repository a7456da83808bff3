// Set-ups that fail for other reasons than a filter: limits, rights, a damaged
// host, processes that were killed.

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

using ::testing::HasSubstr;

std::string TryRun(const Options& options) {
  return Told(isolate::Run(options, [](Reporter&) { return 0; }));
}

// --- options -------------------------------------------------------------------

TEST(BadOptions, AreInvalidArgumentsBeforeAnythingIsMade) {
  const auto told = [](void (*set)(Options & options)) {
    Options options;
    set(options);
    return isolate::Run(options, [](Reporter&) { return 0; }).status().code();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(told([](Options& o) { o.hostname = std::string(65, 'x'); }), invalid);
  EXPECT_EQ(told([](Options& o) { o.hostname = "a b"; }), invalid);
  EXPECT_EQ(told([](Options& o) { o.mount_namespace = false; }), invalid);
  EXPECT_EQ(told([](Options& o) { o.scratch = "relative"; }), invalid);
  EXPECT_EQ(told([](Options& o) { o.timeout = absl::ZeroDuration(); }), invalid);
}

TEST(BadScratch, IsAClearError) {
  const Folder folder;
  Options options;
  options.scratch = folder.path() + "/file";
  MakeFile(options.scratch);
  EXPECT_THAT(TryRun(options), HasSubstr("mount a tmpfs: "));
}

// --- limits on namespaces --------------------------------------------------------

struct Limit {
  const char* name;
  UserNamespace user_namespace;
  const char* told;
};

class NamespaceLimit : public testing::TestWithParam<Limit> {};

TEST_P(NamespaceLimit, ThatIsReachedIsNoSpace) {
  const std::string told = InCaller([]() -> std::string {
    // The limits of a user namespace count for all below it.
    if (!EnterOwnNamespaces()) {
      return "no user namespace";
    }
    const std::string path = absl::StrCat("/proc/sys/user/max_", GetParam().name, "_namespaces");
    if (!(std::ofstream(path) << "0" << std::flush)) {
      return "no user namespace";
    }
    Options options;
    options.user_namespace = GetParam().user_namespace;
    options.cgroup_namespace = true;
    options.time_offset = absl::Seconds(1);
    const Traces before = Traces::Take();
    return absl::StrCat(TryRun(options), ", left ", Left(before));
  });
  if (told == "no user namespace") {
    GTEST_SKIP() << "this host allows no user namespace, or not to write its limits";
  }
  EXPECT_EQ(told, absl::StrCat(GetParam().told, ", left nothing"));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, NamespaceLimit,
    testing::Values(
        Limit{"user", UserNamespace::kAlways, "create a user namespace: ENOSPC"},
        Limit{"mnt", UserNamespace::kAlways, "create the helper's mount namespace: ENOSPC"},
        Limit{"time", UserNamespace::kIfNeeded, "create a time namespace: ENOSPC"},
        Limit{"pid", UserNamespace::kIfNeeded, "create the sandbox's namespaces: ENOSPC"},
        Limit{"net", UserNamespace::kIfNeeded, "create the sandbox's namespaces: ENOSPC"},
        Limit{"ipc", UserNamespace::kIfNeeded, "create the sandbox's namespaces: ENOSPC"},
        Limit{"uts", UserNamespace::kIfNeeded, "create the sandbox's namespaces: ENOSPC"},
        Limit{"cgroup", UserNamespace::kIfNeeded, "create the sandbox's namespaces: ENOSPC"}),
    [](const auto& limit) { return std::string(limit.param.name); });

TEST(NamespaceLimit, ThatManySandboxesReachLeavesThoseThatCanBeHad) {
  const std::string told = InCaller([]() -> std::string {
    if (!EnterOwnNamespaces() ||
        !(std::ofstream("/proc/sys/user/max_net_namespaces") << "3" << std::flush)) {
      return "no user namespace";
    }
    const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 1000);
    return executor.ok() ? Told((*executor)->Start([](Reporter&) { return 0; }).status())
                         : Told(executor.status());
  });
  if (told == "no user namespace") {
    GTEST_SKIP() << "this host allows no user namespace, or not to write its limits";
  }
  EXPECT_EQ(told, "OK");
}

// The kernel frees a network namespace in its own time, and until then it counts.
TEST(NamespaceLimit, ThatIsReachedByThoseThatHaveEndedIsWaitedFor) {
  const std::string told = InCaller([]() -> std::string {
    if (!EnterOwnNamespaces() ||
        !(std::ofstream("/proc/sys/user/max_net_namespaces") << "1" << std::flush)) {
      return "no user namespace";
    }
    const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 0);
    for (int i = 0; executor.ok() && i < 30; ++i) {
      const absl::Status started = (*executor)->Start([](Reporter&) { return 0; }).status();
      if (!started.ok()) {
        return absl::StrCat(i, ": ", Told(started));
      }
      if (const std::string ended = Told((*executor)->WaitAny().result); ended != "returned 0") {
        return absl::StrCat(i, ": ", ended);
      }
    }
    return Told(executor.status());
  });
  if (told == "no user namespace") {
    GTEST_SKIP() << "this host allows no user namespace, or not to write its limits";
  }
  EXPECT_EQ(told, "OK");
}

// --- limits on processes and files -------------------------------------------------

TEST(ProcessLimit, ThatIsReachedIsToldAsSuch) {
  if (geteuid() == 0 && !CanBecomeOrdinaryUser()) {
    GTEST_SKIP() << "root has no such limit";
  }
  EXPECT_EQ(InCaller([] {
              if (geteuid() == 0) {
                BecomeOrdinaryUser();
              }
              const Traces before = Traces::Take();
              const rlimit limit = {1, 1};
              setrlimit(RLIMIT_NPROC, &limit);
              return absl::StrCat(TryRun({}), ", left ", Left(before));
            }),
            "start the helper process: EAGAIN, left nothing");
}

// The second is for descriptors on their way over sockets, of all processes of the user, others'
// included: more than the limit (too_many_unix_fds in the kernel's net/unix).
bool IsOfFileLimit(const std::string& told) {
  return told.find("EMFILE") != std::string::npos || told.find("ETOOMANYREFS") != std::string::npos;
}

// With each number of files that may be open there is a result or an error that
// says so, and nothing is left.
TEST(FileLimit, IsAnErrorWhereverItIsReached) {
  EXPECT_EQ(InCaller([]() -> std::string {
              CloseInherited();
              int errors = 0;
              for (rlim_t files = 3; files < 40; ++files) {
                const Traces before = Traces::Take();
                const rlimit limit = {files, 200};
                setrlimit(RLIMIT_NOFILE, &limit);
                const std::string told = TryRun({});
                const rlimit unlimited = {200, 200};
                setrlimit(RLIMIT_NOFILE, &unlimited);
                if (told != "returned 0") {
                  ++errors;
                  if (!IsOfFileLimit(told)) {
                    return absl::StrCat(files, ": ", told);
                  }
                }
                if (const std::string left = Left(before); left != "nothing") {
                  return absl::StrCat(files, " left ", left);
                }
              }
              return errors > 5 && errors < 30 ? "errors, then results" : absl::StrCat(errors);
            }),
            "errors, then results");
}

// Between Create and Start, when the sandbox is ready.
TEST(FileLimit, IsAnErrorWhereverStartReachesIt) {
  EXPECT_EQ(InCaller([]() -> std::string {
              CloseInherited();
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 0);
              if (!executor.ok()) {
                return Told(executor.status());
              }
              int errors = 0;
              for (rlim_t files = 3; files < 40; ++files) {
                const rlimit limit = {files, 200};
                setrlimit(RLIMIT_NOFILE, &limit);
                const absl::StatusOr<Executor::Id> id =
                    (*executor)->Start([](Reporter&) { return 0; });
                std::string told = Told(id.status());
                if (id.ok()) {
                  told = Told((*executor)->WaitAny().result);
                }
                const rlimit unlimited = {200, 200};
                setrlimit(RLIMIT_NOFILE, &unlimited);
                if (told != "returned 0") {
                  ++errors;
                  if (!IsOfFileLimit(told)) {
                    return absl::StrCat(files, ": ", told);
                  }
                }
              }
              return errors > 3 && errors < 30 ? "errors, then results" : absl::StrCat(errors);
            }),
            "errors, then results");
}

// --- the host ----------------------------------------------------------------------

TEST(MaskedProc, CannotBeMountedAfreshInAUserNamespace) {
  const std::string told = InCaller([]() -> std::string {
    if (!EnterOwnNamespaces() || mount("tmpfs", "/proc/sys", "tmpfs", MS_RDONLY, nullptr) != 0) {
      return "no namespaces";
    }
    Options options;
    options.user_namespace = UserNamespace::kAlways;
    const Traces before = Traces::Take();
    return absl::StrCat(TryRun(options), ", left ", Left(before));
  });
  if (told == "no namespaces") {
    GTEST_SKIP() << "this host allows no user namespace";
  }
  EXPECT_EQ(told, "mount a fresh /proc: EPERM, left nothing");
}

TEST(NeverAUserNamespace, IsAnErrorForAnOrdinaryUser) {
  if (geteuid() == 0 && !CanBecomeOrdinaryUser()) {
    GTEST_SKIP() << "this process cannot become another user's";
  }
  EXPECT_EQ(InCaller([] {
              if (geteuid() == 0) {
                BecomeOrdinaryUser();
              }
              Options options;
              options.user_namespace = UserNamespace::kNever;
              return TryRun(options);
            }),
            "create the sandbox's namespaces: EPERM");
}

// Makes /dev of the calling process's own, with nothing in it but null.
bool OwnDev() {
  return unshare(CLONE_NEWNS) == 0 &&
         mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
         mount("tmpfs", "/dev", "tmpfs", 0, nullptr) == 0 && mkdir("/dev/shm", 01777) == 0 &&
         mkdir("/dev/mqueue", 01777) == 0 &&
         mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)) == 0 &&
         close(open("/dev/null", O_RDWR | O_CLOEXEC)) == 0;
}

TEST(NoDevNull, IsAnErrorOfTheStandardStreams) {
  const std::string told = InCaller([]() -> std::string {
    if (!OwnDev()) {
      return "not root";
    }
    const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
    if (!executor.ok()) {
      return Told(executor.status());
    }
    unlink("/dev/null");
    (void)(*executor)->Start([](Reporter&) { return 0; });
    return Told((*executor)->WaitAny().result);
  });
  if (told == "not root") {
    GTEST_SKIP() << "only root may make a /dev";
  }
  EXPECT_EQ(told, "set up stdin, stdout and stderr: ENOENT");
}

TEST(DevMqueue, GetsAMessageQueueFileSystemOfItsOwnWhereItExists) {
  const std::string told = InCaller([]() -> std::string {
    if (!OwnDev()) {
      return "not root";
    }
    return Inside({}, [] {
      const std::string mounts = ReadFile("/proc/self/mountinfo");
      return std::string(mounts.find(" /dev/mqueue ") != std::string::npos ? "mounted" : mounts);
    });
  });
  if (told == "not root") {
    GTEST_SKIP() << "only root may make a /dev";
  }
  EXPECT_EQ(told, "mounted");
}

// --- killed ---------------------------------------------------------------------------

// Kills the processes of that name below the calling one; their pidfds.
std::vector<int> Kill(const std::string& name) {
  std::vector<int> pidfds;
  for (const pid_t pid : Descendants(getpid())) {
    if (NameOf(pid) == name) {
      pidfds.push_back(OpenPidfd(pid));
      kill(pid, SIGKILL);
    }
  }
  return pidfds;
}

// The same, and waits for their end; how many there were.
int KillDescendants(const std::string& name) {
  const std::vector<int> pidfds = Kill(name);
  return AllEnd(pidfds) ? static_cast<int>(pidfds.size()) : -1;
}

TEST(KilledHelper, IsAClearErrorForWhatStartsLater) {
  EXPECT_EQ(InCaller([]() -> std::string {
              absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
              const Traces before = Traces::Take();
              const int killed = KillDescendants("isolate-helper");
              // What was made ahead died with it.
              std::string told = absl::StrCat(killed, " killed: ");
              for (int i = 0; i < 3; ++i) {
                const absl::StatusOr<Executor::Id> id =
                    (*executor)->Start([](Reporter&) { return 0; });
                if (id.ok()) {
                  absl::StrAppend(&told, Told((*executor)->WaitAny().result), "; ");
                } else {
                  absl::StrAppend(&told, "error; ");
                }
              }
              executor->reset();
              return told;
            }),
            "1 killed: error; error; error; ");
}

TEST(KilledHelper, EndsWhatRuns) {
  EXPECT_EQ(InCaller([]() -> std::string {
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 0);
              const Meeting meeting;
              (void)(*executor)->Start([&](Reporter&) {
                meeting.Attend();
                return 0;
              });
              meeting.Await(1);
              const int killed = KillDescendants("isolate-helper");
              return absl::StrCat(killed, " killed: ", Told((*executor)->WaitAny().result));
            }),
            "1 killed: died of SIGKILL");
}

TEST(KilledInit, IsTheEndOfWhatRunsInIt) {
  EXPECT_EQ(InCaller([]() -> std::string {
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 0);
              const Meeting meeting;
              (void)(*executor)->Start([&](Reporter&) {
                meeting.Attend();
                return 0;
              });
              meeting.Await(1);
              // Its end waits for ours to reap the function's process.
              const size_t killed = Kill("isolate-init").size();
              std::string told =
                  absl::StrCat(killed, " killed: ", Told((*executor)->WaitAny().result));
              (void)(*executor)->Start([](Reporter&) { return 3; });
              return absl::StrCat(told, ", ", Told((*executor)->WaitAny().result));
            }),
            "1 killed: died of SIGKILL, returned 3");
}

TEST(KilledInit, ThatWasMadeAheadIsNoResult) {
  EXPECT_EQ(InCaller([]() -> std::string {
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 1);
              const int killed = KillDescendants("isolate-init");
              const absl::StatusOr<Executor::Id> id =
                  (*executor)->Start([](Reporter&) { return 3; });
              const absl::StatusOr<Result> result =
                  id.ok() ? (*executor)->WaitAny().result : absl::StatusOr<Result>(id.status());
              return absl::StrCat(killed, " killed: ", result.ok() ? Told(result) : "not isolated");
            }),
            "1 killed: not isolated");
}

}  // namespace
}  // namespace isolate
