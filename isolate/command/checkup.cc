#include "isolate/command/checkup.h"

#include <errno.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "isolate/internal/explanation.h"
#include "isolate/internal/restrictions.h"
#include "isolate/isolate.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::command {
namespace {

using internal::Restrictions;
using State = StepCheck::State;

// In the order in which they happen.
constexpr struct {
  Step step;
  // The kind that takes it; nothing: every sandbox does.
  absl::optional<Isolation> kind;
  bool of_user_namespace = false;
} kSteps[] = {
    {Step::kForkHelper, absl::nullopt},        {Step::kUserNamespace, absl::nullopt, true},
    {Step::kIdMaps, absl::nullopt, true},      {Step::kHelperMounts, Isolation::kMount},
    {Step::kHostsFile, Isolation::kUts},       {Step::kCloneInit, absl::nullopt},
    {Step::kPrivateMounts, Isolation::kMount}, {Step::kKeepPath, Isolation::kMount},
    {Step::kMountTmpfs, Isolation::kMount},    {Step::kRestorePath, Isolation::kMount},
    {Step::kMountProc, Isolation::kPid},       {Step::kMountSysfs, Isolation::kSys},
    {Step::kMountMqueue, Isolation::kMqueue},  {Step::kLoopback, Isolation::kNetwork},
    {Step::kHostname, Isolation::kUts},        {Step::kAnnounce, absl::nullopt},
    {Step::kForkJoiner, absl::nullopt},        {Step::kJoin, absl::nullopt},
    {Step::kRootDirectory, Isolation::kMount}, {Step::kForkTest, absl::nullopt},
    {Step::kSession, absl::nullopt},           {Step::kWorkingDirectory, Isolation::kMount},
    {Step::kStandardStreams, absl::nullopt},   {Step::kCapabilities, absl::nullopt, true},
};

struct Attempt {
  Isolations kinds;
  absl::optional<SetupFailure> failure;  // nothing: it worked
  bool in_user_namespace = false;        // where it worked
};

Attempt TryOptions(const Options& options) {
  Attempt attempt;
  attempt.kinds = IsolationOf(options);
  const absl::StatusOr<Result> result = isolate::Run(options, [](Reporter&) { return 0; });
  if (!result.ok()) {
    // Something killed the helper: that it could not be had, either way.
    attempt.failure =
        GetSetupFailure(result.status()).value_or(SetupFailure{Step::kForkHelper, ESRCH, ""});
    return attempt;
  }
  attempt.kinds = result->isolation;
  struct stat own;
  attempt.in_user_namespace =
      stat("/proc/self/ns/user", &own) == 0 && own.st_ino != result->namespaces.user;
  return attempt;
}

// A kind, with those without which it cannot be had.
Isolations WithNeeds(Isolation kind) {
  Isolations needs;
  for (const Isolation other : kIsolationKinds) {
    Isolations alone;
    Add(other, alone);
    if (Has(WithDependents(alone), kind)) {
      Add(other, needs);
    }
  }
  return needs;
}

// A step that fails anywhere does not work, although it may have worked elsewhere.
void Note(const Attempt& attempt, const Restrictions& restrictions,
          std::vector<StepCheck>& checks) {
  for (size_t i = 0; i < checks.size(); ++i) {
    StepCheck& check = checks[i];
    if (attempt.failure.has_value() && attempt.failure->step == check.step) {
      if (check.state != State::kFails) {
        check.state = State::kFails;
        check.ailment = Ailment{*attempt.failure, Explain(*attempt.failure, restrictions)};
      }
      return;
    }
    // The host name gets its file in a mount tree of its own alone.
    const bool is_taken = (!kSteps[i].kind.has_value() || Has(attempt.kinds, *kSteps[i].kind)) &&
                          (check.step != Step::kHostsFile || Has(attempt.kinds, Isolation::kMount));
    if (is_taken && check.state == State::kNotReached) {
      check.state = State::kWorks;
    }
  }
}

bool TakesUserNamespace(const Attempt& attempt) {
  return attempt.in_user_namespace ||
         (attempt.failure.has_value() && (attempt.failure->step == Step::kUserNamespace ||
                                          attempt.failure->step == Step::kIdMaps));
}

std::vector<StepCheck> CheckSteps(const std::vector<Attempt>& attempts,
                                  const Restrictions& restrictions) {
  const bool takes_user_namespace =
      !restrictions.may_administer ||
      std::any_of(attempts.begin(), attempts.end(), TakesUserNamespace);
  std::vector<StepCheck> checks;
  for (const auto& each : kSteps) {
    StepCheck check;
    check.step = each.step;
    if (each.of_user_namespace && !takes_user_namespace) {
      check.state = State::kNotNeeded;
    }
    checks.push_back(std::move(check));
  }
  for (const Attempt& attempt : attempts) {
    Note(attempt, restrictions, checks);
  }
  return checks;
}

}  // namespace

Checkup CheckHost() {
  Checkup checkup;
  checkup.restrictions = internal::FindRestrictions();
  std::vector<Attempt> attempts = {TryOptions(Options())};
  checkup.has_default_sandbox = !attempts.front().failure.has_value();
  for (const Isolation kind : kIsolationKinds) {
    if (!Has(IsolationOf(Options()), kind)) {
      continue;
    }
    attempts.push_back(TryOptions(Without(Options(), ~WithNeeds(kind))));
    KindCheck check = {kind, absl::nullopt};
    if (const absl::optional<SetupFailure>& failure = attempts.back().failure) {
      check.ailment = Ailment{*failure, Explain(*failure, checkup.restrictions)};
    }
    checkup.kinds.push_back(std::move(check));
  }
  checkup.steps = CheckSteps(attempts, checkup.restrictions);
  Options any;
  any.preferred = AllIsolations();
  if (const Attempt attempt = TryOptions(any); !attempt.failure.has_value()) {
    checkup.remaining = attempt.kinds;
  }
  return checkup;
}

}  // namespace isolate::command
