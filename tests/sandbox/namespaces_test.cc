// Each kind of namespace on, off and by default, and what Result says of it.

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

struct Kind {
  const char* name;
  ino_t Namespaces::*number;
  bool by_default;
  void (*turn)(bool on, Options& options);
};

constexpr Kind kKinds[] = {
    {"pid", &Namespaces::pid, true, [](bool on, Options& options) { options.pid_namespace = on; }},
    {"net", &Namespaces::net, true,
     [](bool on, Options& options) { options.network = on ? Network::kLoopback : Network::kHost; }},
    {"ipc", &Namespaces::ipc, true, [](bool on, Options& options) { options.ipc_namespace = on; }},
    {"uts", &Namespaces::uts, true, [](bool on, Options& options) { options.uts_namespace = on; }},
    {"mnt", &Namespaces::mnt, true,
     [](bool on, Options& options) {
       options.mount_namespace = on;
       options.pid_namespace = on;  // which needs it
     }},
    {"cgroup", &Namespaces::cgroup, false,
     [](bool on, Options& options) { options.cgroup_namespace = on; }},
};

class NamespaceKind : public testing::TestWithParam<Kind> {
 protected:
  // Checks what is seen inside and what Result says; true if it is a fresh one.
  bool IsFresh(const Options& options) {
    const Kind& kind = GetParam();
    const absl::StatusOr<Result> result =
        ResultInside(options, [&] { return absl::StrCat(Inode(kind.name)); });
    if (!result.ok() || result->messages.size() != 1) {
      ADD_FAILURE() << Told(result);
      return false;
    }
    EXPECT_EQ(result->messages[0].payload, absl::StrCat(result->namespaces.*kind.number));
    return result->namespaces.*kind.number != OwnNamespaces().*kind.number;
  }
};

TEST_P(NamespaceKind, IsFreshWhereOn) {
  Options options;
  GetParam().turn(true, options);
  EXPECT_TRUE(IsFresh(options));
}

TEST_P(NamespaceKind, IsTheCallersWhereOff) {
  Options options;
  GetParam().turn(false, options);
  EXPECT_FALSE(IsFresh(options));
}

TEST_P(NamespaceKind, IsByDefaultAsDocumented) {
  EXPECT_EQ(IsFresh(Options()), GetParam().by_default);
}

INSTANTIATE_TEST_SUITE_P(Kinds, NamespaceKind, testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(kind.param.name); });

Options Nothing() {
  Options options;
  options.pid_namespace = false;
  options.network = Network::kHost;
  options.ipc_namespace = false;
  options.uts_namespace = false;
  options.mount_namespace = false;
  return options;
}

TEST(Namespaces, MayAllBeOff) {
  EXPECT_EQ(Inside(Nothing(),
                   [] {
                     const Namespaces seen = OwnNamespaces();
                     return absl::StrCat(seen.pid, seen.net, seen.ipc, seen.uts, seen.mnt,
                                         seen.user, seen.cgroup);
                   }),
            [] {
              const Namespaces own = OwnNamespaces();
              return absl::StrCat(own.pid, own.net, own.ipc, own.uts, own.mnt, own.user,
                                  own.cgroup);
            }());
}

TEST(Namespaces, MayEachBeTheOnlyOne) {
  for (const Kind& kind : kKinds) {
    if (std::string(kind.name) == "pid") {
      continue;  // it needs mnt
    }
    SCOPED_TRACE(kind.name);
    Options options = Nothing();
    kind.turn(true, options);
    EXPECT_NE(Inside(options, [&] { return absl::StrCat(Inode(kind.name)); }),
              absl::StrCat(Inode(kind.name)));
  }
}

