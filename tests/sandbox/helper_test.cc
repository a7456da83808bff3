// The helper: it has a program of its own, with nothing of the caller's memory, where the host lets
// it; and elsewhere sandboxes are made all the same.

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "isolate/executor.h"
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

std::string ProgramOf(pid_t pid) {
  char path[PATH_MAX];
  const ssize_t size = readlink(absl::StrCat("/proc/", pid, "/exe").c_str(), path, sizeof(path));
  return size < 0 ? "unknown" : std::string(path, static_cast<size_t>(size));
}

// Those of that name among the calling process's descendants.
std::vector<pid_t> Named(const std::string& name) {
  std::vector<pid_t> named;
  for (const pid_t pid : Descendants(getpid())) {
    if (NameOf(pid) == name) {
      named.push_back(pid);
    }
  }
  return named;
}

// Which program makes the sandboxes of an executor, and what a function in one of them comes to.
std::string Use(const Options& options) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options);
  if (!executor.ok()) {
    return Told(executor.status());
  }
  const std::vector<pid_t> helpers = Named("isolate-helper");
  if (helpers.size() != 1) {
    return absl::StrCat(helpers.size(), " helpers");
  }
  const bool own = ProgramOf(helpers[0]) != ProgramOf(getpid());
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
              absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
              if (!executor.ok()) {
                return Told(executor.status());
              }
              std::vector<pid_t> ours = Named("isolate-helper");
              for (const pid_t init : Named("isolate-init")) {
                ours.push_back(init);
              }
              std::string told;
              for (const pid_t pid : ours) {
                const std::string maps = ReadFile(absl::StrCat("/proc/", pid, "/maps"));
                absl::StrAppend(&told, NameOf(pid),
                                maps.find(ProgramOf(getpid())) == std::string::npos ? "" : "!",
                                ReadFile(absl::StrCat("/proc/", pid, "/environ")), ";");
              }
              return told;
            }),
            "isolate-helper;isolate-init;");
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
