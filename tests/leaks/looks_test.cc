// When and where it is looked for leaks, and what stands in the way.

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <memory>
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
#include "isolate/isolate.h"
#include "isolate/leak.h"

namespace isolate {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

void Touch(const std::string& path) {
  close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

int OpenSomething() { return open("/etc/passwd", O_RDONLY | O_CLOEXEC); }

// "files: /tmp/x" of each, with "@1" behind it where the stretch is known.
std::vector<std::string> Told(const absl::StatusOr<Result>& result) {
  std::vector<std::string> told;
  if (!result.ok()) {
    return {result.status().ToString()};
  }
  for (const Leak& leak : result->leaks) {
    told.push_back(absl::StrCat(NameOf(leak.kind), ": ", leak.name,
                                leak.stretch.has_value() ? absl::StrCat("@", *leak.stretch) : ""));
  }
  return told;
}

std::vector<std::string> ToldOf(const Options& options, const std::function<int(Reporter&)>& run) {
  return Told(isolate::Run(options, [&](Reporter& reporter) { return run(reporter); }));
}

pid_t ChildThatWaits() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) {
      pause();
    }
  }
  return child;
}

// --- kinds -------------------------------------------------------------------------

TEST(LeakKinds, ThatAreNotWantedAreNotLookedFor) {
  const auto leave_two = [](Reporter&) {
    Touch("/tmp/file");
    OpenSomething();
    return 0;
  };
  Options options;
  options.leaks = {};
  EXPECT_THAT(ToldOf(options, leave_two), IsEmpty());
  options.leaks[static_cast<size_t>(LeakKind::kFile)] = true;
  EXPECT_THAT(ToldOf(options, leave_two), ElementsAre("files: /tmp/file"));
  options.leaks = AllLeakKinds();
  EXPECT_THAT(ToldOf(options, leave_two), ElementsAre("fds: /etc/passwd@0", "files: /tmp/file"));
}

TEST(LeakKinds, HaveNamesThatLeadBack) {
  for (const LeakKind kind : kLeakKinds) {
    EXPECT_EQ(LeakKindNamed(NameOf(kind)), kind);
  }
  EXPECT_EQ(LeakKindNamed("port"), absl::nullopt);
}

// --- stretches ---------------------------------------------------------------------

TEST(Stretches, SayWhenWhatIsLeftAppeared) {
  EXPECT_THAT(ToldOf({},
                     [](Reporter& reporter) {
                       OpenSomething();
                       reporter.NextStretch();
                       Touch("/tmp/one");
                       reporter.NextStretch();
                       ChildThatWaits();
                       return 0;
                     }),
              ElementsAre(StartsWith("processes: "), "fds: /etc/passwd@0", "files: /tmp/one@1"));
}

TEST(Stretches, ForgetWhatWasMendedInBetween) {
  EXPECT_THAT(ToldOf({},
                     [](Reporter& reporter) {
                       Touch("/tmp/file");
                       umask(0123);
                       reporter.NextStretch();
                       unlink("/tmp/file");
                       umask(022);
                       reporter.NextStretch();
                       Touch("/tmp/file");
                       umask(0123);
                       return 0;
                     }),
              ElementsAre("files: /tmp/file@2", "state: umask@2"));
}

TEST(Stretches, AreKnownOfDaemonsToo) {
  const std::vector<std::string> told = ToldOf({}, [](Reporter& reporter) {
    const pid_t child = fork();
    if (child == 0) {
      ChildThatWaits();
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    reporter.NextStretch();
    reporter.NextStretch();
    return 0;
  });
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0], ::testing::EndsWith("@0"));
}

