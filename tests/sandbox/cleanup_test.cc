// Nothing is left behind: no descriptor, child, process, mount, namespace or
// file, whatever became of the run.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

// Leaves behind what a careless test may, and waits to be told what to do.
void BeCareless() {
  (void)!shmget(0x15001501, 4096, IPC_CREAT | 0600);
  MakeFile("/tmp/careless");
  MakeFile("/dev/shm/careless");
  (void)socket(AF_INET, SOCK_STREAM, 0);
  for (int i = 0; i < 3; ++i) {
    if (fork() == 0) {
      setsid();
      signal(SIGTERM, SIG_IGN);
      for (;;) {
        pause();
      }
    }
  }
}

struct Run {
  const char* name;
  void (*set)(Options& options);
  int (*function)(Reporter&);
  const char* told;
};

void Default(Options& /*options*/) {}
void InAUserNamespace(Options& options) { options.user_namespace = UserNamespace::kAlways; }
void WithAllNamespaces(Options& options) {
  options.cgroup_namespace = true;
  if (kCanJoinTimeNamespaces) {
    options.time_offset = absl::Seconds(1);
  }
}
void WithFewNamespaces(Options& options) {
  options.network = Network::kHost;
  options.ipc_namespace = options.uts_namespace = false;
}
void Limited(Options& options) {
  options.timeout = absl::Milliseconds(50);
  options.grace = absl::Milliseconds(50);
}
void Missing(Options& options) { options.read_only_paths = {"/no/such/path"}; }
void Impossible(Options& options) { options.time_offset = absl::Hours(-24 * 365 * 100); }

int Return(Reporter& /*reporter*/) {
  BeCareless();
  return 0;
}

const Run kRuns[] = {
    {"Success", Default, Return, "returned 0"},
    {"SuccessInAUserNamespace", InAUserNamespace, Return, "returned 0"},
    {"SuccessWithAllNamespaces", WithAllNamespaces, Return, "returned 0"},
    {"SuccessWithFewNamespaces", WithFewNamespaces, Return, "returned 0"},
    {"Crash", Default,
     [](Reporter&) {
       BeCareless();
       return raise(SIGKILL);
     },
     "died of SIGKILL"},
    {"Exit", Default,
     [](Reporter&) -> int {
       BeCareless();
       _exit(3);
     },
     "exited with 3"},
    {"Timeout", Limited,
     [](Reporter&) {
       BeCareless();
       signal(SIGTERM, SIG_IGN);
       for (;;) {
         pause();
       }
       return 0;
     },
     "timed out"},
    {"MissingPath", Missing, Return, "make a path read-only: ENOENT"},
    {"ImpossibleClock", Impossible, Return, "create a time namespace: ERANGE"},
};

class Cleanup : public testing::TestWithParam<Run> {};

TEST_P(Cleanup, LeavesNothing) {
  Options options;
  GetParam().set(options);
  EXPECT_EQ(InCaller([&] {
              Mark();
              const Traces before = Traces::Take();
              const std::string told = Told(isolate::Run(options, GetParam().function));
              const std::string marked = Marked();
              return absl::StrCat(told, ", left ", Left(before), ", processes ", marked);
            }),
            absl::StrCat(GetParam().told, ", left nothing, processes none"));
}

TEST(Mark, IsOnWhatRunsInASandbox) {
  EXPECT_EQ(InCaller([] {
              Mark();
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 0);
              const Meeting meeting;
              (void)(*executor)->Start([&](Reporter&) {
                prctl(PR_SET_NAME, "function", 0, 0, 0);
                meeting.Attend();
                return 0;
              });
              meeting.Await(1);
              return Marked();
            }),
            "isolate-helper isolate-init function ");
}

TEST_P(Cleanup, LeavesNoFile) {
  if (!CanEnterOwnNamespaces()) {
    GTEST_SKIP() << "this host allows no user namespace";
  }
  Options options;
  GetParam().set(options);
  EXPECT_EQ(InCaller([&]() -> std::string {
              // Folders that nobody else uses.
              if (!EnterOwnNamespaces() || chdir("/") != 0 ||
                  mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") != 0 ||
                  mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777") != 0) {
                return Called(-1);
              }
              options.scratch = "/tmp";
              const std::string told = Told(isolate::Run(options, GetParam().function));
              return absl::StrCat(told.empty(), List("/tmp"), List("/dev/shm"));
            }),
            "0");
}

INSTANTIATE_TEST_SUITE_P(Runs, Cleanup, testing::ValuesIn(kRuns),
                         [](const auto& run) { return std::string(run.param.name); });

