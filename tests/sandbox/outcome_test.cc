// What becomes of a function or a command, and what the result says.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
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

struct Ending {
  const char* name;
  int (*function)(Reporter&);
  const char* told;
};

int Raise(int signal) {
  ::signal(signal, SIG_DFL);  // a sanitizer has handlers of its own
  raise(signal);
  return 0;
}

const Ending kEndings[] = {
    {"Return0", [](Reporter&) { return 0; }, "returned 0"},
    {"Return7", [](Reporter&) { return 7; }, "returned 7"},
    {"ReturnMinus1", [](Reporter&) { return -1; }, "returned -1"},
    {"Return256", [](Reporter&) { return 256; }, "returned 256"},
    {"Exit0", [](Reporter&) -> int { exit(0); }, "exited with 0"},
    {"Exit3", [](Reporter&) -> int { exit(3); }, "exited with 3"},
    {"UnderscoreExit4", [](Reporter&) -> int { _exit(4); }, "exited with 4"},
    {"Abort", [](Reporter&) -> int { abort(); }, "died of SIGABRT"},
    {"Segv", [](Reporter&) { return Raise(SIGSEGV); }, "died of SIGSEGV"},
    {"Term", [](Reporter&) { return Raise(SIGTERM); }, "died of SIGTERM"},
    {"Kill", [](Reporter&) { return Raise(SIGKILL); }, "died of SIGKILL"},
    {"Exception", [](Reporter&) -> int { throw std::runtime_error("left"); }, "died of SIGABRT"},
    {"AThread",
     [](Reporter&) {
       int code = 1;
       std::thread([&] { code = 5; }).join();
       return code;
     },
     "returned 5"},
    {"ExecTrue",
     [](Reporter&) -> int {
       execlp("true", "true", static_cast<char*>(nullptr));
       _exit(99);
     },
     "exited with 0"},
    {"ExecFalse",
     [](Reporter&) -> int {
       execlp("false", "false", static_cast<char*>(nullptr));
       _exit(99);
     },
     "exited with 1"},
    {"ExitInAThread",
     [](Reporter&) -> int {
       std::thread([] { _exit(6); }).join();
       return 0;
     },
     "exited with 6"},
    {"ForkAndReturnInTheChild",
     [](Reporter&) {
       const pid_t child = fork();
       if (child == 0) {
         return 9;
       }
       int status = 0;
       waitpid(child, &status, 0);
       return WEXITSTATUS(status) + 100;
     },
     "returned 109"},
    {"ForkAndReturnInTheChildFirst",
     [](Reporter&) -> int {
       if (fork() == 0) {
         return 9;
       }
       wait(nullptr);
       _exit(8);
     },
     "exited with 8"},
};

class EndsBy : public testing::TestWithParam<Ending> {};

TEST_P(EndsBy, IsToldAsWhatItWas) {
  EXPECT_EQ(Told(isolate::Run({}, GetParam().function)), GetParam().told);
}

TEST_P(EndsBy, IsToldAsWhatItWasWithoutAPidNamespace) {
  Options options;
  options.pid_namespace = false;
  EXPECT_EQ(Told(isolate::Run(options, GetParam().function)), GetParam().told);
}

INSTANTIATE_TEST_SUITE_P(Ways, EndsBy, testing::ValuesIn(kEndings),
                         [](const auto& way) { return std::string(way.param.name); });

TEST(Outcome, IsOkOnlyForZero) {
  EXPECT_TRUE(isolate::Run({}, [](Reporter&) { return 0; })->ok());
  EXPECT_FALSE(isolate::Run({}, [](Reporter&) { return 1; })->ok());
  EXPECT_TRUE(RunCommand({}, {"true"})->ok());
  EXPECT_FALSE(RunCommand({}, {"false"})->ok());
}

TEST(Outcome, NothingThatTheFunctionChangesComesBack) {
  int value = 1;
  EXPECT_EQ(Told(isolate::Run({},
                              [&](Reporter&) {
                                value = 2;
                                setenv("ISOLATE_CHANGED", "1", 1);
                                return value;
                              })),
            "returned 2");
  EXPECT_EQ(value, 1);
  EXPECT_EQ(getenv("ISOLATE_CHANGED"), nullptr);
}

// As ThreadSanitizer ends a process in which it found something: here, when what stands in buffers
// is written.
TEST(Outcome, IsAnotherCodeThanTheFunctionsWhereTheProcessEndsWithOne) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) {
    cookie_io_functions_t functions = {};
    functions.write = [](void*, const char*, size_t) -> ssize_t { _exit(66); };
    FILE* stream = fopencookie(nullptr, "w", functions);
    return fputs("text", stream) >= 0 ? 0 : 1;
  });
  EXPECT_EQ(Told(result), "exited with 66");
  EXPECT_TRUE(result->returned);
  EXPECT_FALSE(result->ok());
  EXPECT_FALSE(isolate::Run({}, [](Reporter&) -> int { _exit(66); })->returned);
}

