// The helper: it has a program of its own, with nothing of the caller's memory, where the host lets
// it; and elsewhere sandboxes are made all the same.

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/executor.h"
#include "isolate/internal/raw.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/seccomp.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_HWADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr bool kHasProgram = false;
#else
constexpr bool kHasProgram = true;
#endif

constexpr int kSeveral = 2;  // sandboxes, as one alone is not worth a program

std::string ProgramOf(pid_t pid) {
  char path[PATH_MAX];
  const ssize_t size = readlink(absl::StrCat("/proc/", pid, "/exe").c_str(), path, sizeof(path));
  return size < 0 ? "unknown" : std::string(path, static_cast<size_t>(size));
}

// It leads the group in which the inits are.
bool IsHelper(pid_t pid) { return NameOf(pid) == "isolate-helper" && getpgid(pid) == pid; }

// Which program makes the sandboxes of an executor, and what a function in one of them comes to.
std::string Use(const Options& options) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options, kSeveral);
  if (!executor.ok()) {
    return Told(executor.status());
  }
  const std::vector<pid_t> ours = Descendants(getpid());
  const auto helper = std::find_if(ours.begin(), ours.end(), IsHelper);
  if (helper == ours.end()) {
    return "no helper";
  }
  const bool own = ProgramOf(*helper) != ProgramOf(getpid());
  if (absl::StatusOr<Executor::Id> id = (*executor)->Start([](Reporter&) { return 0; }); !id.ok()) {
    return Told(id.status());
  }
  return absl::StrCat(own ? "own" : "caller's", " program, ", Told((*executor)->WaitAny().result));
}

Options InUserNamespace() {
  Options options;
  options.user_namespace = UserNamespace::kAlways;
  return options;
}

constexpr char kOwn[] = "own program, returned 0";
constexpr char kCallers[] = "caller's program, returned 0";

TEST(Helper, HasAProgramOfItsOwn) { EXPECT_EQ(Use({}), kHasProgram ? kOwn : kCallers); }

// Who is not root there has its rights by the namespace alone, and would lose them in exec.
TEST(Helper, HasAProgramOfItsOwnInAUserNamespace) {
  EXPECT_EQ(Use(InUserNamespace()), kHasProgram ? kOwn : kCallers);
}

TEST(Helper, HasAProgramOfItsOwnInATimeNamespace) {
  if (!kCanJoinTimeNamespaces) {
    GTEST_SKIP();
  }
  Options options;
  options.time_offset = absl::Hours(1);
  EXPECT_EQ(Use(options), kHasProgram ? kOwn : kCallers);
}

TEST(Helper, AndInitsHaveNothingOfTheCallersMemoryAndEnvironment) {
  if (!kHasProgram) {
    GTEST_SKIP();
  }
  EXPECT_EQ(InCaller([]() -> std::string {
              setenv("HELPER_TEST", "of the caller's", 1);
              absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, kSeveral);
              if (!executor.ok()) {
                return Told(executor.status());
              }
              std::string told;
              for (const pid_t pid : Descendants(getpid())) {
                if (ReadFile(absl::StrCat("/proc/", pid, "/maps")).find(ProgramOf(getpid())) !=
                        std::string::npos ||
                    !ReadFile(absl::StrCat("/proc/", pid, "/environ")).empty()) {
                  absl::StrAppend(&told, NameOf(pid), " ");
                }
              }
              return told;
            }),
            "");
}

// The sets that the helper has, as the kernel shows them.
std::string RightsOf(pid_t pid) {
  std::string rights;
  for (const absl::string_view line :
       absl::StrSplit(ReadFile(absl::StrCat("/proc/", pid, "/status")), '\n')) {
    if (absl::StartsWith(line, "CapPrm") || absl::StartsWith(line, "CapEff") ||
        absl::StartsWith(line, "CapAmb")) {
      absl::StrAppend(&rights, line, "\n");
    }
  }
  return rights;
}

// Root would get all of its bounding set by executing a program, and then nobody with fewer rights
// could join what it makes.
TEST(Helper, HasNoRightThatTheCallerHasNot) {
  if (!MayCreateNamespaces()) {
    GTEST_SKIP() << "the caller has no rights";
  }
  EXPECT_EQ(InCaller([]() -> std::string {
              internal::raw::Capabilities rights;
              if (internal::raw::GetCapabilities(&rights) != 0) {
                return "no rights";
              }
              rights.sets[0].permitted &= ~(1U << CAP_SYS_PTRACE);
              rights.sets[0].effective &= ~(1U << CAP_SYS_PTRACE);
              if (internal::raw::LimitCapabilities(rights) != 0) {
                return "they cannot be limited";
              }
              absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, kSeveral);
              if (!executor.ok()) {
                return Told(executor.status());
              }
              std::string told;
              for (const pid_t pid : Descendants(getpid())) {
                if (RightsOf(pid) != RightsOf(getpid())) {
                  absl::StrAppend(&told, NameOf(pid), " has\n", RightsOf(pid));
                }
              }
              return absl::StrCat(told, Use({}));
            }),
            kHasProgram ? kOwn : kCallers);
}

struct Case {
  const char* name;
  Refusal refusal;
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, LeavesTheHelperTheCallersProgram) {
  for (const Options& options : {Options(), InUserNamespace()}) {
    EXPECT_EQ(InCaller([&]() -> std::string {
                const Traces before = Traces::Take();
                return Install(GetParam().refusal)
                           ? absl::StrCat(Use(options), ", left ", Left(before))
                           : "no filter";
              }),
              absl::StrCat(kCallers, ", left nothing"));
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Refused,
                         testing::Values(Case{"File", {SYS_memfd_create, EPERM}},
                                         Case{"FileByAKernelWithout", {SYS_memfd_create, ENOSYS}},
                                         Case{"Execution", {SYS_execveat, EACCES}},
                                         Case{"ExecutionByDeath", {SYS_execveat, kKill}}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace isolate