TEST(Namespaces, AreNotSharedByTwoSandboxes) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 2);
  ASSERT_TRUE(executor.ok());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE((*executor)->Start([](Reporter&) { return 0; }).ok());
  }
  const absl::StatusOr<Result> a = (*executor)->WaitAny().result;
  const absl::StatusOr<Result> b = (*executor)->WaitAny().result;
  ASSERT_TRUE(a.ok() && b.ok());
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    if (kind.by_default) {
      EXPECT_NE(a->namespaces.*kind.number, b->namespaces.*kind.number);
    }
  }
}

TEST(Namespaces, AreNotToldWhereNobodyWantsToKnow) {
  Options options;
  options.tell_namespaces = false;
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) { return 0; });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->namespaces.pid, 0);
  EXPECT_EQ(result->namespaces.net, 0);
}

TEST(UserNamespaceOption, MakesOneWhereNeededAndNotElse) {
  const bool fresh =
      Inside({}, [] { return absl::StrCat(Inode("user")); }) != absl::StrCat(Inode("user"));
  EXPECT_EQ(fresh, !MayCreateNamespaces());
}

TEST(UserNamespaceOption, MakesOneWhereAlways) {
  Options options;
  options.user_namespace = UserNamespace::kAlways;
  const absl::StatusOr<Result> result =
      ResultInside(options, [] { return absl::StrCat(Inode("user")); });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_NE(result->namespaces.user, Inode("user"));
  EXPECT_EQ(result->messages.at(0).payload, absl::StrCat(result->namespaces.user));
}

TEST(UserNamespaceOption, MakesOneWhereAlwaysAndNothingElse) {
  Options options;
  options.user_namespace = UserNamespace::kAlways;
  options.pid_namespace = false;
  options.network = Network::kHost;
  options.ipc_namespace = false;
  options.uts_namespace = false;
  options.mount_namespace = false;
  EXPECT_NE(Inside(options, [] { return absl::StrCat(Inode("user")); }),
            absl::StrCat(Inode("user")));
}

TEST(UserNamespaceOption, RefusesWhereNeverAndNeeded) {
  Options options;
  options.user_namespace = UserNamespace::kNever;
  EXPECT_EQ(Told(isolate::Run(options, [](Reporter&) { return 0; })),
            MayCreateNamespaces() ? "returned 0" : "create the sandbox's namespaces: EPERM");
}

// --- ipc ---------------------------------------------------------------------

// What there is outside under a key of this process's, while this lives.
class SystemVObjects {
 public:
  SystemVObjects()
      : key_(0x15000000 + getpid()),
        shm_(shmget(key_, 4096, IPC_CREAT | IPC_EXCL | 0600)),
        sem_(semget(key_, 1, IPC_CREAT | IPC_EXCL | 0600)),
        msg_(msgget(key_, IPC_CREAT | IPC_EXCL | 0600)) {}
  ~SystemVObjects() {
    shmctl(shm_, IPC_RMID, nullptr);
    semctl(sem_, 0, IPC_RMID);
    msgctl(msg_, IPC_RMID, nullptr);
  }
  SystemVObjects(const SystemVObjects&) = delete;
  SystemVObjects& operator=(const SystemVObjects&) = delete;
  std::string Look() const {
    return absl::StrCat(Called(shmget(key_, 0, 0)), " ", Called(semget(key_, 0, 0)), " ",
                        Called(msgget(key_, 0)));
  }

 private:
  const key_t key_;
  const int shm_, sem_, msg_;
};

TEST(Ipc, HidesTheCallersSystemVObjects) {
  const SystemVObjects objects;
  ASSERT_EQ(objects.Look(), "OK OK OK");
  EXPECT_EQ(Inside({}, [&] { return objects.Look(); }), "ENOENT ENOENT ENOENT");
}

TEST(Ipc, SharesTheCallersSystemVObjectsWhereOff) {
  const SystemVObjects objects;
  Options options;
  options.ipc_namespace = false;
  EXPECT_EQ(Inside(options, [&] { return objects.Look(); }), "OK OK OK");
}

