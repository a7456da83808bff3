// The pid namespace, and what is in it.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

std::string OwnPid() { return absl::StrCat(getpid()); }

TEST(PidNamespace, HasAnInitOfOurs) {
  EXPECT_EQ(Inside({}, [] { return NameOf(1); }), "isolate-init");
}

TEST(PidNamespace, RunsTheFunctionAsPidTwo) { EXPECT_EQ(Inside({}, OwnPid), "2"); }

TEST(PidNamespace, RepeatsPidsBetweenSandboxes) {
  EXPECT_EQ(Inside({}, OwnPid), Inside({}, OwnPid));
}

TEST(PidNamespace, HasTheFunctionsParentOutside) {
  EXPECT_EQ(Inside({}, [] { return absl::StrCat(getppid()); }), "0");
}

TEST(PidNamespace, HasTheCallerAsParentWhereOff) {
  Options options;
  options.pid_namespace = false;
  const std::string caller = absl::StrCat(getpid());
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(Inside(options, [] { return absl::StrCat(getppid()); }), caller);
  }
}

// A library may ask for this first of all; the parent must be the caller then.
TEST(PidNamespace, LetsTheFunctionDieWithItsParentAndNotBefore) {
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(
        Told(isolate::Run({}, [](Reporter&) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); })),
        "returned 0");
  }
}

TEST(PidNamespace, ShowsOnlyTheSandboxInProc) {
  EXPECT_EQ(Inside({}, [] { return absl::StrJoin(ProcessesInProc(), " "); }), "1 2");
}

TEST(PidNamespace, HidesTheCaller) {
  const pid_t caller = getpid();
  ASSERT_GT(caller, 2);
  EXPECT_EQ(Inside({}, [&] { return Called(kill(caller, 0)); }), "ESRCH");
}

TEST(PidNamespace, SharesTheCallersWhereOff) {
  Options options;
  options.pid_namespace = false;
  const pid_t caller = getpid();
  EXPECT_EQ(Inside(options,
                   [&] {
                     return absl::StrCat(Called(kill(caller, 0)), " ",
                                         Exists(absl::StrCat("/proc/", caller)));
                   }),
            "OK 1");
}

TEST(PidNamespace, LetsDefaultActionsKill) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGALRM, SIGUSR1, SIGKILL, SIGPIPE}) {
    const absl::StatusOr<Result> result = isolate::Run({}, [&](Reporter&) {
      ::signal(signal, SIG_DFL);  // a sanitizer has its own for SIGSEGV
      sigset_t all;
      sigemptyset(&all);
      sigprocmask(SIG_SETMASK, &all, nullptr);
      kill(getpid(), signal);
      return 0;
    });
    EXPECT_EQ(Told(result), Describe(Outcome::kSignaled, signal));
  }
}

TEST(PidNamespace, LetsAbortKill) {
  EXPECT_EQ(Told(isolate::Run({}, [](Reporter&) -> int { abort(); })), "died of SIGABRT");
}

TEST(PidNamespace, ProtectsInitFromTheFunction) {
  EXPECT_EQ(Inside({},
                   [] {
                     kill(1, SIGKILL);
                     kill(1, SIGTERM);
                     return NameOf(1);
                   }),
            "isolate-init");
}

TEST(PidNamespace, StopsNothingOutsideWithKillAll) {
  EXPECT_EQ(Told(isolate::Run({},
                              [](Reporter&) {
                                kill(-1, SIGKILL);
                                kill(0, SIGKILL);
                                return 0;
                              })),
            "died of SIGKILL");
}

TEST(PidNamespace, MakesTheFunctionTheLeaderOfItsSession) {
  EXPECT_EQ(Inside({}, [] { return absl::StrCat(getsid(0), " ", getpgrp()); }), "2 2");
}

// Ends in a process whose parent has ended before it.
void Daemonise(const Meeting& parent_gone) {
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) {
      parent_gone.Attend();
      _exit(0);
    }
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

TEST(PidNamespace, ReapsOrphans) {
  EXPECT_EQ(Inside({},
                   [] {
                     const Meeting meeting;
                     for (int i = 0; i < 5; ++i) {
                       Daemonise(meeting);
                     }
                     meeting.Await(5);
                     const std::string adopted = absl::StrCat(ProcessesInProc().size());
                     meeting.Dismiss(5);
                     const bool reaped = Eventually([] { return ProcessesInProc().size() == 2; });
                     return absl::StrCat(adopted, " ", reaped);
                   }),
            "7 1");
}

TEST(PidNamespace, GivesOrphansInitAsParent) {
  EXPECT_EQ(Inside({},
                   [] {
                     const Meeting meeting;
                     Daemonise(meeting);
                     meeting.Await(1);
                     std::string parent;
                     for (const pid_t pid : ProcessesInProc()) {
                       if (pid > 2) {
                         const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
                         parent = stat.substr(stat.rfind(')') + 4, 1);
                       }
                     }
                     meeting.Dismiss(1);
                     return parent;
                   }),
            "1");
}

TEST(PidNamespace, LetsTheFunctionWaitForItsOwnChildren) {
  EXPECT_EQ(Inside({},
                   [] {
                     const pid_t child = fork();
                     if (child == 0) {
                       _exit(7);
                     }
                     int status = 0;
                     const pid_t waited = wait(&status);
                     return absl::StrCat(waited == child, " ", WEXITSTATUS(status));
                   }),
            "1 7");
}

TEST(PidNamespace, EndsWhatTheFunctionLeaves) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  const Meeting meeting;
  ASSERT_TRUE((*executor)
                  ->Start([&](Reporter&) {
                    if (fork() == 0) {
                      setsid();
                      meeting.Attend();
                      pause();
                    }
                    meeting.Attend();
                    return 0;
                  })
                  .ok());
  ASSERT_TRUE(meeting.Await(2));
  const std::vector<int> pidfds = OpenPidfdsInSandboxes();
  EXPECT_EQ(pidfds.size(), 2U);
  meeting.Dismiss(2);
  EXPECT_EQ(Told((*executor)->WaitAny().result), "returned 0");
  EXPECT_TRUE(AllEnd(pidfds));
}

TEST(PidNamespace, AllowsOneMoreInside) {
  // As root, or with a user namespace of the function's own.
  EXPECT_EQ(Inside({}, [] { return Inside({}, OwnPid); }), "2");
}

}  // namespace
}  // namespace isolate