TEST(Stretches, AreKnownOfPortsOfChildrenToo) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    int ends[2];
    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (fork() == 0) {
      const int listening = socket(AF_UNIX, SOCK_STREAM, 0);
      sockaddr_un address = {AF_UNIX, "/tmp/socket"};
      (void)bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
      listen(listening, 1);
      (void)!write(ends[1], "x", 1);
      for (;;) {
        pause();
      }
    }
    char byte;
    (void)!read(ends[0], &byte, 1);
    close(ends[0]);
    close(ends[1]);
    reporter.NextStretch();
    return 0;
  });
  EXPECT_THAT(Told(result), ElementsAre("ports: unix /tmp/socket@0", StartsWith("processes: "),
                                        "files: /tmp/socket@0"));
  ASSERT_TRUE(result.ok() && !result->leaks.empty());
  EXPECT_THAT(result->leaks[0].detail, HasSubstr(" of process "));
}

TEST(Stretches, OfMoreThanIsToldAreRightAllTheSame) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter& reporter) {
    for (int i = 0; i < 1500; ++i) {
      Touch(absl::StrCat("/tmp/old", i));
    }
    reporter.NextStretch();
    for (int i = 0; i < 1000; ++i) {
      unlink(absl::StrCat("/tmp/old", i).c_str());
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Told(result), SizeIs(500));
  EXPECT_THAT(Told(result), Each(::testing::EndsWith("@0")));
}

TEST(Stretches, LeaveARequestToBeToldOfMessagesAlone) {
  EXPECT_THAT(ToldOf({},
                     [](Reporter& reporter) {
                       signal(SIGUSR1, SIG_IGN);
                       sigset_t signals;
                       sigemptyset(&signals);
                       sigaddset(&signals, SIGUSR2);
                       sigprocmask(SIG_BLOCK, &signals, nullptr);
                       const mqd_t queue = mq_open("/queue", O_CREAT | O_RDWR, 0600, nullptr);
                       sigevent event = {};
                       event.sigev_notify = SIGEV_SIGNAL;
                       event.sigev_signo = SIGUSR2;
                       const bool asked = mq_notify(queue, &event) == 0;
                       reporter.NextStretch();
                       mq_send(queue, "x", 1, 0);
                       const timespec limit = {10, 0};
                       const bool told = sigtimedwait(&signals, nullptr, &limit) == SIGUSR2;
                       return asked && told ? 0 : 1;
                     }),
              // In which stretch, an ordinary user's process sees only where /dev/mqueue is.
              Contains(StartsWith("posix: mq /queue")));
}

// --- what is in the way ------------------------------------------------------------

TEST(Looks, FindTheDescriptorsOfAProcessThatHasUsedUpAll) {
  const std::vector<std::string> told = ToldOf({}, [](Reporter&) {
    while (OpenSomething() >= 0) {
    }
    return errno == EMFILE ? 0 : 1;
  });
  EXPECT_THAT(told, Contains("fds: /etc/passwd@0").Times(::testing::Gt(10)));
  EXPECT_THAT(told, Each(StartsWith("fds: ")));
}

TEST(Looks, FindDescriptorsHoweverFarApartTheyLie) {
  EXPECT_THAT(ToldOf({},
                     [](Reporter&) {
                       const int low = OpenSomething();
                       return fcntl(low, F_DUPFD_CLOEXEC, 100) >= 100 &&
                                      fcntl(low, F_DUPFD_CLOEXEC, 500) >= 500
                                  ? 0
                                  : 1;
                     }),
              ElementsAre("fds: /etc/passwd@0", "fds: /etc/passwd@0", "fds: /etc/passwd@0"));
}

TEST(Looks, TellNothingWrongOfAProcessThatHasClosedAll) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) {
    syscall(SYS_close_range, 3, ~0U, 0);
    Touch("/tmp/file");
    return 0;
  });
  EXPECT_THAT(Told(result), ElementsAre("files: /tmp/file"));
}

