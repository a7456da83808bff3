// A function that damages its report: an error value, never a crash or a hang.

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

using ::testing::HasSubstr;

// The pipes above stderr that a function finds: its report is among them.
std::vector<int> Pipes() {
  std::vector<int> pipes;
  for (int fd = 3; fd < 1024; ++fd) {
    struct stat now;
    if (fstat(fd, &now) == 0 && S_ISFIFO(now.st_mode) &&
        (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
      pipes.push_back(fd);
    }
  }
  return pipes;
}

void WriteToAll(const std::string& bytes) {
  for (const int pipe : Pipes()) {
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t size = write(pipe, bytes.data() + done, bytes.size() - done);
      if (size <= 0) {
        break;
      }
      done += static_cast<size_t>(size);
    }
  }
}

std::string Frame(char tag, uint32_t size, const std::string& payload) {
  std::string frame(1, tag);
  for (int i = 0; i < 4; ++i) {
    frame.push_back(static_cast<char>(size >> (8 * i)));
  }
  return frame + payload;
}

struct Damage {
  const char* name;
  std::string bytes;
  const char* told;
};

class Damaged : public testing::TestWithParam<Damage> {};

TEST_P(Damaged, IsAnErrorOfTheReport) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    (void)reporter.Send("before");
    WriteToAll(GetParam().bytes);
    return 0;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_THAT(result->report_error, HasSubstr(GetParam().told));
  EXPECT_FALSE(result->ok());
  EXPECT_EQ(result->messages.at(0).payload, "before");
}

INSTANTIATE_TEST_SUITE_P(
    Reports, Damaged,
    testing::Values(Damage{"ByGarbage", std::string(1000, '\x7f'), "unknown tag 127"},
                    Damage{"ByZeroes", std::string(1000, '\0'), "unknown tag 0"},
                    Damage{"ByAHugeFrame", Frame(3, 0xffffffff, "x"), "announces 4294967295"},
                    Damage{"ByAFrameJustTooLarge", Frame(3, (16 << 20) + 1, "x"), "announces"},
                    Damage{"ByHalfAFrame", Frame(3, 1000, "half"), "within a frame"},
                    Damage{"ByHalfAHeader", std::string("\3\1", 2), "damaged"},
                    Damage{"ByASecondHello", Frame(1, 4, std::string("\1\0\0\0", 4)),
                           "second hello"},
                    Damage{"ByAnEndTooEarly", Frame(4, 4, std::string("\0\0\0\0", 4)),
                           "follows its last frame"},
                    Damage{"ByAnEndWithoutACode", Frame(4, 0, ""), "end cannot be read"},
                    Damage{"BySetUpNonsense", Frame(2, 3, "abc"), "set-up failure"}),
    [](const auto& damage) { return std::string(damage.param.name); });

TEST(Hostile, EndlessMessagesAreRefusedAndTheEndIsStillTold) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    const std::string message(Reporter::kMaxMessageSize, 'x');
    int sent = 0;
    while (reporter.Send(message).ok()) {
      ++sent;
    }
    return absl::IsResourceExhausted(reporter.Send(message)) ? sent : -1;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_EQ(Told(result), "returned 12");
  EXPECT_EQ(result->messages.size(), 12U);
}

TEST(Hostile, EndlessSmallMessagesAreRefusedAndTheEndIsStillTold) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    uint32_t sent = 0;
    while (reporter.Send("").ok()) {
      ++sent;
    }
    return sent == Reporter::kMaxMessages ? 1 : 2;
  });
  EXPECT_EQ(Told(result), "returned 1");
}

// A sibling of the function's process is a child of the caller, who knows nothing
// of it.
TEST(Hostile, MakingAChildOfTheCallerHoldsNothingUp) {
  EXPECT_EQ(InCaller([] {
              const Traces before = Traces::Take();
              std::string told;
              for (const bool ends : {true, false}) {
                absl::StrAppend(
                    &told,
                    Told(isolate::Run({},
                                      [&](Reporter&) {
                                        if (syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0) == 0) {
                                          if (!ends) {
                                            pause();
                                          }
                                          _exit(0);
                                        }
                                        return 0;
                                      })),
                    ", left ", Left(before), "; ");
              }
              return told;
            }),
            "returned 0, left nothing; returned 0, left nothing; ");
}

TEST(Hostile, HalfAFrameAndACrashIsBothTold) {
  EXPECT_EQ(Told(isolate::Run({},
                              [](Reporter&) {
                                WriteToAll(Frame(3, 1000, "half"));
                                return kill(getpid(), SIGKILL);
                              })),
            "died of SIGKILL, the report is damaged: it ends within a frame");
}