TEST(CleanupOfAnExecutor, IsDoneWhenItIsDestroyed) {
  for (const bool wait : {true, false}) {
    EXPECT_EQ(InCaller([&] {
                Mark();
                const Traces before = Traces::Take();
                {
                  const absl::StatusOr<std::unique_ptr<Executor>> executor =
                      Executor::Create({}, 4);
                  for (int i = 0; i < 6; ++i) {
                    (void)(*executor)->Start(Return);
                  }
                  (*executor)->Cancel(3);
                  while (wait && (*executor)->running() > 0) {
                    (*executor)->WaitAny();
                  }
                }
                return absl::StrCat(Left(before), ", processes ", Marked());
              }),
              "nothing, processes none");
  }
}

TEST(CleanupOfAnExecutor, NeedsNoDescriptorMoreForEachRun) {
  EXPECT_EQ(InCaller([] {
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
              std::string told;
              size_t descriptors = 0;
              for (int i = 0; i < 50; ++i) {
                (void)(*executor)->Start(Return);
                if (i % 5 == 0) {
                  (*executor)->Cancel(i + 1);
                } else {
                  (*executor)->WaitAny();
                }
                const size_t now = Traces::Take().descriptors.size();
                descriptors = i == 10 ? now : descriptors;
                // One more or less may be ready.
                if (i > 10 && (now > descriptors + 2 || now + 2 < descriptors)) {
                  absl::StrAppend(&told, now, " as against ", descriptors, "; ");
                }
              }
              return told;
            }),
            "");
}

// --- a caller that dies ------------------------------------------------------------

struct Death {
  const char* name;
  bool ordinary;
  UserNamespace user_namespace;
};

class DeadCaller : public testing::TestWithParam<Death> {};

TEST_P(DeadCaller, TakesEverythingWithIt) {
  if (GetParam().ordinary && !CanBecomeOrdinaryUser()) {
    GTEST_SKIP() << "this process cannot become another user's";
  }
  const Meeting started;
  const pid_t caller = fork();
  if (caller == 0) {
    if (GetParam().ordinary) {
      BecomeOrdinaryUser();
    }
    Options options;
    options.user_namespace = GetParam().user_namespace;
    const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options, 2);
    for (int i = 0; i < 3; ++i) {
      (void)(*executor)->Start([&](Reporter&) {
        if (fork() == 0) {
          setsid();
          signal(SIGHUP, SIG_IGN);
        }
        started.Attend();
        return 0;
      });
    }
    (*executor)->WaitAny();
    _exit(1);
  }
  const int guests = 6;
  EXPECT_TRUE(started.Await(guests));
  std::vector<int> pidfds;
  for (const pid_t pid : Descendants(caller)) {
    pidfds.push_back(OpenPidfd(pid));
  }
  // With the helper and at least the three inits.
  EXPECT_GE(static_cast<int>(pidfds.size()), guests + 4);
  kill(caller, SIGKILL);
  EXPECT_TRUE(AllEnd(pidfds));
  // Those of a failed test must not stay for ever.
  started.Dismiss(guests);
  int status = 0;
  EXPECT_EQ(waitpid(caller, &status, 0), caller);
  EXPECT_TRUE(WIFSIGNALED(status));
}

INSTANTIATE_TEST_SUITE_P(Callers, DeadCaller,
                         testing::Values(Death{"Itself", false, UserNamespace::kIfNeeded},
                                         Death{"InAUserNamespace", false, UserNamespace::kAlways},
                                         Death{"OfAnOrdinaryUser", true, UserNamespace::kIfNeeded}),
                         [](const auto& death) { return std::string(death.param.name); });

TEST(DeadCaller, WithAHelperThatIsStillAtWorkLeavesNothing) {
  for (int round = 0; round < 20; ++round) {
    const Meeting started;
    const pid_t caller = fork();
    if (caller == 0) {
      started.Attend();
      // Killed somewhere in here.
      for (;;) {
        (void)Executor::Create({}, 4);
      }
    }
    ASSERT_TRUE(started.Await(1));
    started.Dismiss(1);
    ASSERT_TRUE(Eventually([&] { return !Descendants(caller).empty(); }));
    std::vector<int> pidfds;
    for (const pid_t pid : Descendants(caller)) {
      if (const int pidfd = OpenPidfd(pid); pidfd >= 0) {
        pidfds.push_back(pidfd);
      }
    }
    kill(caller, SIGKILL);
    EXPECT_TRUE(AllEnd(pidfds));
    EXPECT_EQ(waitpid(caller, nullptr, 0), caller);
  }
}

}  // namespace
}  // namespace isolate