TEST(Ipc, IsEmptyAtFirstAndKeepsNothing) {
  Options options;
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Inside(options,
                     [] { return Called(shmget(0x15001500, 4096, IPC_CREAT | IPC_EXCL | 0600)); }),
              "OK");
  }
}

std::string LookForQueue(const std::string& name) {
  const mqd_t queue = mq_open(name.c_str(), O_RDONLY | O_CLOEXEC);
  const std::string seen = Called(queue);
  if (queue >= 0) {
    mq_close(queue);
  }
  return seen;
}

TEST(Ipc, HidesTheCallersMessageQueuesUnlessOff) {
  const std::string name = absl::StrCat("/isolate-", getpid());
  const mqd_t queue = mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, nullptr);
  ASSERT_GE(queue, 0) << strerror(errno);
  EXPECT_EQ(Inside({}, [&] { return LookForQueue(name); }), "ENOENT");
  Options options;
  options.ipc_namespace = false;
  EXPECT_EQ(Inside(options, [&] { return LookForQueue(name); }), "OK");
  mq_close(queue);
  mq_unlink(name.c_str());
}

TEST(Ipc, ShowsItsOwnMessageQueuesInDevMqueue) {
  if (!Exists("/dev/mqueue")) {
    GTEST_SKIP() << "this host has no /dev/mqueue to mount one on";
  }
  EXPECT_EQ(Inside({},
                   [] {
                     mq_open("/seen", O_CREAT | O_RDWR, 0600, nullptr);
                     return List("/dev/mqueue");
                   }),
            "seen");
}

// --- uts ---------------------------------------------------------------------

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof(name) - 1);
  return name;
}

std::string Resolve(const std::string& name) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found); error != 0) {
    return gai_strerror(error);
  }
  char address[NI_MAXHOST] = {};
  getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), nullptr, 0,
              NI_NUMERICHOST);
  freeaddrinfo(found);
  return address;
}

TEST(HostNameOption, IsIsolateByDefault) { EXPECT_EQ(Inside({}, HostName), "isolate"); }

TEST(HostNameOption, IsTheCallersChoice) {
  Options options;
  options.hostname = "node-1.example";
  EXPECT_EQ(Inside(options, HostName), "node-1.example");
}

TEST(HostNameOption, IsTheCallersNameWhereOff) {
  Options options;
  options.uts_namespace = false;
  EXPECT_EQ(Inside(options, HostName), HostName());
}

TEST(HostNameOption, LeavesTheNameOutsideAlone) {
  const std::string before = HostName();
  Inside({}, HostName);
  EXPECT_EQ(HostName(), before);
}

TEST(HostNameOption, MayBeSixtyFourCharacters) {
  Options options;
  options.hostname = std::string(64, 'x');
  EXPECT_EQ(Inside(options, HostName), options.hostname);
}

TEST(HostNameOption, ResolvesToLoopback) {
  Options options;
  options.hostname = "node-1";
  EXPECT_EQ(Inside(options, [] { return Resolve(HostName()); }), "127.0.0.1");
}

TEST(HostNameOption, LetsLocalhostResolve) {
  EXPECT_EQ(Inside({}, [] { return Resolve("localhost"); }), "127.0.0.1");
}

TEST(HostNameOption, KeepsWhatTheHostsFileSaysOutside) {
  const std::string outside = ReadFile("/etc/hosts");
  EXPECT_THAT(Inside({}, [] { return ReadFile("/etc/hosts"); }), testing::HasSubstr(outside));
  EXPECT_EQ(ReadFile("/etc/hosts"), outside);
}

TEST(HostNameOption, LeavesTheHostsFileWhereOff) {
  Options options;
  options.uts_namespace = false;
  EXPECT_EQ(Inside(options, [] { return Identity("/etc/hosts"); }), Identity("/etc/hosts"));
}

// --- cgroup ------------------------------------------------------------------

