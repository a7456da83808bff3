// Callers in an unusual state: what is inherited, and what must not matter.

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

// What `look` sees in a sandbox of a caller that did `prepare`, as against
// what it sees outside; "same" if there is no difference.
std::string CompareAfter(absl::FunctionRef<void()> prepare, absl::FunctionRef<std::string()> look) {
  return InCaller([&] {
    prepare();
    const std::string outside = look();
    const std::string inside = Inside({}, look);
    return inside == outside ? "same" : absl::StrCat(inside, " as against ", outside);
  });
}

// --- inherited -----------------------------------------------------------------

std::string Signals() {
  std::string seen;
  for (const char* line : {"SigBlk", "SigIgn", "SigCgt", "ShdPnd"}) {
    absl::StrAppend(&seen, line, "=", StatusLine(line), " ");
  }
  return seen;
}

TEST(Inherited, AreTheSignalMaskAndTheDispositions) {
  EXPECT_EQ(CompareAfter(
                [] {
                  sigset_t some;
                  sigemptyset(&some);
                  sigaddset(&some, SIGUSR1);
                  sigaddset(&some, SIGRTMIN + 3);
                  sigprocmask(SIG_BLOCK, &some, nullptr);
                  signal(SIGPIPE, SIG_IGN);
                  signal(SIGHUP, SIG_IGN);
                  signal(SIGUSR2, [](int) {});
                },
                Signals),
            "same");
}

TEST(Inherited, IsAnEmptySignalMask) {
  EXPECT_EQ(CompareAfter(
                [] {
                  sigset_t none;
                  sigemptyset(&none);
                  sigprocmask(SIG_SETMASK, &none, nullptr);
                },
                Signals),
            "same");
}

TEST(Inherited, IsTheUmask) {
  EXPECT_EQ(CompareAfter([] { umask(0137); }, [] { return StatusLine("Umask"); }), "same");
}

TEST(Inherited, AreTheLimits) {
  const auto look = [] {
    std::string seen;
    for (int resource = 0; resource < 16; ++resource) {
      rlimit limit = {};
      getrlimit(static_cast<__rlimit_resource>(resource), &limit);
      absl::StrAppend(&seen, limit.rlim_cur, "/", limit.rlim_max, " ");
    }
    return seen;
  };
  EXPECT_EQ(CompareAfter(
                [] {
                  const rlimit files = {200, 300};
                  setrlimit(RLIMIT_NOFILE, &files);
                  const rlimit core = {0, 0};
                  setrlimit(RLIMIT_CORE, &core);
                },
                look),
            "same");
}

TEST(Inherited, AreThePriorityAndTheName) {
  EXPECT_EQ(CompareAfter(
                [] {
                  setpriority(PRIO_PROCESS, 0, 15);
                  prctl(PR_SET_NAME, "of-the-caller", 0, 0, 0);
                },
                [] {
                  return absl::StrCat(getpriority(PRIO_PROCESS, 0), NameOf(getpid()),
                                      StatusLine("Cpus_allowed"));
                }),
            "same");
}

TEST(Inherited, IsTheEnvironmentButForScratch) {
  EXPECT_EQ(CompareAfter([] { setenv("ISOLATE_SOME", "thing", 1); },
                         [] { return std::string(getenv("ISOLATE_SOME")) + getenv("PATH"); }),
            "same");
}

TEST(Inherited, AreDescriptorsOfTheCallersOwn) {
  EXPECT_EQ(InCaller([]() -> std::string {
              int own[2];
              if (pipe(own) != 0) {
                return Called(-1);
              }
              return Inside({}, [&] {
                return absl::StrCat(Called(fcntl(own[0], F_GETFD)), " ",
                                    Called(fcntl(own[1], F_GETFD)));
              });
            }),
            "OK OK");
}

TEST(Inherited, AreNoDescriptorsOfTheMachinery) {
  // But for the report and the output, which the Reporter writes to, and those with which it looks
  // at the others in the end.
  EXPECT_EQ(InCaller([] {
              CloseInherited();
              const rlimit limit = {500, 500};
              setrlimit(RLIMIT_NOFILE, &limit);
              return Inside({}, [] {
                std::string seen;
                for (const auto& [number, target] : Traces::Take().descriptors) {
                  if (number > STDERR_FILENO && number < 900) {
                    absl::StrAppend(&seen, number, target.substr(0, target.find(':')), " ");
                  }
                }
                return seen;
              });
            }),
            "495pipe 496pipe 497/proc/2/fd 498/proc/2/fd 499/proc/2/fd ");
}

