// Where the host refuses sandboxes, no test is judged.

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// As docker's default profile does: no namespaces by clone or unshare, and no
// clone3, whose flags a filter cannot see.
bool RefuseNamespaces() {
  constexpr uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                   CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kNamespaces, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

bool WriteFile(const char* path, const std::string& text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  return file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         close(file) == 0;
}

// Enters a user namespace as `uid`, and sets a limit of its own in it.
bool EnterLimited(int uid, const char* limit, int value) {
  const uid_t outer_uid = geteuid();
  const gid_t outer_gid = getegid();
  return unshare(CLONE_NEWUSER) == 0 && WriteFile("/proc/self/setgroups", "deny") &&
         WriteFile("/proc/self/uid_map", absl::StrCat(uid, " ", outer_uid, " 1")) &&
         WriteFile("/proc/self/gid_map", absl::StrCat(uid, " ", outer_gid, " 1")) &&
         WriteFile(limit, absl::StrCat(value));
}

constexpr const char* kTwoThreads = "two threads cannot enter a user namespace";

void ExpectNoneJudged(const Finished& finished) {
  EXPECT_EQ(finished.exit_code, 3) << finished.out << finished.err;
  EXPECT_THAT(finished.out, Not(HasSubstr("[ RUN ")));
  EXPECT_THAT(finished.out, Not(HasSubstr("FAILED")));
  EXPECT_THAT(finished.report, Not(HasSubstr("<failure")));
  EXPECT_EQ(Count(finished.err, "isolate: "), 1) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("cannot create a user namespace: "));
  EXPECT_THAT(finished.err, HasSubstr("--isolate=off"));
}

TEST(SeccompFilter, IsDiagnosed) {
  Command command{"results", Build::kIsolated};
  command.report = "xml";
  command.before_exec = RefuseNamespaces;
  const Finished finished = Execute(command);
  ExpectNoneJudged(finished);
  EXPECT_THAT(finished.err, HasSubstr("EPERM"));
  EXPECT_THAT(finished.err, HasSubstr("seccomp profile"));
}

TEST(SeccompFilter, DoesNotHinderAPlainRun) {
  Command command{"kinds", Build::kIsolated, {"--isolate=off", "--gtest_filter=Fixture.*"}};
  command.before_exec = RefuseNamespaces;
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(Count(finished.out, "[       OK ]"), 2);
}

// An ordinary user: the id is not 0, so the capabilities go with the exec.
TEST(NoUserNamespaces, AreDiagnosed) {
  if (kHasThreadOfASanitizer) {
    GTEST_SKIP() << kTwoThreads;
  }
  Command command{"results", Build::kIsolated};
  command.report = "xml";
  command.before_exec = [] { return EnterLimited(1000, "/proc/sys/user/max_user_namespaces", 0); };
  const Finished finished = Execute(command);
  ExpectNoneJudged(finished);
  EXPECT_THAT(finished.err, HasSubstr("ENOSPC"));
  EXPECT_THAT(finished.err, HasSubstr("user.max_user_namespaces is 0"));
}

// As in `unshare -r`: root, but with no other id, so that the folders to be
// covered belong to nobody that can be named.
TEST(RootWithOneId, IsIsolated) {
  if (kHasThreadOfASanitizer) {
    GTEST_SKIP() << kTwoThreads;
  }
  Command command{"kinds", Build::kIsolated, {"--gtest_filter=Fixture.*"}};
  command.before_exec = [] { return EnterLimited(0, "/proc/sys/user/max_net_namespaces", 100); };
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(Count(finished.out, "[       OK ]"), 2);
}

// The first sandboxes can be had, the others cannot, unless one of the first is gone by then.
TEST(TooFewNamespaces, AreNoFailureOfTheTests) {
  if (kHasThreadOfASanitizer) {
    GTEST_SKIP() << kTwoThreads;
  }
  AdoptOrphans();
  Command command{"flood", Build::kIsolated, {"--isolate_jobs=8"}};
  command.before_exec = [] { return EnterLimited(0, "/proc/sys/user/max_net_namespaces", 3); };
  const Finished finished = Execute(command);
  EXPECT_THAT(finished.out, Not(HasSubstr("FAILED")));
  // The kernel frees a namespace in its own time: where it is quick, those that there may be will
  // do.
  if (finished.exit_code == 0) {
    EXPECT_EQ(Count(finished.out, "[       OK ]"), 40);
  } else {
    EXPECT_EQ(finished.exit_code, 3) << finished.out << finished.err;
    EXPECT_THAT(finished.err, HasSubstr("ENOSPC"));
    EXPECT_THAT(finished.err, HasSubstr("fewer jobs"));
  }
  EXPECT_THAT(WaitForOrphans(), ::testing::IsEmpty());
}

// Fewer at once will do.
TEST(TooFewDescriptors, SlowTheRunDownAndDoNotEndIt) {
  Command command{"flood", Build::kIsolated, {"--isolate_jobs=64"}};
  command.before_exec = [] {
    const rlimit limit = {60, 60};
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
  };
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(Count(finished.out, "[       OK ]"), 40);
  EXPECT_THAT(finished.err, HasSubstr("tests run at once, as the host has no room"));
}

}  // namespace
}  // namespace isolate::plugin_tests