TEST(Outcome, SeesTheCallersMemory) {
  const std::vector<int> numbers(1000, 42);
  EXPECT_EQ(Told(isolate::Run({}, [&](Reporter&) { return numbers[999]; })), "returned 42");
}

// --- commands ------------------------------------------------------------------

TEST(Command, IsFoundByPath) { EXPECT_EQ(RunCommand({}, {"echo", "a b", ""})->out, "a b \n"); }

TEST(Command, SeesTheEnvironmentThatWasAskedFor) {
  Options options;
  options.environment = {{"ISOLATE_A", "1"}, {"ISOLATE_B", "x=y z"}, {"ISOLATE_A", "2"}};
  EXPECT_EQ(RunCommand(options, {"sh", "-c", "echo $ISOLATE_A,$ISOLATE_B"})->out, "2,x=y z\n");
}

TEST(Command, DoesNotSeeWhatIsHidden) {
  Options options;
  options.hidden_environment = {"HOME", "ISOLATE_NOT_THERE"};
  options.environment = {{"ISOLATE_A", "1"}};
  EXPECT_EQ(InCaller([&] {
              setenv("HOME", "/home", 1);
              return RunCommand(options, {"sh", "-c", "echo ${HOME-none},$ISOLATE_A"})->out;
            }),
            "none,1\n");
}

TEST(Command, ThatIsNotThereIsNoResult) {
  const absl::StatusOr<Result> result = RunCommand({}, {"/no-such-program-of-isolate"});
  EXPECT_EQ(Told(result), "execute the command: ENOENT");
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("no-such-program-of-isolate"));
}

TEST(Command, ThatMayNotBeExecutedIsNoResult) {
  EXPECT_EQ(Told(RunCommand({}, {"/etc/passwd"})), "execute the command: EACCES");
}

TEST(Command, MustNotBeEmpty) {
  EXPECT_EQ(RunCommand({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Command, HasNoDescriptorsButTheStandardOnes) {
  // A caller without any of its own, as Bazel may leave it some.
  EXPECT_EQ(InCaller([] {
              CloseInherited();
              return RunCommand({}, {"ls", "/proc/self/fd"})->out;
            }),
            "0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

// --- time limits -----------------------------------------------------------------

Options Limited() {
  Options options;
  options.timeout = absl::Milliseconds(50);
  options.grace = absl::Milliseconds(50);
  return options;
}

TEST(Timeout, EndsWithSigtermWhereThatKills) {
  Options options = Limited();
  options.grace = absl::InfiniteDuration();
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) { return pause(); });
  EXPECT_EQ(Told(result), "timed out");
  EXPECT_EQ(result->code, SIGTERM);
  EXPECT_FALSE(result->ok());
}

TEST(Timeout, EndsWithSigkillWhereSigtermIsIgnored) {
  const absl::StatusOr<Result> result = isolate::Run(Limited(), [](Reporter& reporter) {
    signal(SIGTERM, SIG_IGN);
    (void)reporter.Send("before");
    for (;;) {
      pause();
    }
    return 0;
  });
  EXPECT_EQ(Told(result), "timed out");
  EXPECT_EQ(result->code, SIGKILL);
  EXPECT_EQ(result->messages.at(0).payload, "before");
}

TEST(Timeout, EndsWhatIsStopped) {
  EXPECT_EQ(Told(isolate::Run(Limited(), [](Reporter&) { return raise(SIGSTOP); })), "timed out");
}

TEST(Timeout, EndsWhatUsesTheProcessor) {
  EXPECT_EQ(Told(isolate::Run(Limited(),
                              [](Reporter&) {
                                signal(SIGTERM, SIG_IGN);
                                for (volatile int i = 0;; i = i + 1) {
                                }
                                return 0;
                              })),
            "timed out");
}

TEST(Timeout, LetsAHandlerOfTheFunctionsSayItsLastWords) {
  Options options = Limited();
  options.grace = absl::InfiniteDuration();
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) {
    signal(SIGTERM, [](int) {
      if (write(STDOUT_FILENO, "last words", 10) == 10) {
        _exit(5);
      }
    });
    for (;;) {
      pause();
    }
    return 0;
  });
  EXPECT_EQ(Told(result), "timed out");
  EXPECT_EQ(result->code, 0);
  EXPECT_EQ(result->out, "last words");
}

TEST(Timeout, TakesGrandchildrenWithIt) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(Limited());
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  const Meeting meeting;
  ASSERT_TRUE((*executor)
                  ->Start([&](Reporter&) {
                    signal(SIGTERM, SIG_IGN);
                    if (fork() == 0) {
                      setsid();
                    }
                    meeting.Attend();
                    return 0;
                  })
                  .ok());
  ASSERT_TRUE(meeting.Await(2));
  const std::vector<int> pidfds = OpenPidfdsInSandboxes();
  EXPECT_EQ(pidfds.size(), 2U);
  EXPECT_EQ(Told((*executor)->WaitAny().result), "timed out");
  EXPECT_TRUE(AllEnd(pidfds));
}

