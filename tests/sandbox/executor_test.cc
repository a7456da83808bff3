// Several at once, in any order; cancelling; what a forked copy of an executor
// does not do.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

class ExecutorWithReady : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, GetParam());
    ASSERT_TRUE(executor.ok()) << Told(executor.status());
    executor_ = *std::move(executor);
  }

  Executor::Id Start(Executor::Function function) {
    const absl::StatusOr<Executor::Id> id = executor_->Start(function);
    EXPECT_TRUE(id.ok()) << Told(id.status());
    return id.value_or(0);
  }

  std::unique_ptr<Executor> executor_;
};

TEST_P(ExecutorWithReady, RunsFourAtOnceAndGivesThemAsTheyEnd) {
  // The last to start is the first to end.
  std::vector<std::unique_ptr<Meeting>> meetings;
  std::vector<Executor::Id> ids;
  for (int i = 0; i < 4; ++i) {
    meetings.push_back(std::make_unique<Meeting>());
    ids.push_back(Start([&, i](Reporter&) {
      meetings.back()->Attend();
      return i;
    }));
  }
  EXPECT_EQ(executor_->running(), 4U);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(meetings[static_cast<size_t>(i)]->Await(1));
  }
  for (size_t i = 4; i > 0; --i) {
    meetings[i - 1]->Dismiss(1);
    const Executor::Finished finished = executor_->WaitAny();
    EXPECT_EQ(finished.id, ids[i - 1]);
    EXPECT_EQ(Told(finished.result), absl::StrCat("returned ", i - 1));
    EXPECT_EQ(executor_->running(), i - 1);
  }
}

TEST_P(ExecutorWithReady, RunsManyOneAfterAnother) {
  std::set<ino_t> networks;
  for (int i = 0; i < 50; ++i) {
    const Executor::Id id = Start(
        [&](Reporter& reporter) { return reporter.Send(MakeFile("/tmp/same")).ok() ? i : -1; });
    const Executor::Finished finished = executor_->WaitAny();
    EXPECT_EQ(finished.id, id);
    ASSERT_EQ(Told(finished.result), absl::StrCat("returned ", i));
    networks.insert(finished.result->namespaces.net);
  }
  // Inode numbers may come again, but not all the time.
  EXPECT_GT(networks.size(), 1U);
}

TEST_P(ExecutorWithReady, MixesFunctionsAndCommands) {
  std::map<Executor::Id, std::string> told;
  std::map<Executor::Id, std::string> expected;
  for (int i = 0; i < 8; ++i) {
    const absl::StatusOr<Executor::Id> command =
        executor_->StartCommand({"sh", "-c", absl::StrCat("exit ", i)});
    ASSERT_TRUE(command.ok());
    expected[*command] = absl::StrCat("exited with ", i);
    expected[Start([i](Reporter&) { return i; })] = absl::StrCat("returned ", i);
  }
  while (executor_->running() > 0) {
    const Executor::Finished finished = executor_->WaitAny();
    told[finished.id] = Told(finished.result);
  }
  EXPECT_EQ(told, expected);
}

TEST_P(ExecutorWithReady, GoesOnAfterAFailure) {
  ASSERT_TRUE(executor_->StartCommand({"/no-such-program-of-isolate"}).ok());
  EXPECT_EQ(Told(executor_->WaitAny().result), "execute the command: ENOENT");
  Start([](Reporter&) -> int { abort(); });
  EXPECT_EQ(Told(executor_->WaitAny().result), "died of SIGABRT");
  Start([](Reporter&) { return 3; });
  EXPECT_EQ(Told(executor_->WaitAny().result), "returned 3");
}

TEST_P(ExecutorWithReady, CancelKillsOneAndNotTheOthers) {
  const Meeting meeting;
  const auto wait = [&](Reporter&) {
    meeting.Attend();
    return 1;
  };
  const Executor::Id first = Start(wait);
  const Executor::Id second = Start(wait);
  ASSERT_TRUE(meeting.Await(2));
  executor_->Cancel(first);
  executor_->Cancel(first);  // nothing
  executor_->Cancel(12345);  // nothing
  EXPECT_EQ(executor_->running(), 1U);
  meeting.Dismiss(1);
  const Executor::Finished finished = executor_->WaitAny();
  EXPECT_EQ(finished.id, second);
  EXPECT_EQ(Told(finished.result), "returned 1");
}

TEST_P(ExecutorWithReady, EndsWhatRunsWhenDestroyed) {
  const Meeting meeting;
  for (int i = 0; i < 3; ++i) {
    Start([&](Reporter&) {
      if (fork() == 0) {
        setsid();
      }
      meeting.Attend();
      return 0;
    });
  }
  ASSERT_TRUE(meeting.Await(6));
  std::vector<int> pidfds;
  for (const pid_t pid : Descendants(getpid())) {
    pidfds.push_back(OpenPidfd(pid));
  }
  EXPECT_GE(pidfds.size(), 10U);  // three inits, and the helper
  executor_.reset();
  EXPECT_TRUE(AllEnd(pidfds));
}