TEST(Hostile, GrandchildThatKeepsWritingIsEnded) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) {
    const Meeting meeting;
    if (fork() == 0) {
      signal(SIGPIPE, SIG_IGN);
      meeting.Attend();
      for (;;) {
        WriteToAll(std::string(65536, '\x7f'));
      }
    }
    const bool there = meeting.Await(1);
    meeting.Dismiss(1);
    return there ? 0 : 1;
  });
  ASSERT_TRUE(result.ok()) << Told(result);
}

TEST(Hostile, ClosingEveryDescriptorIsAnOutcome) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) {
    for (int fd = 0; fd < 1024; ++fd) {
      close(fd);
    }
    return 5;
  });
  // The report did not get out, the exit code did.
  EXPECT_EQ(Told(result), "exited with 5");
}

// What it opens at the numbers that were the report's is its own.
TEST(Hostile, ReusingEveryDescriptorSpoilsNoFile) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    const int file = open("/tmp/file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd) {
      if (fd != file) {
        dup2(file, fd);
      }
    }
    if (!absl::IsUnavailable(reporter.Send("lost"))) {
      return 1;
    }
    struct stat now;
    fstat(file, &now);
    printf("%d bytes", static_cast<int>(now.st_size));
    return 5;
  });
  EXPECT_EQ(Told(result), "exited with 5");
  EXPECT_EQ(result->out, "0 bytes");
}

// Its process may have the same pid.
TEST(Hostile, SandboxInASandboxDoesNotSpeakForTheOuterOne) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& outer) {
    const std::string inner = Inside({}, [&] {
      return absl::StrCat(getpid(), " ", absl::IsFailedPrecondition(outer.Send("forged")));
    });
    return outer.Send(inner).ok() ? 0 : 1;
  });
  ASSERT_EQ(Told(result), "returned 0");
  ASSERT_EQ(result->messages.size(), 1U);
  EXPECT_EQ(result->messages[0].payload, "2 1");
}

TEST(Hostile, AThreadThatWaitsForInputDoesNotHoldTheEndUp) {
  EXPECT_EQ(Told(isolate::Run({},
                              [](Reporter&) {
                                FILE* input = popen("sleep 1000", "r");
                                std::thread([=] { fgetc(input); }).detach();
                                return Eventually([&] {
                                  const bool free = ftrylockfile(input) == 0;
                                  if (free) {
                                    funlockfile(input);
                                  }
                                  return !free;
                                })
                                           ? 0
                                           : 1;
                              })),
            "returned 0");
}

TEST(Hostile, KillingAllThatItMayIsAnOutcome) {
  Options options;
  options.user_namespace = UserNamespace::kAlways;
  EXPECT_EQ(Told(isolate::Run(options, [](Reporter&) { return kill(-1, SIGKILL) == 0 ? 1 : 2; })),
            "returned 2");
}

TEST(Hostile, StoppingAndContinuingItselfIsNoEnd) {
  EXPECT_EQ(
      Told(isolate::Run({},
                        [](Reporter&) {
                          const pid_t self = getpid();
                          const Meeting meeting;
                          if (fork() == 0) {
                            Eventually([&] {
                              return ReadFile(absl::StrCat("/proc/", self, "/stat")).find(" T ") !=
                                     std::string::npos;
                            });
                            kill(self, SIGCONT);
                            _exit(0);
                          }
                          raise(SIGSTOP);
                          return 4;
                        })),
      "returned 4");
}

TEST(Hostile, DescriptorHandedOutOfTheSandboxDoesNotHoldTheRunUp) {
  // Somebody outside keeps the function's stdout open for ever.
  EXPECT_EQ(InCaller([]() -> std::string {
              const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
              const Meeting meeting;
              if (!executor.ok() || !(*executor)
                                         ->Start([&](Reporter&) {
                                           meeting.Attend();
                                           return write(STDOUT_FILENO, "x", 1) == 1 ? 0 : 1;
                                         })
                                         .ok()) {
                return "not started";
              }
              meeting.Await(1);
              int kept = -1;
              for (const pid_t pid : Descendants(getpid())) {
                if (NameOf(pid).rfind("isolate-", 0) != 0) {
                  kept = open(absl::StrCat("/proc/", pid, "/fd/1").c_str(), O_WRONLY | O_CLOEXEC);
                }
              }
              meeting.Dismiss(1);
              const absl::StatusOr<Result> result = (*executor)->WaitAny().result;
              return absl::StrCat(kept >= 0, " ", Told(result), " ", result->out);
            }),
            "1 returned 0 x");
}

}  // namespace
}  // namespace isolate