// glibc's sched_getcpu reads what the kernel writes into a registered area.
TEST(Inherited, IsTheRestartableSequence) {
  EXPECT_EQ(Inside({},
                   [] {
                     for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
                       cpu_set_t one;
                       CPU_ZERO(&one);
                       CPU_SET(cpu, &one);
                       if (sched_setaffinity(0, sizeof(one), &one) == 0 && sched_getcpu() != cpu) {
                         return absl::StrCat(sched_getcpu(), " on ", cpu);
                       }
                     }
                     return std::string("right");
                   }),
            "right");
}

// --- not in the way ----------------------------------------------------------------

TEST(Caller, MayHaveThreadsThatAllocate) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  // gcc 12's allocator takes none of its locks before a fork (libsanitizer's
  // sanitizer_allocator_primary64.h), so another thread may hold one in the fork for ever.
  GTEST_SKIP() << "AddressSanitizer may hang in a fork while another thread allocates";
#endif
  EXPECT_EQ(InCaller([]() -> std::string {
              std::atomic<bool> done{false};
              std::vector<std::thread> threads;
              for (int i = 0; i < 3; ++i) {
                threads.emplace_back([&] {
                  while (!done) {
                    const std::string memory(1000, 'x');
                    fprintf(stderr, "%s", memory.substr(1000).c_str());
                    setlocale(LC_ALL, nullptr);
                  }
                });
              }
              std::string told;
              for (int i = 0; i < 40 && told.empty(); ++i) {
                const std::string now = Inside({}, [] { return std::string(5000, 'y'); });
                told = now == std::string(5000, 'y') ? "" : now;
              }
              done = true;
              for (std::thread& thread : threads) {
                thread.join();
              }
              return told;
            }),
            "");
}

TEST(Caller, MayUseItInAThreadThatEnds) {
  EXPECT_EQ(InCaller([] {
              absl::StatusOr<std::unique_ptr<Executor>> executor = absl::UnknownError("");
              std::thread([&] {
                executor = Executor::Create({});
                (void)(*executor)->Start([](Reporter&) { return 3; });
              }).join();
              // The thread that forked the helper and the function is gone.
              std::string told = Told((*executor)->WaitAny().result);
              (void)(*executor)->Start([](Reporter&) { return 4; });
              return told + ", " + Told((*executor)->WaitAny().result);
            }),
            "returned 3, returned 4");
}

TEST(Caller, MayIgnoreTheEndOfItsChildren) {
  EXPECT_EQ(InCaller([]() -> std::string {
              signal(SIGCHLD, SIG_IGN);
              for (int i = 0; i < 40; ++i) {
                if (const std::string told = Told(isolate::Run({}, [](Reporter&) { return 3; }));
                    told != "returned 3") {
                  return absl::StrCat(i, ": ", told);
                }
              }
              // The kernel keeps no exit status for it.
              return Told(isolate::Run({}, [](Reporter&) -> int { _exit(3); }));
            }),
            Describe(Outcome::kLost, 0));
}

TEST(Caller, MayWaitForAnyChildInAHandler) {
  EXPECT_EQ(InCaller([]() -> std::string {
              signal(SIGCHLD, [](int) {
                const int error = errno;
                while (waitpid(-1, nullptr, WNOHANG) > 0) {
                }
                errno = error;
              });
              for (int i = 0; i < 40; ++i) {
                if (const std::string told = Told(isolate::Run({}, [](Reporter&) { return 3; }));
                    told != "returned 3") {
                  return absl::StrCat(i, ": ", told);
                }
              }
              return "";
            }),
            "");
}

TEST(Caller, KeepsItsOwnChildren) {
  EXPECT_EQ(InCaller([] {
              const pid_t child = fork();
              if (child == 0) {
                _exit(7);
              }
              (void)isolate::Run({}, [](Reporter&) { return 0; });
              int status = 0;
              const pid_t waited = wait(&status);
              return absl::StrCat(waited == child, " ", WEXITSTATUS(status), " ",
                                  Called(wait(nullptr)));
            }),
            "1 7 ECHILD");
}