TEST_P(ExecutorWithReady, HasNothingToWaitForWhereNothingRuns) {
  EXPECT_TRUE(absl::IsFailedPrecondition(executor_->WaitAny().result.status()));
}

TEST_P(ExecutorWithReady, WaitsNoLongerThanItIsTold) {
  Meeting meeting;
  const Executor::Id id = Start([&](Reporter&) {
    meeting.Attend();
    return 7;
  });
  ASSERT_TRUE(meeting.Await(1));
  for (const absl::Duration limit : {absl::ZeroDuration(), absl::Milliseconds(1)}) {
    EXPECT_TRUE(absl::IsDeadlineExceeded(executor_->WaitAny(limit).result.status()));
    EXPECT_EQ(executor_->running(), 1U);
  }
  meeting.Dismiss(1);
  const Executor::Finished finished = executor_->WaitAny(absl::Hours(1));
  EXPECT_EQ(finished.id, id);
  EXPECT_EQ(Told(finished.result), "returned 7");
}

TEST_P(ExecutorWithReady, RefusesACommandWithANulByte) {
  const absl::Status status = executor_->StartCommand({"true", std::string("a\0b", 3)}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(executor_->running(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Ready, ExecutorWithReady, testing::Values(0, 1, 4),
                         [](const auto& ready) { return absl::StrCat("MadeAhead", ready.param); });

TEST(ExecutorCreate, RefusesANegativeNumber) {
  const absl::Status status = Executor::Create({}, -1).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST(ExecutorCreate, MakesAsManyAheadAsAreWanted) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 40);
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  ASSERT_TRUE((*executor)->Start([](Reporter&) { return 3; }).ok());
  EXPECT_EQ(Told((*executor)->WaitAny().result), "returned 3");
}

// Nobody reads what it writes while the caller is elsewhere.
std::string HostName() {
  char name[65] = "";
  gethostname(name, sizeof(name));
  return name;
}

TEST(Kinds, RunSideBySide) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  Options other;
  other.hostname = "other";
  const absl::StatusOr<Executor::Kind> kind = (*executor)->AddKind(other);
  ASSERT_TRUE(kind.ok()) << Told(kind.status());
  std::map<Executor::Id, std::string> expected;
  for (int i = 0; i < 3; ++i) {
    const auto tell = [](Reporter&) { return printf("%s", HostName().c_str()) < 0 ? 1 : 0; };
    const absl::StatusOr<Executor::Id> usual = (*executor)->Start(tell);
    const absl::StatusOr<Executor::Id> unusual = (*executor)->Start(tell, *kind);
    ASSERT_TRUE(usual.ok() && unusual.ok());
    expected[*usual] = "isolate";
    expected[*unusual] = "other";
  }
  while ((*executor)->running() > 0) {
    const Executor::Finished finished = (*executor)->WaitAny();
    ASSERT_TRUE(finished.result.ok()) << Told(finished.result);
    EXPECT_EQ(finished.result->out, expected[finished.id]);
  }
}

TEST(Kinds, AreRefusedWhereTheyAreWrong) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  Options wrong;
  wrong.hostname = "";
  EXPECT_TRUE(absl::IsInvalidArgument((*executor)->AddKind(wrong).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      (*executor)->Start([](Reporter&) { return 0; }, Executor::kDefaultKind + 1).status()));
  EXPECT_EQ((*executor)->running(), 0U);
}

TEST(Timeout, StandsStillWhileNobodyWaits) {
  Options options;
  options.timeout = absl::Seconds(2);
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options, 1);
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  ASSERT_TRUE((*executor)
                  ->Start([](Reporter&) {
                    const std::string much(500'000, 'x');
                    fputs(much.c_str(), stdout);
                    return 3;
                  })
                  .ok());
  const absl::Time late = absl::Now() + absl::Milliseconds(2100);
  ASSERT_TRUE(Eventually([&] { return absl::Now() > late; }));
  EXPECT_EQ(Told((*executor)->WaitAny().result), "returned 3");
}

// --- copies of an executor -----------------------------------------------------

// Gives what becomes of a waiting function of `executor`, after `disturb`.
std::string OutcomeAfter(Executor& executor, absl::FunctionRef<void()> disturb) {
  const Meeting meeting;
  if (!executor
           .Start([&](Reporter&) {
             meeting.Attend();
             return 3;
           })
           .ok() ||
      !meeting.Await(1)) {
    return "not started";
  }
  disturb();
  meeting.Dismiss(1);
  return Told(executor.WaitAny().result);
}

