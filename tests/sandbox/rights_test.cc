// Who the function is: the caller, in numbers and in permission checks.
//
// Each claim is held by the process that runs the test, with a user namespace
// where that is needed and with one where it is not, and, where the test is run
// by root, by an ordinary user too.

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

struct Who {
  const char* name;
  bool ordinary;
  UserNamespace user_namespace;
};

class Rights : public testing::TestWithParam<Who> {
 protected:
  void SetUp() override {
    if (GetParam().ordinary && !CanBecomeOrdinaryUser()) {
      GTEST_SKIP() << "this process cannot become another user's";
    }
  }

  // What `look` sees in a sandbox of this caller's.
  static std::string SeenInside(absl::FunctionRef<std::string()> look) {
    return InCaller([&] {
      Become();
      return Inside(TheOptions(), look);
    });
  }

  static std::string SeenOutside(absl::FunctionRef<std::string()> look) {
    return InCaller([&] {
      Become();
      return look();
    });
  }

  static void Become() {
    if (GetParam().ordinary) {
      BecomeOrdinaryUser();
    }
  }

  static Options TheOptions() {
    Options options;
    options.user_namespace = GetParam().user_namespace;
    return options;
  }
};

std::string Ids() {
  uid_t uid[3];
  gid_t gid[3];
  getresuid(&uid[0], &uid[1], &uid[2]);
  getresgid(&gid[0], &gid[1], &gid[2]);
  return absl::StrCat(absl::StrJoin(uid, " "), ", ", absl::StrJoin(gid, " "));
}

TEST_P(Rights, HaveTheCallersIds) { EXPECT_EQ(SeenInside(Ids), SeenOutside(Ids)); }

std::string Capabilities() {
  std::string all;
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    absl::StrAppend(&all, set, "=", StatusLine(set), " ");
  }
  return all;
}

TEST_P(Rights, HaveTheCallersCapabilitiesAndNoMore) {
  EXPECT_EQ(SeenInside(Capabilities), SeenOutside(Capabilities));
}

TEST_P(Rights, HaveTheCallersSecurebits) {
  const auto look = [] { return absl::StrCat(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0)); };
  const auto with_some = [](absl::FunctionRef<std::string()> rest) {
    return InCaller([&] {
      prctl(PR_SET_SECUREBITS, 5, 0, 0, 0);  // without rights they stay
      Become();
      return rest();
    });
  };
  EXPECT_EQ(with_some([&] { return Inside(TheOptions(), look); }), with_some(look));
}

TEST_P(Rights, HaveNoMoreThanACallerThatDroppedSome) {
  const auto drop = [](absl::FunctionRef<std::string()> rest) {
    return InCaller([&] {
      prctl(PR_CAPBSET_DROP, 13, 0, 0, 0);  // CAP_NET_RAW; without rights it stays
      Become();
      return rest();
    });
  };
  EXPECT_EQ(drop([] { return Inside(TheOptions(), Capabilities); }), drop(Capabilities));
}

TEST_P(Rights, AreTheSameForWhatIsExecuted) {
  const auto in_a_command = [] {
    Become();
    return RunCommand(TheOptions(),
                      {"grep", "^Cap\\|^Uid\\|^Gid\\|^NoNewPrivs", "/proc/self/status"})
        ->out;
  };
  const auto outside = [] {
    Become();
    Options nothing;
    nothing.pid_namespace = nothing.ipc_namespace = nothing.uts_namespace =
        nothing.mount_namespace = false;
    nothing.network = Network::kHost;
    return RunCommand(nothing, {"grep", "^Cap\\|^Uid\\|^Gid\\|^NoNewPrivs", "/proc/self/status"})
        ->out;
  };
  EXPECT_EQ(InCaller(in_a_command), InCaller(outside));
}

TEST_P(Rights, AreCheckedAsOutside) {
  const auto look = [] {
    std::string seen;
    for (const char* path : {"/etc/shadow", "/root", "/proc/1/environ", "/etc/passwd"}) {
      absl::StrAppend(&seen, path, " ", Called(access(path, R_OK)), " ", Called(access(path, W_OK)),
                      "; ");
    }
    return seen;
  };
  // The sandbox's pid 1 is the caller's own, and dumpable or not.
  const auto without_proc = [&] {
    std::string seen = look();
    return seen.erase(seen.find("/proc"), seen.find("/etc/passwd") - seen.find("/proc"));
  };
  EXPECT_EQ(SeenInside(without_proc), SeenOutside(without_proc));
}

