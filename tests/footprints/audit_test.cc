// When names are recorded, and what stands in the way.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/executor.h"
#include "isolate/footprint.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/seccomp.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Options Auditing() {
  Options options;
  options.audit_names = true;
  return options;
}

bool Touch(const std::string& path) {
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  return file >= 0 && close(file) == 0;
}

bool Bind(uint16_t port) {
  const int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const bool done = bind(bound, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  return close(bound) == 0 && done;
}

std::vector<std::string> Names(const absl::StatusOr<Result>& result) {
  if (!result.ok()) {
    return {result.status().ToString()};
  }
  std::vector<std::string> names;
  for (const NameUse& use : result->footprint.names) {
    names.push_back(Describe(use));
  }
  return names;
}

// --- options -----------------------------------------------------------------------

TEST(Audit, IsOffByDefault) {
  EXPECT_THAT(Names(isolate::Run({}, [](Reporter&) { return Touch("/tmp/x") ? 0 : 1; })),
              IsEmpty());
}

TEST(Audit, NeedsAPidNamespace) {
  Options options = Auditing();
  options.pid_namespace = false;
  EXPECT_THAT(isolate::Run(options, [](Reporter&) { return 0; }).status().ToString(),
              HasSubstr("audit_names needs pid_namespace"));
}

TEST(Audit, NeedsNoLookForLeaks) {
  Options options = Auditing();
  options.leaks.reset();
  EXPECT_THAT(Names(isolate::Run(options, [](Reporter&) { return Touch("/tmp/x") ? 0 : 1; })),
              ElementsAre("/tmp/x (made)"));
}

TEST(Audit, IsOfACommandToo) {
  EXPECT_THAT(Names(isolate::RunCommand(Auditing(), {"sh", "-c", "echo > /tmp/x; rm /tmp/x"})),
              ElementsAre("/tmp/x (made, removed)"));
}

TEST(Audit, SeesTheNetworkOutsideWhereThatIsShared) {
  Options options = Auditing();
  options.network = Network::kHost;
  EXPECT_THAT(Names(isolate::Run(options, [](Reporter&) { return Bind(0) ? 0 : 1; })),
              ElementsAre(HasSubstr("tcp 0.0.0.0:")));
}

// --- ends --------------------------------------------------------------------------

TEST(Audit, TellsOfAFunctionThatDoesNotReturn) {
  EXPECT_THAT(Names(isolate::Run(Auditing(),
                                 [](Reporter&) -> int {
                                   Touch("/tmp/x");
                                   abort();
                                 })),
              ElementsAre("/tmp/x (made)"));
  Options options = Auditing();
  options.timeout = absl::Milliseconds(200);
  options.grace = absl::ZeroDuration();
  EXPECT_THAT(Names(isolate::Run(options,
                                 [](Reporter&) -> int {
                                   Touch("/tmp/x");
                                   for (;;) {
                                     pause();
                                   }
                                 })),
              ElementsAre("/tmp/x (made)"));
}

TEST(Audit, LeavesNothingBehind) {
  const Traces before = Traces::Take();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(isolate::Run(Auditing(), [](Reporter&) { return Touch("/tmp/x") ? 0 : 1; }).ok());
  }
  EXPECT_EQ(Left(before), "nothing");
}

TEST(Audit, LeavesNoDescriptorInTheFunctionsProcess) {
  const auto descriptors = [] { return List("/proc/self/fd"); };
  EXPECT_EQ(Inside(Auditing(), descriptors), Inside({}, descriptors));
}

