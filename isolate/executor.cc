#include "isolate/executor.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/internal/audit_mark.h"
#include "isolate/internal/capture.h"
#include "isolate/internal/coverage.h"
#include "isolate/internal/enter.h"
#include "isolate/internal/entry.h"
#include "isolate/internal/explanation.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/fork_generation.h"
#include "isolate/internal/join.h"
#include "isolate/internal/monotonic.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/realtime.h"
#include "isolate/internal/restrictions.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/internal/signals.h"
#include "isolate/internal/streams.h"
#include "isolate/internal/task.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/reporter.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate {
namespace {

using internal::Ends;
using internal::EnterPlan;
using internal::Entry;
using internal::Fd;
using internal::ForkGeneration;
using internal::Joined;
using internal::MonotonicNow;
using internal::Nonce;
using internal::Sandbox;
using internal::SandboxSupply;
using internal::Task;
using internal::TaskPipes;

// How long a sandbox is waited for where the host has no namespace for it (SandboxSupply::Take).
// Beside others that run, who may have what it lacks and are not attended to meanwhile, no
// longer than the kernel commonly needs.
constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr absl::Duration kPatienceBesideOthers = absl::Milliseconds(100);

absl::StatusOr<Nonce> MakeNonce() {
  Nonce nonce;
  if (getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size())) {
    return absl::ErrnoToStatus(errno, "cannot get random bytes");
  }
  return nonce;
}

// What is to be done without where a set-up has failed so; nothing where that is not allowed, or
// would not hold.
absl::optional<Executor::Loss> LossOf(const absl::Status& status, const Options& options) {
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  if (!failure.has_value()) {
    return absl::nullopt;
  }
  const Isolations kinds = RefusedBy(*failure, IsolationOf(options));
  if (kinds.none() || (kinds & ~options.preferred).any() ||
      !Validate(Without(options, kinds)).ok()) {
    return absl::nullopt;
  }
  return Executor::Loss{kinds, *failure, internal::Explain(*failure, internal::FindRestrictions())};
}

// With the cause on this host.
absl::Status Explained(const absl::Status& status) {
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  return failure.has_value()
             ? ToStatus(*failure, internal::Explain(*failure, internal::FindRestrictions()))
             : status;
}

}  // namespace

class Executor::Impl {
 public:
  explicit Impl(Fd interrupt) : interrupt_(std::move(interrupt)) {}

  ~Impl() {
    for (auto& [id, task] : tasks_) {
      task->Kill();
      task->Reap();
    }
  }

  absl::StatusOr<Kind> AddKind(const Options& options, int ready);
  absl::StatusOr<Id> Start(Function function, Kind number, Ends ends);
  Finished WaitAny(absl::Duration limit);
  void Interrupt();
  void Terminate(Id id);
  void Cancel(Id id);
  pid_t ProcessOf(Id id) const;
  size_t running() const { return tasks_.size(); }
  const std::vector<Loss>& losses() const { return losses_; }
  const Options& options(Kind kind) const { return kinds_[kind].options; }
  // This is a fork of the process that owns the sandboxes.
  bool forked() const { return generation_ != ForkGeneration(); }

 private:
  struct Sandboxes {
    Options options;
    std::unique_ptr<SandboxSupply> supply;
  };

  static absl::Status TryToEnter(Sandboxes& kind);
  static Joined Fork(const Sandboxes& kind, const Sandbox& sandbox, EnterPlan& plan,
                     const Nonce& nonce, Function function);
  absl::StatusOr<Id> Adopt(const Sandboxes& kind, const Joined& joined, Sandbox sandbox,
                           TaskPipes pipes, const Nonce& nonce, Ends ends);
  void ComeBack();
  void WaitForEvents(absl::Time deadline);
  static void SetEnvironment(const Sandboxes& kind);
  [[noreturn]] static void RunTest(const Sandboxes& kind, int64_t files, const EnterPlan& plan,
                                   const Nonce& nonce, Function function) noexcept;

  std::vector<Sandboxes> kinds_;
  std::vector<Loss> losses_;
  const Fd interrupt_;  // an eventfd
  std::map<Id, std::unique_ptr<Task>> tasks_;
  Id next_id_ = 1;
  absl::Time left_ = absl::InfinitePast();  // when WaitAny returned last
  const int generation_ = ForkGeneration();
};