// A thread that waits for input holds a lock of stdio's for ever.
TEST(Caller, MayHaveAThreadThatWaitsForInput) {
  EXPECT_EQ(InCaller([]() -> std::string {
              int ends[2];
              if (pipe(ends) != 0) {
                return Called(-1);
              }
              FILE* input = fdopen(ends[0], "r");
              std::thread([&] { fgetc(input); }).detach();
              const bool waits = Eventually([&] {
                const bool free = ftrylockfile(input) == 0;
                if (free) {
                  funlockfile(input);
                }
                return !free;
              });
              std::string told = absl::StrCat(waits, " ", Inside({}, [] { return "seen"; }));
              close(ends[1]);  // lets the thread go
              return told;
            }),
            "1 seen");
}

TEST(Caller, MayHaveOutputInItsBuffers) {
  EXPECT_EQ(InCaller([]() -> std::string {
              std::string told;
              std::ios::sync_with_stdio(false);
              for (std::ostream* stream : {&std::cout, &std::clog}) {
                *stream << "unwritten ";
                const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) { return 0; });
                absl::StrAppend(&told, Told(result), "<", result->out, result->err, "> ");
              }
              return told;
            }),
            "returned 0<> returned 0<> ");
}

// In the process that joins the sandbox such a handler must not unwind the caller's
// frames.
TEST(Caller, MayHaveAnAtForkHandlerThatThrows) {
  EXPECT_EQ(InCaller([]() -> std::string {
              pthread_atfork(
                  nullptr, [] { throw std::runtime_error("in the handler"); }, nullptr);
              std::string told;
              try {
                const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
                told = Told((*executor)->Start([](Reporter&) { return 0; }).status());
              } catch (const std::runtime_error&) {
                return "unwound";
              }
              return told;
            }),
            "start the process that joins the sandbox: ESRCH");
}

TEST(Caller, MayGetSignalsAllTheTime) {
  EXPECT_EQ(InCaller([]() -> std::string {
              signal(SIGALRM, [](int) {});
              const itimerval often = {{0, 300}, {0, 300}};
              setitimer(ITIMER_REAL, &often, nullptr);
              for (int i = 0; i < 50; ++i) {
                const std::string told = Inside({}, [] { return "seen"; });
                if (told != "seen") {
                  return told;
                }
              }
              return "";
            }),
            "");
}

class ClosedStreams : public testing::TestWithParam<int> {};

TEST_P(ClosedStreams, DoNotMatter) {
  EXPECT_EQ(InCaller([] {
              std::string told;
              for (int fd = 0; fd < 3; ++fd) {
                if ((GetParam() & (1 << fd)) != 0) {
                  close(fd);
                }
              }
              const absl::StatusOr<Result> function = isolate::Run({}, [](Reporter& reporter) {
                printf("out");
                fprintf(stderr, "err");
                return reporter.Send("message").ok() ? 5 : 6;
              });
              if (!function.ok()) {
                return Told(function);
              }
              const absl::StatusOr<Result> command =
                  RunCommand({}, {"sh", "-c", "readlink /proc/self/fd/0; echo out; echo err >&2"});
              return absl::StrCat(Told(function), " ", function->out, " ", function->err, " ",
                                  function->messages.at(0).payload, "\n", Told(command), " ",
                                  command->out, command->err);
            }),
            "returned 5 out err message\nexited with 0 /dev/null\nout\nerr\n");
}

INSTANTIATE_TEST_SUITE_P(Sets, ClosedStreams, testing::Range(1, 8), [](const auto& set) {
  return absl::StrCat((set.param & 1) != 0 ? "In" : "", (set.param & 2) != 0 ? "Out" : "",
                      (set.param & 4) != 0 ? "Err" : "");
});

TEST(Caller, MayBeASubreaperAndStaysOne) {
  EXPECT_EQ(InCaller([] {
              prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
              const std::string told = Told(isolate::Run({}, [](Reporter&) { return 3; }));
              int subreaper = 0;
              prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
              return absl::StrCat(told, " ", subreaper);
            }),
            "returned 3 1");
}

TEST(Caller, MayHaveAGreatHeap) {
  const std::string heap(256 << 20, 'x');
  EXPECT_EQ(Inside({}, [&] { return std::string(1, heap[heap.size() / 2]); }), "x");
}

}  // namespace
}  // namespace isolate