TEST(Timeout, NamesTheProcessesOfTheSandbox) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  const Meeting meeting;
  const absl::StatusOr<Executor::Id> id = (*executor)->Start([&](Reporter&) {
    prctl(PR_SET_NAME, "test");
    if (fork() == 0) {
      prctl(PR_SET_NAME, "child");
    }
    meeting.Attend();
    return 0;
  });
  ASSERT_TRUE(id.ok()) << Told(id.status());
  ASSERT_TRUE(meeting.Await(2));
  (*executor)->Terminate(*id);
  const absl::StatusOr<Result> result = (*executor)->WaitAny().result;
  EXPECT_EQ(Told(result), "timed out");
  ASSERT_EQ(result->processes.size(), 2U);
  EXPECT_EQ(result->processes[0].id, 2);
  EXPECT_EQ(result->processes[0].parent, 0);
  EXPECT_EQ(result->processes[1].parent, 2);
  EXPECT_NE(result->processes[1].command, "");
  const char* const names[] = {"test", "child"};
  for (int i = 0; i < 2; ++i) {
    // A sanitizer may have a thread of its own.
    const Thread& thread = result->processes[i].threads.at(0);
    EXPECT_EQ(thread.id, result->processes[i].id);
    EXPECT_EQ(thread.name, names[i]);
    EXPECT_NE(thread.state, '?');
  }
}

TEST(Timeout, BeginsAnewWhereTheFunctionSaysSo) {
  Options options;
  options.timeout = absl::Hours(1);
  options.grace = absl::InfiniteDuration();
  const absl::StatusOr<Result> shorter = isolate::Run(options, [](Reporter& reporter) {
    return reporter.SetTimeLimit(absl::Milliseconds(1)).ok() ? pause() : 1;
  });
  EXPECT_EQ(Told(shorter), "timed out");
  options.timeout = absl::Milliseconds(500);
  const absl::StatusOr<Result> longer = isolate::Run(options, [](Reporter& reporter) {
    if (!reporter.SetTimeLimit(absl::InfiniteDuration()).ok()) {
      return 1;
    }
    // Longer than the limit that no longer holds.
    const absl::Time end = absl::Now() + absl::Milliseconds(1500);
    while (absl::Now() < end) {
    }
    return 0;
  });
  EXPECT_EQ(Told(longer), "returned 0");
}

TEST(Timeout, IsNotForWhatEndsInTime) {
  Options options;
  options.timeout = absl::Hours(1);
  EXPECT_EQ(Told(isolate::Run(options, [](Reporter&) { return 0; })), "returned 0");
}

// --- resource use ------------------------------------------------------------------

TEST(Usage, CountsTheProcessorsTime) {
  const absl::StatusOr<Result> busy = isolate::Run({}, [](Reporter&) {
    rusage now = {};
    do {
      getrusage(RUSAGE_SELF, &now);
    } while (absl::DurationFromTimeval(now.ru_utime) + absl::DurationFromTimeval(now.ru_stime) <
             absl::Milliseconds(50));
    return 0;
  });
  ASSERT_TRUE(busy.ok());
  EXPECT_GE(busy->usage.user + busy->usage.system, absl::Milliseconds(50));
  EXPECT_GT(busy->usage.wall, absl::ZeroDuration());
}

TEST(Usage, KnowsThePeakOfTheMemory) {
  constexpr size_t kSize = size_t{64} << 20;
  const auto peak = [](size_t size) {
    return isolate::Run({},
                        [=](Reporter&) {
                          std::string memory(size, 'x');
                          return memory[size / 2] == 'x' ? 0 : 1;
                        })
        ->usage.peak_memory_bytes;
  };
  const int64_t little = peak(1);
  EXPECT_GT(little, 0);
  EXPECT_GE(peak(kSize), little + static_cast<int64_t>(kSize) / 2);
}

TEST(Usage, CountsDescendantsThatWereWaitedFor) {
  const absl::StatusOr<Result> result =
      RunCommand({}, {"sh", "-c", "(i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done); true"});
  ASSERT_TRUE(result.ok());
  EXPECT_GT(result->usage.user + result->usage.system, absl::ZeroDuration());
}

}  // namespace
}  // namespace isolate