void Executor::Impl::SetEnvironment(const Sandboxes& kind) {
  if (!kind.supply->scratch().empty()) {
    setenv("TEST_TMPDIR", kind.supply->scratch().c_str(), 1);
    setenv("TMPDIR", kind.supply->scratch().c_str(), 1);
  }
  for (const std::string& name : kind.options.hidden_environment) {
    unsetenv(name.c_str());
  }
  for (const auto& [name, value] : kind.options.environment) {
    setenv(name.c_str(), value.c_str(), 1);
  }
}

// The test process.  noexcept: an exception must not unwind into frames that
// belong to the runner.
void Executor::Impl::RunTest(const Sandboxes& kind, int64_t files, const EnterPlan& plan,
                             const Nonce& nonce, Function function) noexcept {
  internal::Enter(plan);
  // The user's code may run from here on, and so may malloc.
  internal::ResetCoverage();
  internal::DisownDescriptors();
  SetEnvironment(kind);
  internal::PrintLineByLine();
  if (kind.supply->audit_token() != 0) {
    internal::SetAuditToken(kind.supply->audit_token());
  }
  Reporter reporter(plan.report, plan.out, nonce, kind.supply->leak_plan());
  if (!reporter.Begin(files).ok()) {
    internal::raw::Exit(internal::kNotIsolatedExitCode);
  }
  if (kind.options.leaks_from_start) {
    reporter.BeginLeakCheck(/*fresh=*/true);
  }
  reporter.Finish(function(reporter));
}

// Each attempt asks for less than the one before.
absl::StatusOr<Executor::Kind> Executor::Impl::AddKind(const Options& options, int ready) {
  Sandboxes kind = {options, nullptr};
  std::vector<Loss> losses;
  for (;;) {
    absl::StatusOr<std::unique_ptr<SandboxSupply>> supply =
        SandboxSupply::Create(kind.options, ready);
    absl::Status status = supply.status();
    if (status.ok()) {
      kind.supply = *std::move(supply);
      status = kind.options.preferred.any() ? TryToEnter(kind) : absl::OkStatus();
    }
    if (status.ok()) {
      break;
    }
    const absl::optional<Loss> loss = LossOf(status, kind.options);
    if (!loss.has_value()) {
      return Explained(status);
    }
    losses.push_back(*loss);
    kind.options = Without(std::move(kind.options), loss->kinds);
  }
  losses_.insert(losses_.end(), losses.begin(), losses.end());
  kinds_.push_back(std::move(kind));
  return kinds_.size() - 1;
}

// That a sandbox can be made does not say that a process can be put into it, which is found out
// later elsewhere; but later nothing may be done without.
absl::Status Executor::Impl::TryToEnter(Sandboxes& kind) {
  Impl trial((Fd()));
  trial.kinds_.push_back(std::move(kind));
  absl::Status status =
      trial.Start([](Reporter&) { return 0; }, kDefaultKind, Ends::kByReturning).status();
  if (status.ok()) {
    status = trial.WaitAny(absl::InfiniteDuration()).result.status();
  }
  kind = std::move(trial.kinds_.front());
  return status;
}

absl::StatusOr<Executor::Id> Executor::Impl::Start(Function function, Kind number, Ends ends) {
  if (number >= kinds_.size()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no kind ", number, " of sandboxes"));
  }
  const Sandboxes& kind = kinds_[number];
  const absl::Time started = internal::RealtimeNow();
  absl::StatusOr<Sandbox> sandbox =
      kind.supply->Take(running() == 0 ? kPatience : kPatienceBesideOthers);
  if (!sandbox.ok()) {
    return sandbox.status();
  }
  sandbox->times().started = started;
  sandbox->times().forked = internal::RealtimeNow();
  absl::StatusOr<TaskPipes> pipes = internal::MakeTaskPipes(kind.options);
  if (!pipes.ok()) {
    return pipes.status();
  }
  const absl::StatusOr<Nonce> nonce = MakeNonce();
  if (!nonce.ok()) {
    return nonce.status();
  }
  Entry entry;
  if (absl::Status status = entry.Prepare(kind.options, *kind.supply, *sandbox, *pipes);
      !status.ok()) {
    return status;
  }
  // What it has from the caller is gone when it executes a program.
  entry.plan().check_memory = ends == Ends::kByReturning;
  entry.plan().executes = ends == Ends::kByExiting;
  const Joined joined = Fork(kind, *sandbox, entry.plan(), *nonce, function);
  kind.supply->Replenish();
  if (joined.pid < 0) {
    return ToStatus({joined.step, joined.error, ""});
  }
  return Adopt(kind, joined, *std::move(sandbox), *std::move(pipes), *nonce, ends);
}