// A daemon of a kept sandbox would wait for ever for somebody who answers.
TEST(Audit, GoesOnInASandboxThatIsKept) {
  Options options = Auditing();
  options.keep_failed = true;
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options);
  ASSERT_TRUE(executor.ok()) << executor.status();
  const Meeting meeting;
  int done[2];
  ASSERT_EQ(pipe2(done, O_CLOEXEC), 0);
  ASSERT_TRUE((*executor)
                  ->Start([&](Reporter&) {
                    if (fork() == 0) {
                      meeting.Attend();
                      (void)!write(done[1], Touch("/tmp/of_daemon") ? "y" : "n", 1);
                      _exit(0);
                    }
                    return 1;
                  })
                  .ok());
  ASSERT_TRUE(meeting.Await(1));
  const Executor::Finished finished = (*executor)->WaitAny();
  ASSERT_TRUE(finished.result.ok()) << finished.result.status();
  ASSERT_NE(finished.sandbox, nullptr);
  meeting.Dismiss(1);
  char answer = '?';
  EXPECT_EQ(read(done[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  close(done[0]);
  close(done[1]);
}

// --- the tests' own code -----------------------------------------------------------

// Numbers of processes repeat in sandboxes, and names that are made of them with them.
TEST(Audit, GivesProcessesOtherNumbersInEverySandbox) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(Auditing());
  ASSERT_TRUE(executor.ok()) << executor.status();
  std::set<std::string> numbers;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE((*executor)
                    ->Start([](Reporter& reporter) {
                      return reporter.Send(absl::StrCat(getpid())).ok() ? 0 : 1;
                    })
                    .ok());
    const Executor::Finished finished = (*executor)->WaitAny();
    ASSERT_TRUE(finished.result.ok()) << finished.result.status();
    numbers.insert(finished.result->messages.at(0).payload);
  }
  EXPECT_THAT(numbers, SizeIs(20));
}

// A call that waits for its answer must be neither lost nor made twice: a second bind of the same
// socket would be EINVAL.
TEST(Audit, LetsSignalsComeInBetween) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, nullptr);
    const itimerval often = {{0, 100}, {0, 100}};
    setitimer(ITIMER_REAL, &often, nullptr);
    for (int i = 0; i < 3000; ++i) {
      if (!Bind(static_cast<uint16_t>(2000 + i)) || !Touch("/tmp/x") || unlink("/tmp/x") != 0) {
        return errno;
      }
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->code, 0) << strerror(result->code);
  EXPECT_THAT(result->footprint.names, SizeIs(3001));
}

TEST(Audit, SeesWhatThreadsDoAtOnce) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([thread] {
        for (int i = 0; i < 200; ++i) {
          Touch(absl::StrCat("/tmp/", thread, ".", i));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->footprint.names, SizeIs(1600));
  EXPECT_EQ(result->footprint.untold, 0);
}

TEST(Audit, SeesManyNames) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    for (int i = 0; i < 20'000; ++i) {
      Touch(absl::StrCat("/tmp/", i));
      unlink(absl::StrCat("/tmp/", i).c_str());
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->footprint.names, SizeIs(20'000));
}

TEST(Audit, CountsNamesThatAreTooMany) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    for (int i = 0; i < 100'100; ++i) {
      unlink(absl::StrCat("/tmp/", i).c_str());
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->footprint.names, SizeIs(100'000));
  EXPECT_EQ(result->footprint.untold, 100);
}

// Who may not look at it counts what it did not see.
TEST(Audit, CountsCallsOfAProcessThatHidesItsMemory) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    prctl(PR_SET_DUMPABLE, 0);
    return Touch("/tmp/x") && Bind(8080) ? 0 : 1;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->code, 0);
  if (MayCreateNamespaces()) {
    EXPECT_THAT(Names(result), ElementsAre("tcp 0.0.0.0:8080 (bound)", "/tmp/x (made)"));
  } else {
    EXPECT_THAT(Names(result), IsEmpty());
    EXPECT_EQ(result->footprint.untold, 2);
  }
}

// A process is killed while its call waits for an answer.
TEST(Audit, SurvivesCallersThatDie) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    for (int i = 0; i < 200; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        for (;;) {
          Touch("/tmp/of_child");
        }
      }
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    return Touch("/tmp/x") ? 0 : 1;
  });
  EXPECT_THAT(Names(result), Contains("/tmp/x (made)"));
}