// As a program may have it, and exit destroys.
std::unique_ptr<Executor>& StaticExecutor() {
  static std::unique_ptr<Executor> executor = *Executor::Create({});
  return executor;
}

TEST(CopiedExecutor, IsNotDisturbedByAFunctionOfItsOwnThatExits) {
  EXPECT_EQ(InCaller([] {
              return OutcomeAfter(*StaticExecutor(), [] {
                const absl::StatusOr<Executor::Id> id =
                    StaticExecutor()->Start([](Reporter&) -> int { exit(0); });
                EXPECT_TRUE(id.ok());
                EXPECT_EQ(StaticExecutor()->WaitAny().id, *id);
              });
            }),
            "returned 3");
}

TEST(CopiedExecutor, IsNotDisturbedByAFunctionOfAnothersThatExits) {
  EXPECT_EQ(InCaller([] {
              return OutcomeAfter(*StaticExecutor(), [] {
                (void)isolate::Run({}, [](Reporter&) -> int { exit(0); });
              });
            }),
            "returned 3");
}

TEST(CopiedExecutor, IsNotDisturbedByAForkOfTheCallerThatExits) {
  EXPECT_EQ(InCaller([] {
              return OutcomeAfter(*StaticExecutor(), [] {
                const pid_t child = fork();
                if (child == 0) {
                  exit(0);
                }
                waitpid(child, nullptr, 0);
              });
            }),
            "returned 3");
}

TEST(CopiedExecutor, IsNotDisturbedByAForkOfTheCallersFork) {
  EXPECT_EQ(InCaller([] {
              return OutcomeAfter(*StaticExecutor(), [] {
                const pid_t child = fork();
                if (child == 0) {
                  StaticExecutor().reset();
                  _exit(0);
                }
                waitpid(child, nullptr, 0);
              });
            }),
            "returned 3");
}

TEST(TwoExecutors, RunSideBySide) {
  absl::StatusOr<std::unique_ptr<Executor>> first = Executor::Create({});
  absl::StatusOr<std::unique_ptr<Executor>> second = Executor::Create({});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(OutcomeAfter(**first, [&] { EXPECT_EQ(OutcomeAfter(**second, [] {}), "returned 3"); }),
            "returned 3");
}

TEST(TwoExecutors, MayBeUsedByTwoThreads) {
#ifdef ABSL_HAVE_THREAD_SANITIZER
  // gcc 12's does not take the lock of its depot of stacks before a fork (libsanitizer's
  // sanitizer_stackdepot.cpp), so another thread may hold it in the fork for ever.
  GTEST_SKIP() << "ThreadSanitizer may hang in a fork while another thread allocates";
#endif
  EXPECT_EQ(InCaller([] {
              std::string told[2];
              std::vector<std::thread> threads;
              for (std::string& mine : told) {
                threads.emplace_back([&mine] {
                  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
                  for (int i = 0; i < 100 && mine.empty(); ++i) {
                    (void)(*executor)->Start([](Reporter&) -> int { _exit(4); });
                    const std::string now = Told((*executor)->WaitAny().result);
                    mine = now == "exited with 4" ? "" : now;
                  }
                });
              }
              for (std::thread& thread : threads) {
                thread.join();
              }
              return told[0] + told[1];
            }),
            "");
}

TEST(TwoExecutors, MayBeDestroyedWhileTheOtherRuns) {
  EXPECT_EQ(InCaller([] {
              absl::StatusOr<std::unique_ptr<Executor>> first = Executor::Create({});
              absl::StatusOr<std::unique_ptr<Executor>> second = Executor::Create({});
              return OutcomeAfter(**second, [&] { first->reset(); });
            }),
            "returned 3");
}

TEST(TwoExecutors, GiveEachOthersFunctionsNoDescriptors) {
  EXPECT_EQ(InCaller([] {
              const auto count = [] { return absl::StrCat(Traces::Take().descriptors.size()); };
              const std::string alone = Inside({}, count);
              const absl::StatusOr<std::unique_ptr<Executor>> other = Executor::Create({});
              return absl::StrCat(other.ok(), " ", Inside({}, count) == alone);
            }),
            "1 1");
}

TEST(Executor, MayBeDestroyedWhileAForkOfTheCallerLives) {
  EXPECT_EQ(InCaller([] {
              absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
              const Meeting meeting;
              const pid_t child = fork();
              if (child == 0) {
                meeting.Attend();
                _exit(0);
              }
              meeting.Await(1);
              executor->reset();
              meeting.Dismiss(1);
              return Called(waitpid(child, nullptr, 0));
            }),
            "OK");
}

TEST(Executor, MayBeCreatedAndDestroyedUnused) {
  for (const int ready : {0, 1, 4}) {
    EXPECT_EQ(Told(Executor::Create({}, ready).status()), "OK");
  }
}

}  // namespace
}  // namespace isolate