// Returns in the runner only.
Joined Executor::Impl::Fork(const Sandboxes& kind, const Sandbox& sandbox, EnterPlan& plan,
                            const Nonce& nonce, Function function) {
  int namespaces = kind.supply->namespaces();
  if (sandbox.in_user_namespace()) {
    namespaces |= CLONE_NEWUSER;
  }
  // What stands in buffers now would be written by both.
  internal::FlushStreams();
  const internal::ScopedSignalBlock block;
  plan.signal_mask = block.before();
  const Joined joined = internal::ForkInto(sandbox.init(), sandbox.root(), namespaces);
  if (joined.pid == 0) {
    plan.gate = joined.gate;
    RunTest(kind, sandbox.files(), plan, nonce, function);
  }
  return joined;
}

absl::StatusOr<Executor::Id> Executor::Impl::Adopt(const Sandboxes& kind, const Joined& joined,
                                                   Sandbox sandbox, TaskPipes pipes,
                                                   const Nonce& nonce, Ends ends) {
  int error = joined.error;
  Fd process(joined.process);
  if (process.valid()) {
    process = internal::AboveStandardStreams(std::move(process));
    error = errno;
  }
  auto task =
      std::make_unique<Task>(joined.pid, std::move(process), std::move(sandbox),
                             Task::Pipes{std::move(pipes.report.ours), std::move(pipes.out.ours),
                                         std::move(pipes.err.ours)},
                             nonce, kind.options, ends, kind.supply->passed_over());
  if (task->Descriptor(Task::kProcess) < 0) {
    task->Kill();
    task->Reap();
    return ToStatus({Step::kForkTest, error, ""});
  }
  const Id id = next_id_++;
  tasks_.emplace(id, std::move(task));
  return id;
}

// A process that waits for somebody to read what it wrote is not at fault.
void Executor::Impl::ComeBack() {
  const absl::Time now = MonotonicNow();
  for (auto& [id, task] : tasks_) {
    task->Postpone(now - std::max(left_, task->started()));
  }
}

Executor::Finished Executor::Impl::WaitAny(absl::Duration limit) {
  if (tasks_.empty()) {
    return {0, absl::FailedPreconditionError("nothing runs that could be waited for"), nullptr};
  }
  ComeBack();
  const absl::Time until = MonotonicNow() + limit;
  for (;;) {
    for (auto& [id, task] : tasks_) {
      if (task->finished()) {
        Finished finished{id, task->Take(), task->TakeKept()};
        tasks_.erase(id);
        left_ = MonotonicNow();
        return finished;
      }
    }
    WaitForEvents(until);
    if (eventfd_t count; eventfd_read(interrupt_.get(), &count) == 0) {
      left_ = MonotonicNow();
      return {0, absl::CancelledError("the wait was interrupted"), nullptr};
    }
    const absl::Time now = MonotonicNow();
    bool finished = false;
    for (auto& [id, task] : tasks_) {
      if (!task->finished() && task->deadline() <= now) {
        task->OnDeadline(now);
      }
      finished = finished || task->finished();
    }
    if (!finished && until <= now) {
      left_ = now;
      return {0, absl::DeadlineExceededError("nothing ended within the limit of the wait"),
              nullptr};
    }
  }
}