TEST(Looks, TellOfManyHowManyThereAre) {
  const absl::StatusOr<Result> result = isolate::Run({}, [](Reporter&) {
    for (int i = 0; i < 1500; ++i) {
      Touch(absl::StrCat("/tmp/file", i));
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->leaks, SizeIs(1001));
  EXPECT_EQ(result->leaks.front().name, "(and more)");
  EXPECT_EQ(result->leaks.front().count, 500);
}

TEST(Looks, ShowControlCharactersAsWhatTheyAre) {
  EXPECT_THAT(ToldOf({},
                     [](Reporter&) {
                       Touch("/tmp/a\n[  FAILED  ] b");
                       return 0;
                     }),
              ElementsAre("files: /tmp/a\\n[  FAILED  ] b"));
}

TEST(Looks, AreNotKeptBackByWhoTracesTheProcess) {
  Options options;
  options.timeout = absl::Milliseconds(200);
  options.grace = absl::ZeroDuration();
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) {
    if (fork() == 0) {
      ptrace(PTRACE_SEIZE, getppid(), nullptr, nullptr);
      for (;;) {
        pause();
      }
    }
    for (;;) {
      pause();
    }
    return 0;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->outcome, Outcome::kTimedOut);
}

TEST(Looks, BeginWhereTheFunctionSaysSo) {
  Options options;
  options.leaks_from_start = false;
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter& reporter) {
    OpenSomething();
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, nullptr, &timer);
    Touch("/tmp/before");  // a file is one all the same
    reporter.BeginLeakCheck();
    fcntl(OpenSomething(), F_DUPFD_CLOEXEC, 100);
    return 0;
  });
  EXPECT_THAT(Told(result), UnorderedElementsAre("files: /tmp/before", "fds: /etc/passwd@0",
                                                 "fds: /etc/passwd@0"));
}

// --- when the process is gone ------------------------------------------------------

// What the function's process could not know when it said that nothing is left.
TEST(NothingLeft, IsNotSaidOfWhatComesWithTheEnd) {
  const absl::StatusOr<Result> clean = isolate::Run({}, [](Reporter&) { return 0; });
  EXPECT_THAT(Told(clean), IsEmpty());
  // A child that has ended and was waited for is nobody; a daemon is somebody.
  const absl::StatusOr<Result> daemon = isolate::Run({}, [](Reporter&) {
    const pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) {
        Touch("/tmp/of_the_daemon");
        for (;;) {
          pause();
        }
      }
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    while (access("/tmp/of_the_daemon", F_OK) != 0) {
      sched_yield();
    }
    unlink("/tmp/of_the_daemon");
    return 0;
  });
  EXPECT_THAT(Told(daemon), ElementsAre(StartsWith("processes: ")));
  // Nobody but the runner can see it where there is no /dev/mqueue.
  const absl::StatusOr<Result> queue = isolate::Run({}, [](Reporter&) {
    mq_attr attributes = {};
    attributes.mq_maxmsg = 1;
    attributes.mq_msgsize = 1;
    return mq_close(mq_open("/left", O_CREAT | O_RDWR, 0600, &attributes));
  });
  EXPECT_THAT(Told(queue), ElementsAre("posix: mq /left"));
}

// Then it sees no more what the init sees.
TEST(NothingLeft, IsNotSaidByAProcessThatHasExchangedItsNamespaces) {
  const absl::StatusOr<Result> segment = isolate::Run({}, [](Reporter&) {
    const bool is_there = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0;
    const bool unshared = unshare(CLONE_NEWIPC) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWIPC) == 0;
    return is_there && unshared ? 0 : 1;
  });
  EXPECT_THAT(Told(segment), Contains(StartsWith("sysv: shm")));
  const absl::StatusOr<Result> file = isolate::Run({}, [](Reporter&) {
    Touch("/tmp/left");
    const bool unshared = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    return unshared && mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) == 0 ? 0 : 1;
  });
  EXPECT_THAT(Told(file), Contains("files: /tmp/left"));
}

TEST(PostMortem, IsThereAfterACrash) {
  EXPECT_THAT(ToldOf({},
                     [](Reporter&) -> int {
                       Touch("/tmp/file");
                       (void)shmget(0x1234, 1, IPC_CREAT | 0600);
                       OpenSomething();
                       abort();
                     }),
              ElementsAre("sysv: shm 0x1234", "files: /tmp/file"));
}