TEST(Audit, TakesStretchesApart) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter& reporter) {
    Touch("/tmp/first");
    reporter.BeginFootprint(1);
    Touch("/tmp/second");
    reporter.BeginFootprint(absl::nullopt);
    Touch("/tmp/nobodys");
    reporter.BeginFootprint(2);
    Touch("/tmp/third");
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  std::vector<std::string> told;
  for (const NameUse& use : result->footprint.names) {
    told.push_back(absl::StrCat(use.stretch, " ", use.name));
  }
  EXPECT_THAT(told, ElementsAre("0 /tmp/first", "1 /tmp/second", "2 /tmp/third"));
}

// The auditor's own option of prctl is no other one's.
TEST(Audit, TakesNoMarksFromTheTest) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    const int marked = prctl(0x15'01a7e, 1UL, ~0UL, 0UL, 0UL);
    return marked == -1 && errno == EINVAL && Touch("/tmp/x") ? 0 : 1;
  });
  EXPECT_EQ(Told(result), "returned 0");
  EXPECT_THAT(Names(result), ElementsAre("/tmp/x (made)"));
}

// What it leaves where nothing is private is known by its footprint alone.
TEST(Audit, TellsOfFilesLeftOutsideOfPrivateFolders) {
  const Folder folder(".");
  const std::string path = folder.path() + "/left";
  const std::string removed = folder.path() + "/removed";
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [&](Reporter&) {
    return Touch(path) && Touch(removed) && unlink(removed.c_str()) == 0 ? 0 : 1;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->leaks, SizeIs(1));
  EXPECT_EQ(result->leaks[0].kind, LeakKind::kFile);
  EXPECT_THAT(result->leaks[0].name, HasSubstr("/left"));
  EXPECT_THAT(result->leaks[0].detail, HasSubstr("outside of the private folders"));
}

// --- set-up ------------------------------------------------------------------------

TEST(Audit, WithinAnAuditIsAClearError) {
  EXPECT_EQ(Inside(Auditing(),
                   [] { return Told(isolate::Run(Auditing(), [](Reporter&) { return 0; })); }),
            "have the names that are used recorded: EBUSY");
}

TEST(Audit, HearsOfASandboxWithin) {
  const absl::StatusOr<Result> result = isolate::Run(Auditing(), [](Reporter&) {
    return isolate::Run({}, [](Reporter&) { return Bind(8080) ? 0 : 1; }).ok() ? 0 : 1;
  });
  EXPECT_EQ(Told(result), "returned 0");
}

TEST(Audit, ThatAFilterRefusesIsAClearError) {
  EXPECT_EQ(InCaller([]() -> std::string {
              if (!Install({SYS_seccomp, EPERM})) {
                return "no filter";
              }
              const Traces before = Traces::Take();
              return absl::StrCat(Told(isolate::Run(Auditing(), [](Reporter&) { return 0; })),
                                  ", left ", Left(before));
            }),
            "have the names that are used recorded: EPERM, left nothing");
}

// As from a kernel before 5.19, whose calls may be made a second time.
TEST(Audit, DoesWithoutTheNewerWayToWait) {
  constexpr uint32_t kWaitKillable = 1U << 5;
  EXPECT_EQ(InCaller([]() -> std::string {
              if (!Install({SYS_seccomp, EINVAL, 1, kWaitKillable, kWaitKillable})) {
                return "no filter";
              }
              const absl::StatusOr<Result> result = isolate::Run(
                  Auditing(), [](Reporter&) { return Touch("/tmp/x") && Bind(8080) ? 0 : 1; });
              std::string told = Told(result);
              for (const std::string& name : Names(result)) {
                absl::StrAppend(&told, "; ", name);
              }
              return told;
            }),
            "returned 0; tcp 0.0.0.0:8080 (bound); /tmp/x (made)");
}

}  // namespace
}  // namespace isolate
