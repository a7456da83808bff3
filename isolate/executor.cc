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
#include "isolate/internal/audit_mark.h"
#include "isolate/internal/capture.h"
#include "isolate/internal/coverage.h"
#include "isolate/internal/enter.h"
#include "isolate/internal/entry.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/fork_generation.h"
#include "isolate/internal/join.h"
#include "isolate/internal/monotonic.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/realtime.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/internal/signals.h"
#include "isolate/internal/streams.h"
#include "isolate/internal/task.h"
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

absl::StatusOr<Nonce> MakeNonce() {
  Nonce nonce;
  if (getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size())) {
    return absl::ErrnoToStatus(errno, "cannot get random bytes");
  }
  return nonce;
}

}  // namespace

class Executor::Impl {
 public:
  Impl(const Options& options, std::unique_ptr<SandboxSupply> supply, Fd interrupt)
      : interrupt_(std::move(interrupt)) {
    kinds_.push_back({options, std::move(supply)});
  }

  ~Impl() {
    for (auto& [id, task] : tasks_) {
      task->Kill();
      task->Reap();
    }
  }

  absl::StatusOr<Kind> AddKind(const Options& options);
  absl::StatusOr<Id> Start(Function function, Kind number, Ends ends);
  Finished WaitAny(absl::Duration limit);
  void Interrupt();
  void Terminate(Id id);
  void Cancel(Id id);
  pid_t ProcessOf(Id id) const;
  size_t running() const { return tasks_.size(); }
  // This is a fork of the process that owns the sandboxes.
  bool forked() const { return generation_ != ForkGeneration(); }

 private:
  struct Sandboxes {
    Options options;
    std::unique_ptr<SandboxSupply> supply;
  };

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

absl::StatusOr<Executor::Kind> Executor::Impl::AddKind(const Options& options) {
  absl::StatusOr<std::unique_ptr<SandboxSupply>> supply =
      SandboxSupply::Create(options, /*ready=*/0);
  if (!supply.ok()) {
    return supply.status();
  }
  kinds_.push_back({options, *std::move(supply)});
  return kinds_.size() - 1;
}

absl::StatusOr<Executor::Id> Executor::Impl::Start(Function function, Kind number, Ends ends) {
  if (number >= kinds_.size()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no kind ", number, " of sandboxes"));
  }
  const Sandboxes& kind = kinds_[number];
  const absl::Time started = internal::RealtimeNow();
  absl::StatusOr<Sandbox> sandbox = kind.supply->Take();
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
  absl::StatusOr<std::unique_ptr<SandboxSupply>> supply = SandboxSupply::Create(options, ready);
  if (!supply.ok()) {
    return supply.status();
  }
  Fd interrupt = internal::AboveStandardStreams(Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  if (!interrupt.valid()) {
    return ToStatus({Step::kStandardStreams, errno, ""});
  }
  return std::unique_ptr<Executor>(
      new Executor(std::make_unique<Impl>(options, *std::move(supply), std::move(interrupt))));
}

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Executor::~Executor() {
  if (impl_->forked()) {
    // The sandboxes belong to the parent.
    (void)impl_.release();
  }
}

absl::StatusOr<Executor::Kind> Executor::AddKind(const Options& options) {
  return impl_->AddKind(options);
}

absl::StatusOr<Executor::Id> Executor::Start(Function function, Kind kind) {
  return impl_->Start(function, kind, Ends::kByReturning);
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
  return impl_->Start(execute, kDefaultKind, Ends::kByExiting);
}

Executor::Finished Executor::WaitAny(absl::Duration limit) { return impl_->WaitAny(limit); }

void Executor::Interrupt() { impl_->Interrupt(); }

void Executor::Terminate(Id id) { impl_->Terminate(id); }

void Executor::Cancel(Id id) { impl_->Cancel(id); }

pid_t Executor::ProcessOf(Id id) const { return impl_->ProcessOf(id); }

size_t Executor::running() const { return impl_->running(); }

}  // namespace isolate