// A connection that the server closes first, without SO_REUSEADDR.
void LeaveTimeWait(uint16_t port, int option) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  const int on = 1;
  if (option != 0) {
    setsockopt(server, SOL_SOCKET, option, &on, sizeof(on));
  }
  EXPECT_EQ(bind(server, any, sizeof(address)), 0);
  EXPECT_EQ(listen(server, 1), 0);
  EXPECT_EQ(connect(client, any, sizeof(address)), 0);
  close(accept(server, nullptr, nullptr));
  close(client);
  close(server);
}

TEST(PostMortem, FindsPortsThatTheKernelHoldsOnTo) {
  EXPECT_THAT(ToldOf({},
                     [](Reporter&) -> int {
                       LeaveTimeWait(8090, 0);
                       abort();
                     }),
              ElementsAre("time_wait: tcp 127.0.0.1:8090"));
  EXPECT_THAT(ToldOf({},
                     [](Reporter&) -> int {
                       LeaveTimeWait(8090, SO_REUSEADDR);
                       _exit(1);
                     }),
              IsEmpty());
}

TEST(PostMortem, IsThereForACommand) {
  EXPECT_THAT(Told(isolate::RunCommand({}, {"sh", "-c", "echo > /tmp/file; sleep 1000 & exit 0"})),
              ElementsAre(StartsWith("processes: "), "files: /tmp/file"));
}

TEST(PostMortem, IsThereForASandboxThatIsKept) {
  Options options;
  options.keep_failed = true;
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options);
  ASSERT_TRUE(executor.ok()) << executor.status();
  ASSERT_TRUE((*executor)
                  ->Start([](Reporter&) {
                    Touch("/tmp/file");
                    return 1;
                  })
                  .ok());
  const Executor::Finished finished = (*executor)->WaitAny();
  EXPECT_NE(finished.sandbox, nullptr);
  EXPECT_THAT(Told(finished.result), ElementsAre("files: /tmp/file"));
}

TEST(PostMortem, IsThereForACopyOfTheCallersFiles) {
  const std::string folder = ::testing::TempDir() + "of_caller";
  mkdir(folder.c_str(), 0700);
  Touch(folder + "/old");
  Options options;
  options.copy_private_folders = true;
  EXPECT_THAT(ToldOf(options,
                     [&](Reporter& reporter) {
                       reporter.NextStretch();
                       Touch(folder + "/new");
                       unlink((folder + "/old").c_str());
                       return 0;
                     }),
              ElementsAre(absl::StrCat("files: ", folder, "/new")));
  unlink((folder + "/old").c_str());
  rmdir(folder.c_str());
}

// --- of what is shared with the caller, nothing ------------------------------------

TEST(SharedWithTheCaller, NoFiles) {
  const std::string path = ::testing::TempDir() + "shared";
  Options options;
  options.mount_namespace = false;
  options.pid_namespace = false;
  EXPECT_THAT(ToldOf(options,
                     [&](Reporter&) {
                       Touch(path);
                       return 0;
                     }),
              IsEmpty());
  unlink(path.c_str());
}

TEST(SharedWithTheCaller, NoIpcObjects) {
  Options options;
  options.ipc_namespace = false;
  int id = -1;
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter& reporter) {
    const int segment = shmget(IPC_PRIVATE, 1, 0600);
    return reporter.Send(absl::StrCat(segment)).ok() ? 0 : 1;
  });
  EXPECT_THAT(Told(result), IsEmpty());
  ASSERT_TRUE(result.ok() && result->messages.size() == 1);
  id = atoi(result->messages[0].payload.c_str());
  EXPECT_EQ(shmctl(id, IPC_RMID, nullptr), 0);
}

TEST(SharedWithTheCaller, NoProcessesButChildren) {
  Options options;
  options.pid_namespace = false;
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter& reporter) {
    const pid_t child = ChildThatWaits();
    return reporter.Send(absl::StrCat(child)).ok() ? 0 : 1;
  });
  EXPECT_THAT(Told(result), SizeIs(1));
  ASSERT_TRUE(result.ok() && result->messages.size() == 1);
  kill(atoi(result->messages[0].payload.c_str()), SIGKILL);
}

}  // namespace
}  // namespace isolate