// Waits until a descriptor is readable or a time limit is over, `deadline` or a
// task's own, and lets each task take what has come.
void Executor::Impl::WaitForEvents(absl::Time deadline) {
  struct Wait {
    Task* task;
    Task::Source source;
  };
  std::vector<pollfd> descriptors;
  std::vector<Wait> waits;
  const absl::Time now = MonotonicNow();
  for (auto& [id, task] : tasks_) {
    const bool quiet = now < task->quiet_until();
    deadline = std::min({deadline, task->deadline(), quiet ? task->quiet_until() : deadline});
    for (int i = 0; i < Task::kSourceCount; ++i) {
      const auto source = static_cast<Task::Source>(i);
      if (quiet && Task::IsPipe(source)) {
        continue;
      }
      if (const int descriptor = task->Descriptor(source); descriptor >= 0) {
        descriptors.push_back({descriptor, POLLIN, 0});
        waits.push_back({task.get(), source});
      }
    }
  }
  descriptors.push_back({interrupt_.get(), POLLIN, 0});
  timespec timeout;
  const bool limited = deadline != absl::InfiniteFuture();
  if (limited) {
    timeout = absl::ToTimespec(std::max(deadline - now, absl::ZeroDuration()));
  }
  if (ppoll(descriptors.data(), descriptors.size(), limited ? &timeout : nullptr, nullptr) <= 0) {
    return;
  }
  for (size_t i = 0; i < waits.size(); ++i) {
    // A source may have been closed by what another one of the same task said.
    if (descriptors[i].revents != 0 &&
        waits[i].task->Descriptor(waits[i].source) == descriptors[i].fd) {
      waits[i].task->OnReady(waits[i].source);
    }
  }
}

void Executor::Impl::Interrupt() {
  const int error = errno;
  (void)eventfd_write(interrupt_.get(), 1);
  errno = error;
}

void Executor::Impl::Terminate(Id id) {
  const auto task = tasks_.find(id);
  if (task != tasks_.end()) {
    task->second->Terminate(MonotonicNow());
  }
}

void Executor::Impl::Cancel(Id id) {
  const auto task = tasks_.find(id);
  if (task != tasks_.end()) {
    task->second->Kill();
    task->second->Reap();
    tasks_.erase(task);
  }
}

pid_t Executor::Impl::ProcessOf(Id id) const {
  const auto task = tasks_.find(id);
  return task != tasks_.end() ? task->second->pid() : 0;
}

absl::StatusOr<std::unique_ptr<Executor>> Executor::Create(const Options& options, int ready) {
  if (ready < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("ready: ", ready, " sandboxes cannot be kept ready; give 0 or more"));
  }
  Fd interrupt = internal::AboveStandardStreams(Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  if (!interrupt.valid()) {
    return ToStatus({Step::kStandardStreams, errno, ""});
  }
  auto impl = std::make_unique<Impl>(std::move(interrupt));
  if (absl::Status status = impl->AddKind(options, ready).status(); !status.ok()) {
    return status;
  }
  return std::unique_ptr<Executor>(new Executor(std::move(impl)));
}

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Executor::~Executor() {
  if (impl_->forked()) {
    // The sandboxes belong to the parent.
    (void)impl_.release();
  }
}

absl::StatusOr<Executor::Kind> Executor::AddKind(const Options& options) {
  return impl_->AddKind(options, /*ready=*/0);
}

absl::StatusOr<Executor::Id> Executor::Start(Function function, Kind kind) {
  absl::StatusOr<Id> id = impl_->Start(function, kind, Ends::kByReturning);
  return id.ok() ? id : Explained(id.status());
}

absl::StatusOr<Executor::Id> Executor::StartCommand(const std::vector<std::string>& argv) {
  if (argv.empty()) {
    return absl::InvalidArgumentError("the command is empty: argv[0] must name a program");
  }
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) {
    if (argument.find('\0') != std::string::npos) {
      return absl::InvalidArgumentError("an argument of the command contains a NUL byte");
    }
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const auto execute = [&](Reporter& reporter) -> int {
    execvp(arguments[0], arguments.data());
    reporter.FailExec(arguments[0]);
  };
  absl::StatusOr<Id> id = impl_->Start(execute, kDefaultKind, Ends::kByExiting);
  return id.ok() ? id : Explained(id.status());
}

Executor::Finished Executor::WaitAny(absl::Duration limit) { return impl_->WaitAny(limit); }

void Executor::Interrupt() { impl_->Interrupt(); }

void Executor::Terminate(Id id) { impl_->Terminate(id); }

void Executor::Cancel(Id id) { impl_->Cancel(id); }

pid_t Executor::ProcessOf(Id id) const { return impl_->ProcessOf(id); }

const std::vector<Executor::Loss>& Executor::losses() const { return impl_->losses(); }

const Options& Executor::options(Kind kind) const { return impl_->options(kind); }

size_t Executor::running() const { return impl_->running(); }

}  // namespace isolate