TEST(CgroupNamespace, ShowsTheCallersCgroupAsRoot) {
  Options options;
  options.cgroup_namespace = true;
  const std::string seen = Inside(options, [] { return ReadFile("/proc/self/cgroup"); });
  EXPECT_THAT(seen, ::testing::HasSubstr(":/\n"));
  for (absl::string_view line : absl::StrSplit(seen, '\n', absl::SkipEmpty())) {
    EXPECT_TRUE(absl::EndsWith(line, ":/")) << line;
  }
}

// --- time --------------------------------------------------------------------

absl::Time Clock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return absl::TimeFromTimespec(now);
}

class TimeOffset
    : public testing::TestWithParam<std::pair<const char*, absl::optional<absl::Duration>>> {
 protected:
  void SetUp() override {
    if (GetParam().second.has_value() && !kCanJoinTimeNamespaces) {
      GTEST_SKIP() << "under ThreadSanitizer no time namespace can be joined";
    }
  }
};

TEST_P(TimeOffset, HasANamespaceOfItsOwnWhereItIsSet) {
  Options options;
  options.time_offset = GetParam().second;
  const absl::StatusOr<Result> result =
      ResultInside(options, [] { return absl::StrCat(Inode("time")); });
  ASSERT_TRUE(result.ok()) << Told(result);
  EXPECT_EQ(result->messages.at(0).payload, absl::StrCat(result->namespaces.time));
  EXPECT_EQ(result->namespaces.time != Inode("time"), options.time_offset.has_value());
}

TEST_P(TimeOffset, ShiftsTheClocksThatCountFromBoot) {
  Options options;
  options.time_offset = GetParam().second;
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME}) {
    const absl::Time before = Clock(clock);
    const std::string said =
        Inside(options, [&] { return absl::StrCat(absl::ToUnixNanos(Clock(clock))); });
    const absl::Time after = Clock(clock);
    int64_t nanoseconds = 0;
    ASSERT_TRUE(absl::SimpleAtoi(said, &nanoseconds)) << said;
    const absl::Time inside =
        absl::FromUnixNanos(nanoseconds) - options.time_offset.value_or(absl::ZeroDuration());
    EXPECT_LE(before, inside);
    EXPECT_LE(inside, after);
  }
}

INSTANTIATE_TEST_SUITE_P(Offsets, TimeOffset,
                         testing::Values(std::make_pair("None", absl::nullopt),
                                         std::make_pair("Zero", absl::ZeroDuration()),
                                         std::make_pair("ADay", absl::Hours(24)),
                                         std::make_pair("AMillisecond", absl::Milliseconds(1)),
                                         std::make_pair("LessThanNothing",
                                                        absl::Milliseconds(-1500))),
                         [](const auto& offset) { return std::string(offset.param.first); });

TEST(TimeNamespace, IsTheCallersByDefault) {
  EXPECT_EQ(Inside({}, [] { return absl::StrCat(Inode("time")); }), absl::StrCat(Inode("time")));
}

TEST(TimeNamespace, LeavesTheWallClockAlone) {
  if (!kCanJoinTimeNamespaces) {
    GTEST_SKIP() << "under ThreadSanitizer no time namespace can be joined";
  }
  Options options;
  options.time_offset = absl::Hours(24);
  const std::string said =
      Inside(options, [] { return absl::StrCat(absl::ToUnixSeconds(Clock(CLOCK_REALTIME))); });
  int64_t seconds = 0;
  ASSERT_TRUE(absl::SimpleAtoi(said, &seconds)) << said;
  EXPECT_LT(seconds, absl::ToUnixSeconds(Clock(CLOCK_REALTIME)) + 60);
}

TEST(TimeNamespace, IsAnErrorWhereAClockWouldBeNegative) {
  Options options;
  options.time_offset = absl::Hours(-24 * 365 * 100);
  EXPECT_EQ(Told(isolate::Run(options, [](Reporter&) { return 0; })),
            "create a time namespace: ERANGE");
}

}  // namespace
}  // namespace isolate
