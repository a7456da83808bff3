#include "isolate/setup_failure.h"

#include <errno.h>

#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/isolation.h"

namespace isolate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Step kLastStep = Step::kAuditFilter;

std::vector<Step> AllSteps() {
  std::vector<Step> steps;
  for (int value = 1; value <= static_cast<int>(kLastStep); ++value) {
    steps.push_back(static_cast<Step>(value));
  }
  return steps;
}

// Those that the steps meet, among them each that has an explanation of its own.
constexpr int kErrors[] = {EPERM,  ENOENT, EIO,    EAGAIN, ENOMEM, EACCES, EBUSY,
                           EINVAL, ENFILE, EMFILE, ENOSPC, ENOSYS, EUSERS};

TEST(IsStep, KnowsEveryStepAndNothingElse) {
  std::set<int> known;
  for (int value = -300; value <= 300; ++value) {
    if (IsStep(value)) {
      known.insert(value);
    }
  }
  std::set<int> expected;
  for (const Step step : AllSteps()) {
    expected.insert(static_cast<int>(step));
  }
  EXPECT_EQ(known, expected) << "after a new step, kLastStep of this test is another one";
}

TEST(StepName, IsThereForEveryStepAndDiffers) {
  std::set<absl::string_view> names;
  for (const Step step : AllSteps()) {
    const absl::string_view name = StepName(step);
    EXPECT_FALSE(name.empty()) << static_cast<int>(step);
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(names.count(StepName(Step{0})), 0) << "an unknown step is named as a known one";
  EXPECT_EQ(names.count(StepName(Step{200})), 0);
}

// A sentence of our own, to be read on one line.
void ExpectSentence(const std::string& text) {
  EXPECT_GT(text.size(), 10);
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_TRUE(text.back() == '.') << text;
}

TEST(SetupFailure, HasAMeaningAndARemedyAtEveryStepForEveryErrno) {
  for (const Step step : AllSteps()) {
    for (const int error : kErrors) {
      SCOPED_TRACE(absl::StrCat(StepName(step), ", errno ", error));
      ExpectSentence(Meaning({step, error, ""}));
      const std::string remedy = Remedy({step, error, ""});
      EXPECT_GT(remedy.size(), 10);
      EXPECT_EQ(remedy.find('\n'), std::string::npos);
    }
  }
}

TEST(RefusedBy, NamesTheKindOfTheStepWithWhatDependsOnIt) {
  const auto refused = [](Step step, int error, const char* detail = "") {
    return NamesOf(RefusedBy({step, error, detail}, AllIsolations()));
  };
  EXPECT_EQ(refused(Step::kUserNamespace, EPERM), NamesOf(AllIsolations()));
  EXPECT_EQ(refused(Step::kJoin, ENOSYS), NamesOf(AllIsolations()));
  EXPECT_EQ(refused(Step::kCloneInit, ENOSPC, "network"), "network,sys");
  EXPECT_EQ(refused(Step::kCloneInit, ENOSPC, "pid,uts"), "pid,uts");
  EXPECT_EQ(refused(Step::kHelperMounts, EPERM), "pid,sys,mqueue,mount");
  EXPECT_EQ(refused(Step::kMountProc, EPERM, "/proc"), "pid");
  EXPECT_EQ(refused(Step::kMountSysfs, EPERM, "/sys"), "sys");
  EXPECT_EQ(refused(Step::kMountMqueue, EPERM), "mqueue");
  EXPECT_EQ(refused(Step::kHostname, EPERM, "isolate"), "uts");
  EXPECT_EQ(refused(Step::kLoopback, EPERM), "network,sys");
}

TEST(RefusedBy, IsNoKindThatWasNotAskedFor) {
  Isolations asked_for;
  Add(Isolation::kNetwork, asked_for);
  Add(Isolation::kUts, asked_for);
  EXPECT_EQ(NamesOf(RefusedBy({Step::kUserNamespace, EPERM, ""}, asked_for)), "network,uts");
  EXPECT_EQ(NamesOf(RefusedBy({Step::kLoopback, EPERM, ""}, asked_for)), "network");
  EXPECT_EQ(NamesOf(RefusedBy({Step::kMountProc, EPERM, ""}, asked_for)), "none");
}

TEST(RefusedBy, IsNoKindWhereSomethingElseIsInTheWay) {
  for (const SetupFailure& failure :
       {SetupFailure{Step::kForkHelper, EAGAIN, ""}, SetupFailure{Step::kForkHelper, EPERM, ""},
        SetupFailure{Step::kUserNamespace, ENOMEM, ""},
        SetupFailure{Step::kKeepPath, EMFILE, "/tmp/x"},
        SetupFailure{Step::kMountTmpfs, ENOENT, "/scratch"},
        SetupFailure{Step::kCloneInit, EAGAIN, ""}, SetupFailure{Step::kAnnounce, ESRCH, ""},
        SetupFailure{Step::kExec, EPERM, "ls"}}) {
    EXPECT_TRUE(RefusedBy(failure, AllIsolations()).none()) << StepName(failure.step);
  }
}

struct ExplanationCase {
  const char* name;
  Step step;
  int error;
  const char* meaning;
  const char* remedy;
};

std::ostream& operator<<(std::ostream& out, const ExplanationCase& explanation) {
  return out << explanation.name;
}

class Explanation : public ::testing::TestWithParam<ExplanationCase> {};

TEST_P(Explanation, TellsTheCauseAndWhatMendsIt) {
  const SetupFailure failure{GetParam().step, GetParam().error, ""};
  EXPECT_THAT(Meaning(failure), HasSubstr(GetParam().meaning));
  EXPECT_THAT(Remedy(failure), HasSubstr(GetParam().remedy));
}

INSTANTIATE_TEST_SUITE_P(
    SetupFailure, Explanation,
    ::testing::Values(
        ExplanationCase{"OldKernel", Step::kJoin, ENOSYS, "does not have this system call",
                        "Linux 5.8"},
        ExplanationCase{"NoUserNamespaces", Step::kUserNamespace, EPERM,
                        "may not create user namespaces", "kernel.unprivileged_userns_clone"},
        ExplanationCase{"TooManyUserNamespaces", Step::kUserNamespace, ENOSPC,
                        "limit on the number of namespaces", "/proc/sys/user/max_"},
        ExplanationCase{"TooManyNetNamespaces", Step::kCloneInit, ENOSPC,
                        "limit on the number of namespaces", "/proc/sys/user/max_"},
        ExplanationCase{"AppArmorRefusesIdMaps", Step::kIdMaps, EACCES, "ids may not be mapped",
                        "apparmor_restrict_unprivileged_userns"},
        ExplanationCase{"SeccompRefusesNamespaces", Step::kCloneInit, EPERM, "CAP_SYS_ADMIN",
                        "--privileged"},
        ExplanationCase{"MaskedProc", Step::kMountProc, EPERM, "fresh /proc",
                        "systempaths=unconfined"},
        ExplanationCase{"MountsRefused", Step::kMountTmpfs, EACCES, "Mounting is not permitted",
                        "permit mount"},
        ExplanationCase{"NoOverlay", Step::kCopyFolder, ENODEV, "no overlayfs", "without a copy"},
        ExplanationCase{"NoScratch", Step::kMountTmpfs, ENOENT, "folder does not exist",
                        "TEST_TMPDIR"},
        ExplanationCase{"NoExtraPath", Step::kKeepPath, ENOENT, "path does not exist",
                        "path that exists"},
        ExplanationCase{"HiddenWorkingDirectory", Step::kWorkingDirectory, ENOENT,
                        "working directory is not visible", "extra writable path"},
        ExplanationCase{"LongHostname", Step::kHostname, EINVAL, "too long", "64"},
        ExplanationCase{"LoopbackRefused", Step::kLoopback, EPERM, "loopback", "CAP_NET_ADMIN"},
        ExplanationCase{"JoinRefused", Step::kJoin, EPERM, "may not be joined", "setns"},
        ExplanationCase{"NoMoreProcesses", Step::kForkTest, EAGAIN, "No more processes",
                        "ulimit -u"},
        ExplanationCase{"NoMoreProcessesForInit", Step::kCloneInit, EAGAIN, "No more processes",
                        "ulimit -u"},
        ExplanationCase{"NoMoreFiles", Step::kStandardStreams, EMFILE, "No more files",
                        "ulimit -n"},
        ExplanationCase{"NoMemory", Step::kMountTmpfs, ENOMEM, "not enough memory", "fewer jobs"},
        ExplanationCase{"DescriptorsOnTheirWay", Step::kAnnounce, ETOOMANYREFS,
                        "on their way over sockets", "ulimit -n"},
        ExplanationCase{"AuditWithinAnAudit", Step::kAuditFilter, EBUSY, "records its system calls",
                        "outer run or in the inner one"},
        ExplanationCase{"NoAudit", Step::kAuditFilter, EACCES, "CAP_SYS_ADMIN is missing",
                        "without the record"},
        ExplanationCase{"MemoryLimitTooLow", Step::kMemoryLimit, ENOMEM, "has more memory already",
                        "higher limit"},
        ExplanationCase{"NoSuchProgram", Step::kExec, ENOENT, "no such program", "path"},
        ExplanationCase{"NotExecutable", Step::kExec, EACCES, "would not execute", "permissions"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ToStatus, HasALineForStepMeaningAndRemedy) {
  const SetupFailure failure{Step::kMountTmpfs, ENOENT, "/scratch"};
  const absl::Status status = ToStatus(failure);
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  const std::vector<std::string> lines = absl::StrSplit(status.message(), '\n');
  EXPECT_THAT(lines,
              ElementsAre("cannot mount a tmpfs (/scratch): ENOENT (No such file or directory)",
                          Meaning(failure), Remedy(failure)));
}

TEST(ToStatus, HasNoParenthesesWithoutADetail) {
  EXPECT_THAT(std::string(ToStatus({Step::kJoin, EPERM, ""}).message()),
              StartsWith("cannot join the sandbox: EPERM (Operation not permitted)\n"));
}

TEST(ToStatus, NamesAnErrnoThatItDoesNotKnow) {
  EXPECT_THAT(std::string(ToStatus({Step::kJoin, 4321, ""}).message()),
              HasSubstr("errno 4321 (unknown error)"));
}

// Neither comes from the kernel, but both from a damaged report.
TEST(ToStatus, IsAnErrorWhateverTheErrno) {
  for (const int error : {0, -1, 4321}) {
    const absl::Status status = ToStatus({Step::kJoin, error, ""});
    EXPECT_FALSE(status.ok()) << error;
    const absl::StatusOr<int> none = status;
    EXPECT_EQ(GetSetupFailure(none.status())->error, error);
  }
}

TEST(GetSetupFailure, GivesBackWhatWentIntoTheStatus) {
  for (const Step step : AllSteps()) {
    for (const std::string& detail :
         {std::string(), std::string("/tmp"), std::string("a:b:c"), std::string(":"),
          std::string("two\nlines\n"), std::string("nul\0nul", 7)}) {
      for (const int error : kErrors) {
        const auto failure = GetSetupFailure(ToStatus({step, error, detail}));
        ASSERT_TRUE(failure.has_value()) << StepName(step);
        EXPECT_EQ(failure->step, step);
        EXPECT_EQ(failure->error, error);
        EXPECT_EQ(failure->detail, detail);
      }
    }
  }
}

TEST(GetSetupFailure, GivesNothingForAnotherStatus) {
  EXPECT_EQ(GetSetupFailure(absl::OkStatus()).has_value(), false);
  EXPECT_EQ(GetSetupFailure(absl::NotFoundError("cannot join the sandbox")).has_value(), false);
}

TEST(GetSetupFailure, GivesNothingForAPayloadThatIsNotOurs) {
  for (const char* payload : {"", "1", "1:2", "x:2:", "1:x:", "0:2:", "200:2:", "257:2:"}) {
    absl::Status status = absl::InternalError("text");
    status.SetPayload("isolate/setup_failure", absl::Cord(payload));
    EXPECT_EQ(GetSetupFailure(status).has_value(), false) << payload;
  }
}

}  // namespace
}  // namespace isolate