TEST_P(Rights, MeetTheirOwnFilesPermissions) {
  const auto look = [] {
    const Folder folder("/dev/shm");
    const std::string file = folder.path() + "/file";
    MakeFile(file);
    std::string seen;
    for (const mode_t mode : {0000, 0400, 0200}) {
      chmod(file.c_str(), mode);
      absl::StrAppend(&seen, Called(open(file.c_str(), O_RDONLY | O_CLOEXEC)), " ",
                      Called(open(file.c_str(), O_WRONLY | O_CLOEXEC)), "; ");
    }
    chmod(folder.path().c_str(), 0000);
    absl::StrAppend(&seen, Called(access(file.c_str(), F_OK)));
    chmod(folder.path().c_str(), 0700);
    return seen;
  };
  EXPECT_EQ(SeenInside(look), SeenOutside(look));
}

TEST_P(Rights, MakeFilesOfTheCallersInKeptFolders) {
  const Folder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 01777), 0);
  const std::string owner = InCaller([&] {
    Become();
    Options options = TheOptions();
    options.writable_paths = {folder.path()};
    const auto owner_of = [&] {
      struct stat now = {};
      stat((folder.path() + "/file").c_str(), &now);
      return absl::StrCat(now.st_uid, " ", now.st_gid);
    };
    const std::string inside = Inside(options, [&] {
      MakeFile(folder.path() + "/file");
      return owner_of();
    });
    return absl::StrCat(inside == owner_of(), ", ",
                        owner_of() == absl::StrCat(geteuid(), " ", getegid()));
  });
  EXPECT_EQ(owner, "1, 1");
}

TEST_P(Rights, MakeFilesOfTheirOwnInPrivateFolders) {
  EXPECT_EQ(SeenInside([] {
              struct stat now = {};
              MakeFile("/tmp/file");
              stat("/tmp/file", &now);
              return absl::StrCat(now.st_uid == geteuid(), now.st_gid == getegid());
            }),
            "11");
}

TEST_P(Rights, IncludeTheirOwnProcFiles) {
  EXPECT_EQ(SeenInside([] {
              return absl::StrCat(Called(open("/proc/self/mem", O_RDWR | O_CLOEXEC)), " ",
                                  Called(open("/proc/self/maps", O_RDONLY | O_CLOEXEC)), " ",
                                  Called(open("/proc/self/environ", O_RDONLY | O_CLOEXEC)), " ",
                                  Called(open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC)), " ",
                                  Exists("/proc/self/exe"), " ",
                                  prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
            }),
            "OK OK OK OK 1 1");
}

TEST_P(Rights, DoNotIncludeMountingWhereTheyDoNotOutside) {
  const auto look = [] { return Called(unshare(CLONE_NEWNS)); };
  EXPECT_EQ(SeenInside(look), SeenOutside(look));
}

TEST_P(Rights, LetTheFunctionMakeAUserNamespaceAsOutside) {
  const auto look = [] { return absl::StrCat(EnterOwnNamespaces()); };
  EXPECT_EQ(SeenInside(look), SeenOutside(look));
}

TEST_P(Rights, LetTheFunctionChangeItsIdsAsOutside) {
  const auto look = [] { return absl::StrCat(CanBecomeOrdinaryUser()); };
  EXPECT_EQ(SeenInside(look), SeenOutside(look));
}

TEST_P(Rights, KeepNoNewPrivileges) {
  const auto look = [] { return StatusLine("NoNewPrivs"); };
  EXPECT_EQ(SeenInside(look), SeenOutside(look));
}

TEST_P(Rights, KeepTheGroups) {
  // Those of an ordinary user are not mapped, and shown as nobody's; access by
  // them is the kernel's business and stays.
  const auto count = [] { return absl::StrCat(getgroups(0, nullptr)); };
  EXPECT_EQ(SeenInside(count), SeenOutside(count));
}

TEST_P(Rights, LetSetuidProgramsStart) {
  const auto look = [] {
    const pid_t child = fork();
    if (child == 0) {
      execlp("su", "su", "--version", static_cast<char*>(nullptr));
      _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return absl::StrCat(WEXITSTATUS(status));
  };
  EXPECT_EQ(SeenInside(look), SeenOutside(look));
}

INSTANTIATE_TEST_SUITE_P(Of, Rights,
                         testing::Values(Who{"TheCaller", false, UserNamespace::kIfNeeded},
                                         Who{"TheCallerInAUserNamespace", false,
                                             UserNamespace::kAlways},
                                         Who{"AnOrdinaryUser", true, UserNamespace::kIfNeeded}),
                         [](const auto& who) { return std::string(who.param.name); });

}  // namespace
}  // namespace isolate
