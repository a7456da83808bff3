// A host that refuses a kind of isolation, which is required or only preferred: what is lost then,
// and what is told of it.

#include <errno.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"
#include "tests/sandbox/seccomp.h"
#include "tests/sandbox/traces.h"

namespace isolate {
namespace {

constexpr Refusal kNoHostName = {SYS_sethostname, EPERM};
constexpr Refusal kNoMounts = {SYS_mount, EPERM};
constexpr Refusal kNoPids = {SYS_clone, EPERM, 0, CLONE_NEWPID, CLONE_NEWPID};

Options Preferring(const char* kinds) {
  Options options;
  options.preferred = *IsolationsNamed(kinds);
  return options;
}

// "had KINDS, lost KINDS at STEP: ERRNO, ...", or the failure.
std::string Outcome(const Options& options) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options);
  if (!executor.ok()) {
    return Told(executor.status());
  }
  const absl::StatusOr<Executor::Id> id = (*executor)->Start([](Reporter&) { return 0; });
  if (!id.ok()) {
    return Told(id.status());
  }
  const Executor::Finished finished = (*executor)->WaitAny();
  if (!finished.result.ok() || !finished.result->ok()) {
    return Told(finished.result);
  }
  std::string text = absl::StrCat("had ", NamesOf(finished.result->isolation));
  for (const Executor::Loss& loss : (*executor)->losses()) {
    absl::StrAppend(&text, ", lost ", NamesOf(loss.kinds), " at ", Told(ToStatus(loss.why)));
  }
  return text;
}

std::string OutcomeWith(const Refusal& refusal, const Options& options) {
  return InCaller([&]() -> std::string {
    const Traces before = Traces::Take();
    if (!Install(refusal)) {
      return "no filter";
    }
    const std::string outcome = Outcome(options);
    return absl::StrCat(outcome, ", left ", Left(before));
  });
}

TEST(Preference, LosesNothingWhereNothingIsRefused) {
  constexpr const char* kEverything = "had pid,network,sys,ipc,mqueue,uts,mount";
  EXPECT_EQ(Outcome({}), kEverything);
  EXPECT_EQ(Outcome(Preferring("all")), kEverything);
}

TEST(Preference, LosesWhatIsRefusedAndNothingElse) {
  EXPECT_EQ(OutcomeWith(kNoHostName, Preferring("all")),
            "had pid,network,sys,ipc,mqueue,mount, lost uts at set the host name: EPERM, left "
            "nothing");
  EXPECT_EQ(OutcomeWith(kNoHostName, Preferring("uts")),
            "had pid,network,sys,ipc,mqueue,mount, lost uts at set the host name: EPERM, left "
            "nothing");
  EXPECT_EQ(OutcomeWith(kNoPids, Preferring("pid")),
            "had network,sys,ipc,mqueue,uts,mount, lost pid at create the sandbox's namespaces: "
            "EPERM, left nothing");
}

TEST(Preference, OfOtherKindsDoesNotHelp) {
  for (const char* kinds : {"none", "network", "pid,network,sys,ipc,mqueue,mount,cgroup"}) {
    EXPECT_EQ(OutcomeWith(kNoHostName, Preferring(kinds)), "set the host name: EPERM, left nothing")
        << kinds;
  }
}

TEST(Preference, HasToNameWhatCannotBeHadWithout) {
  EXPECT_EQ(OutcomeWith(kNoMounts, Preferring("mount")),
            "create the helper's mount namespace: EPERM, left nothing");
  EXPECT_EQ(OutcomeWith(kNoMounts, Preferring("pid,mount,mqueue")),
            "create the helper's mount namespace: EPERM, left nothing");
  EXPECT_EQ(OutcomeWith(kNoMounts, Preferring("pid,mount,mqueue,sys")),
            "had network,ipc,uts, lost pid,sys,mqueue,mount at create the helper's mount "
            "namespace: EPERM, left nothing");
}

TEST(Preference, DoesNotBreakWhatElseIsAskedFor) {
  Options options = Preferring("all");
  options.audit_names = true;  // which takes a pid namespace
  EXPECT_EQ(OutcomeWith(kNoPids, options), "create the sandbox's namespaces: EPERM, left nothing");
  options = Preferring("all");
  options.read_only_paths = {"/usr"};
  EXPECT_EQ(OutcomeWith(kNoMounts, options),
            "create the helper's mount namespace: EPERM, left nothing");
}

TEST(Preference, IsForTheHostAndNotForWrongOptions) {
  const Folder folder;
  Options options = Preferring("all");
  options.scratch = folder.path() + "/nowhere";
  EXPECT_EQ(Outcome(options), "mount a tmpfs: ENOENT");
}

TEST(Preference, CountsBeforeAnythingRunsAndNotAfterwards) {
  EXPECT_EQ(InCaller([]() -> std::string {
              const auto executor = Executor::Create(Preferring("all"));
              if (!executor.ok() || !Install({SYS_setns, EPERM})) {
                return "no executor";
              }
              return Told((*executor)->Start([](Reporter&) { return 0; }).status());
            }),
            "join the sandbox: EPERM");
}

TEST(Preference, FindsOutThatASandboxCannotBeEntered) {
  EXPECT_EQ(OutcomeWith({SYS_setns, ENOSYS}, Preferring("all")),
            "had none, lost pid,network,sys,ipc,mqueue,uts,mount at join the sandbox: ENOSYS, left "
            "nothing");
}

TEST(Preference, OfAnotherKindOfSandboxIsToldWithThoseBefore) {
  EXPECT_EQ(InCaller([]() -> std::string {
              if (!Install(kNoHostName)) {
                return "no filter";
              }
              const auto executor = Executor::Create(Preferring("all"));
              if (!executor.ok()) {
                return Told(executor.status());
              }
              Options other = Preferring("uts");
              other.network = Network::kHost;
              const absl::StatusOr<Executor::Kind> kind = (*executor)->AddKind(other);
              if (!kind.ok()) {
                return Told(kind.status());
              }
              return absl::StrCat((*executor)->losses().size(), " losses, ",
                                  NamesOf(IsolationOf((*executor)->options(*kind))));
            }),
            "2 losses, pid,ipc,mqueue,mount");
}

// The kinds are the kernel's, and no mere words.
TEST(Preference, LeavesTheCallersNamespaceInPlaceOfWhatIsLost) {
  EXPECT_EQ(InCaller([]() -> std::string {
              struct stat own;
              if (!Install(kNoHostName) || stat("/proc/self/ns/uts", &own) != 0) {
                return "no filter";
              }
              const absl::StatusOr<Result> result =
                  isolate::Run(Preferring("uts"), [](Reporter&) { return 0; });
              if (!result.ok()) {
                return Told(result);
              }
              struct stat net;
              stat("/proc/self/ns/net", &net);
              return absl::StrCat(
                  result->namespaces.uts == own.st_ino ? "same uts" : "other uts",
                  result->namespaces.net == net.st_ino ? ", same net" : ", other net");
            }),
            "same uts, other net");
}

TEST(Cause, IsNamedInTheErrorsMessage) {
  const std::string message = InCaller([]() -> std::string {
    return Install(kNoMounts) ? std::string(Executor::Create({}).status().message()) : "no filter";
  });
  EXPECT_NE(message.find("A seccomp filter, such as a container's, answers the system call mount "
                         "with EPERM."),
            std::string::npos)
      << message;
}

}  // namespace
}  // namespace isolate
