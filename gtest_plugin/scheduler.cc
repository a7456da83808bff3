#include "gtest_plugin/scheduler.h"

#include <errno.h>
#include <stdio.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "gtest_plugin/full_output.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/history.h"
#include "gtest_plugin/planner.h"
#include "gtest_plugin/running_test.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "gtest_plugin/traits.h"
#include "isolate/executor.h"
#include "isolate/internal/monotonic.h"
#include "isolate/internal/realtime.h"
#include "isolate/isolation.h"
#include "isolate/kept_sandbox.h"
#include "isolate/options.h"
#include "isolate/reporter.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::gtest {

using ::isolate::internal::MonotonicNow;
using ::isolate::internal::RealtimeNow;
using ::testing::TestInfo;
using ::testing::TestSuite;

namespace {

// A limit of the host's is reached, and will not be when a test has ended.
bool IsForLackOfRoom(const absl::Status& status) {
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  if (!failure.has_value()) {
    return false;
  }
  switch (failure->error) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case ETOOMANYREFS:
    case EUSERS:
      return true;
    default:
      return false;
  }
}

// As the process of a snapshot, which runs tests elsewhere, told of one.
bool WasInterrupted(const TestReport& report) {
  return std::any_of(report.test.begin(), report.test.end(), [](const Step& step) {
    return step.property.has_value() && step.property->key == "isolate_outcome" &&
           step.property->value == "interrupted";
  });
}

// "Suite.Test has", or more of them.
std::string NameAndVerb(const Assignment& assignment) {
  const TestInfo& first = *assignment.tests.front();
  return absl::StrCat(
      first.test_suite_name(), ".", first.name(),
      assignment.tests.size() == 1
          ? " has"
          : absl::StrCat(" and the ", assignment.tests.size() - 1, " after it have"));
}

}  // namespace

absl::Status Scheduler::Begin(::testing::UnitTest& unit_test, const SuiteFunctionsMap& functions) {
  // Below 0: for ever, of which each iteration pays for itself.
  iterations_ = static_cast<size_t>(std::max(1, GTEST_FLAG_GET(repeat)));
  for (int i = 0; i < unit_test.total_test_suite_count(); ++i) {
    TestSuite* suite = (unit_test.*MemberOf(internal::SuiteAt{}))(i);
    absl::StatusOr<std::vector<Assignment>> assignments =
        planner_.Plan(*suite, functions.at(suite));
    if (!assignments.ok()) {
      return assignments.status();
    }
    for (Assignment& assignment : *assignments) {
      // The first assignment has the first test.
      first_tests_.emplace(suite, assignment.tests.front());
      Enqueue(std::move(assignment));
    }
  }
  PutLongestFirst();
  return absl::OkStatus();
}

// Longest first keeps all busy to the end: what is started last is short.
void Scheduler::PutLongestFirst() {
  if (history_ == nullptr) {
    return;
  }
  absl::flat_hash_map<const Job*, absl::Duration> expected;
  for (const Job* job : order_) {
    expected.emplace(job, Expected(*job));
  }
  std::stable_sort(order_.begin(), order_.end(),
                   [&](const Job* a, const Job* b) { return expected.at(a) > expected.at(b); });
}

// Of one that has never run it may be anything.
absl::Duration Scheduler::Expected(const Job& job) const {
  absl::Duration expected;
  for (const TestInfo* test : job.assignment.tests) {
    expected += history_->DurationOf(*test).value_or(absl::InfiniteDuration());
  }
  return expected / static_cast<double>(job.slots);
}

// Of a test with a process of its own, with all that it is for the test; an interrupted one says
// nothing.
void Scheduler::NoteDurations(const Job& job, const std::vector<TestReport>& reports) {
  if (history_ == nullptr || ending_) {
    return;
  }
  const Times& times = reports.back().times;
  for (size_t i = 0; i < reports.size(); ++i) {
    history_->Add(*job.assignment.tests[i], job.reports.size() == 1
                                                ? times.ended - times.started
                                                : absl::Milliseconds(reports[i].elapsed_ms));
  }
}

void Scheduler::Begin(const Assignment& assignment) {
  uint32_t stretch = 0;
  for (TestInfo* test : assignment.tests) {
    // Not a copy, which would have room for all of them.
    Assignment one;
    one.suite = assignment.suite;
    one.tests = {test};
    one.functions = assignment.functions;
    one.time_limit = assignment.time_limit;
    one.stretch = ++stretch;
    Enqueue(std::move(one));
  }
}

void Scheduler::Enqueue(Assignment assignment) {
  Job& job = queue_.emplace_back();
  order_.push_back(&job);
  job.assignment = std::move(assignment);
  job.reports.resize(job.assignment.tests.size());
  if (job.assignment.snapshot && job.assignment.scope == Scope::kTest) {
    job.slots = std::min(jobs_, job.reports.size());
  }
  for (size_t i = 0; i < job.reports.size(); ++i) {
    by_test_.insert_or_assign(job.assignment.tests[i], Place{&job, i});
  }
}

absl::StatusOr<TestReport*> Scheduler::Wait(const TestInfo& test) {
  const auto found = by_test_.find(&test);
  if (found == by_test_.end()) {
    return absl::InternalError(absl::StrCat("the test ", test.test_suite_name(), ".", test.name(),
                                            " was not among those that were to run"));
  }
  // By value: a test that a process did not come to is given another place.
  Place place = found->second;
  // gtest's order may be another one than it showed; then this test comes first, unless the longest
  // do.
  while (!place.job->started) {
    if (history_ != nullptr) {
      if (absl::Status status = Fill(); !status.ok()) {
        return status;
      }
    }
    if (place.job->started) {
      break;
    }
    if (ending_) {
      // It never begins.
      place.job->started = true;
      place.report() = std::make_unique<TestReport>();
    } else if (HasRoomFor(*place.job)) {
      if (absl::Status status = StartOrMakeDo(*place.job); !status.ok()) {
        return status;
      }
    } else if (absl::Status status = Collect(); absl::IsCancelled(status)) {
      TerminateRunning();
    } else if (!status.ok()) {
      return status;
    }
  }
  if (absl::Status status = Fill(); !status.ok()) {
    return status;
  }
  while (place.report() == nullptr) {
    absl::Status status = Collect();
    if (absl::IsCancelled(status)) {
      TerminateRunning();
      continue;
    }
    if (status.ok()) {
      status = Fill();
    }
    if (!status.ok()) {
      return status;
    }
    place = by_test_.at(&test);
    if (!place.job->started) {
      return Wait(test);
    }
  }
  while (ending_ && !by_id_.empty()) {
    (void)Collect();  // for what they have to tell
  }
  return place.report().get();
}

const TestInfo* Scheduler::FirstTestOf(const TestSuite& suite) const {
  const auto found = first_tests_.find(&suite);
  return found != first_tests_.end() ? found->second : nullptr;
}

absl::Duration Scheduler::TimeLimitOf(const TestInfo& test) const {
  return by_test_.at(&test).job->assignment.time_limit;
}

Isolations Scheduler::IsolationOf(const TestInfo& test) const {
  return isolate::IsolationOf(executor_->options(by_test_.at(&test).job->assignment.sandbox));
}

TestReport* Scheduler::ReportOf(const TestInfo& test) {
  const auto found = by_test_.find(&test);
  return found != by_test_.end() ? found->second.report().get() : nullptr;
}

std::unique_ptr<KeptSandbox> Scheduler::TakeSandbox(const TestInfo& test, bool failed) {
  const auto found = by_test_.find(&test);
  if (found == by_test_.end()) {
    return nullptr;
  }
  Job& job = *found->second.job;
  if (job.sandbox == nullptr || !(failed || &test == job.assignment.tests.back())) {
    return nullptr;
  }
  --kept_;
  return std::move(job.sandbox);
}

void Scheduler::Postpone(absl::Duration away) {
  for (const auto& [id, job] : by_id_) {
    job->since += away;
  }
}

void Scheduler::Forget(const TestInfo& test) {
  const auto found = by_test_.find(&test);
  if (found != by_test_.end()) {
    DropReport(found->second);
  }
}

void Scheduler::DropReport(const Place& place) {
  if (place.report() != nullptr) {
    held_bytes_ -= place.report()->size_bytes;
    place.report().reset();
  }
}

void Scheduler::Drop(const TestInfo& test) {
  const auto found = by_test_.find(&test);
  if (found == by_test_.end()) {
    return;
  }
  if (const TestReport* report = found->second.report().get()) {
    RemoveFullOutput(*report);
  }
  DropReport(found->second);
  Job& job = *found->second.job;
  if (++job.dropped < job.reports.size()) {
    return;  // the process has others to run
  }
  if (by_id_.erase(job.id) > 0) {
    executor_->Cancel(job.id);
    GiveUp(job);
  }
  job.started = true;  // so that nothing starts it
  if (job.sandbox != nullptr) {
    job.sandbox.reset();
    --kept_;
  }
}

void Scheduler::End() {
  for (const auto& [id, job] : by_id_) {
    executor_->Cancel(id);
    GiveUp(*job);
  }
  by_id_.clear();
  kept_ = 0;
  by_test_.clear();
  first_tests_.clear();
  interrupted_.clear();
  queue_.clear();
  order_.clear();
  next_ = 0;
  held_bytes_ = 0;
}

absl::Status Scheduler::Start(Job& job) {
  const Assignment& assignment = job.assignment;
  const auto run = [&](Reporter& reporter) {
    Settings settings = settings_;
    settings.scope = assignment.scope;
    settings.options = planner_.OptionsOf(assignment.sandbox);
    return run_(assignment, settings, reporter);
  };
  KeepHugePages();
  const absl::Time now = RealtimeNow();
  const absl::StatusOr<Executor::Id> id = executor_->Start(run, assignment.sandbox);
  if (!id.ok()) {
    return id.status();
  }
  TakeWorkers(job);
  job.started_at = now;
  job.started = true;
  job.id = *id;
  job.since = MonotonicNow();
  job.patience = settings_.slow;
  by_id_.emplace(*id, &job);
  Name(job);
  return absl::OkStatus();
}

size_t Scheduler::ForksToCome() const { return (order_.size() - next_) * iterations_; }

// What the first iteration did not pay for, a later one does not either.  gtest writes down in the
// runner's memory what became of each test, and so takes huge pages apart.
void Scheduler::KeepHugePages() {
  if (!has_huge_pages_) {
    has_huge_pages_ = true;
    const absl::Time begin = MonotonicNow();
    if (huge_pages_.Use(ForksToCome()) > 0) {
      for (ProcessObserver* observer : observers_) {
        observer->OnHugePages(MonotonicNow() - begin);
      }
    }
  } else if (++forks_ == kForksBetween) {
    forks_ = 0;
    huge_pages_.Restore(ForksToCome());
  }
}

// Of several tests in one process nobody out here knows which one it has come to; those of a
// snapshot run in processes of their own, which that process names.
void Scheduler::Name(const Job& job) {
  const Assignment& assignment = job.assignment;
  RunningTest running{executor_->ProcessOf(job.id), assignment.suite->name(), ""};
  if (assignment.tests.size() == 1 && !assignment.snapshot) {
    running.test = assignment.tests.front()->name();
  }
  running_tests_.Set(static_cast<size_t>(job.workers.front()), running);
}

// The lowest that are free: there are as many.
void Scheduler::TakeWorkers(Job& job) {
  busy_ += job.slots;
  for (size_t worker = 0; job.workers.size() < job.slots; ++worker) {
    if (is_free_[worker]) {
      is_free_[worker] = false;
      job.workers.push_back(static_cast<int>(worker));
    }
  }
}

void Scheduler::FreeWorkers(Job& job) {
  running_tests_.Clear(static_cast<size_t>(job.workers.front()));
  busy_ -= job.slots;
  for (const int worker : job.workers) {
    is_free_[static_cast<size_t>(worker)] = true;
  }
  job.workers = {};
}

// Its process is gone, and nothing of it is known.
void Scheduler::GiveUp(Job& job) {
  for (ProcessObserver* observer : observers_) {
    observer->OnProcessLost(job.assignment, job.workers, job.started_at);
  }
  FreeWorkers(job);
}

// Where the host has no room for one more while others run, those will do: then
// fewer run at once from here on, and this one is started later.
absl::Status Scheduler::StartOrMakeDo(Job& job) {
  absl::Status status = Start(job);
  if (absl::IsCancelled(status)) {
    TerminateRunning();
    return absl::OkStatus();
  }
  if (status.ok() || executor_->running() == 0 || !IsForLackOfRoom(status)) {
    return status;
  }
  jobs_ = busy_;
  fprintf(stderr,
          "isolate: from here on at most %d tests run at once, as the host has no room:\n%s\n",
          static_cast<int>(jobs_), std::string(status.message()).c_str());
  return absl::OkStatus();
}

// A sandbox that is kept takes room, too, until gtest has come to its test.
bool Scheduler::HasRoomAhead(const Job& job) const {
  return busy_ + kept_ == 0 || busy_ + kept_ + job.slots <= jobs_;
}

absl::Status Scheduler::Fill() {
  while (next_ < order_.size() && held_bytes_ < kMaxHeldBytes && !ending_) {
    Job& job = *order_[next_];
    if (!job.started) {
      if (!HasRoomAhead(job)) {
        break;
      }
      if (absl::Status status = StartOrMakeDo(job); !status.ok()) {
        return status;
      }
    }
    if (job.started) {
      ++next_;
    }
  }
  return absl::OkStatus();
}

void Scheduler::TerminateRunning() {
  ending_ = true;
  for (const Job& job : queue_) {
    if (by_id_.count(job.id) > 0) {
      interrupted_.push_back(&job);
      executor_->Terminate(job.id);
    }
  }
}

std::vector<Scheduler::Interrupted> Scheduler::interrupted() const {
  std::vector<Interrupted> interrupted;
  for (const Job* job : interrupted_) {
    const std::vector<TestInfo*>& tests = job->assignment.tests;
    if (job->assignment.snapshot) {
      for (size_t i = 0; i < tests.size(); ++i) {
        if (job->reports[i] != nullptr && WasInterrupted(*job->reports[i])) {
          interrupted.push_back({tests[i], job->reports[i].get()});
        }
      }
      continue;
    }
    // The last one of which there is a report.
    size_t last = tests.size() - 1;
    while (last > 0 && job->reports[last] == nullptr) {
      --last;
    }
    interrupted.push_back({tests[last], job->reports[last].get()});
  }
  return interrupted;
}

void Scheduler::NameSlow(absl::Time now) {
  for (const auto& [id, job] : by_id_) {
    const absl::Duration ran = now - job->since;
    if (ran >= job->patience) {
      fflush(stdout);
      fprintf(stderr, "isolate: %s been running for %s\n", NameAndVerb(job->assignment).c_str(),
              absl::FormatDuration(absl::Trunc(ran, absl::Milliseconds(1))).c_str());
      job->patience = 2 * ran;
    }
  }
}

// The next one that has ended; Cancelled where all have to end.
Executor::Finished Scheduler::WaitAny() {
  for (;;) {
    absl::Time next = ending_ ? absl::InfiniteFuture() : deadline_;
    for (const auto& [id, job] : by_id_) {
      next = std::min(next, job->since + job->patience);
    }
    Executor::Finished finished = executor_->WaitAny(next - MonotonicNow());
    if (!absl::IsDeadlineExceeded(finished.result.status())) {
      return finished;
    }
    const absl::Time now = MonotonicNow();
    if (now >= deadline_ && !ending_) {
      return {0, absl::CancelledError("the run's time is over"), nullptr};
    }
    NameSlow(now);
  }
}

absl::Status Scheduler::Collect() {
  Executor::Finished finished = WaitAny();
  const auto found = by_id_.find(finished.id);
  if (found == by_id_.end()) {
    return finished.result.status();  // of the wait itself
  }
  Job& job = *found->second;
  by_id_.erase(found);
  if (!finished.result.ok()) {
    GiveUp(job);
    return finished.result.status();
  }
  job.sandbox = std::move(finished.sandbox);
  kept_ += job.sandbox != nullptr ? 1 : 0;
  Result result = *std::move(finished.result);
  if (translation_ != nullptr) {
    result = translation_(job.assignment, std::move(result));
  }
  std::vector<TestReport> reports = MakeTestReports(std::move(result), job.reports.size());
  SayWhere(job, reports);
  const bool interrupted =
      std::find(interrupted_.begin(), interrupted_.end(), &job) != interrupted_.end();
  for (ProcessObserver* observer : observers_) {
    observer->OnProcessEnd(job.assignment, job.workers, reports, interrupted);
  }
  NoteDurations(job, reports);
  FreeWorkers(job);
  for (const TestReport& report : reports) {
    if (!report.not_isolated.empty()) {
      return absl::UnavailableError(report.not_isolated);
    }
  }
  Distribute(job, std::move(reports));
  return absl::OkStatus();
}

void Scheduler::SayWhere(const Job& job, std::vector<TestReport>& reports) const {
  const absl::Time started = reports.back().times.started;
  const bool is_shared = job.reports.size() > 1;
  for (TestReport& report : reports) {
    if (report.own_process.has_value()) {
      const size_t worker = std::min<size_t>(report.own_process->worker, job.workers.size() - 1);
      report.worker = job.workers[worker];
      report.running_since = report.own_process->started;
    } else {
      report.worker = job.workers.front();
      report.running_since = is_shared ? std::max(started, report.started_at) : started;
    }
  }
}

// What the process did not come to, another one has to run.
void Scheduler::Distribute(Job& job, std::vector<TestReport> reports) {
  for (size_t i = 0; i < reports.size(); ++i) {
    held_bytes_ += reports[i].size_bytes;
    job.reports[i] = std::make_unique<TestReport>(std::move(reports[i]));
  }
  if (reports.size() == job.reports.size()) {
    return;
  }
  const auto first_left =
      job.assignment.tests.begin() + static_cast<std::ptrdiff_t>(reports.size());
  Assignment rest = job.assignment;
  rest.tests.assign(first_left, job.assignment.tests.end());
  job.assignment.tests.erase(first_left, job.assignment.tests.end());
  job.assignment.tests.shrink_to_fit();
  job.reports.resize(reports.size());
  job.reports.shrink_to_fit();
  Enqueue(std::move(rest));
}

TestReport& Scheduler::LastOfProcess(const TestInfo& test) {
  auto& reports = by_test_.at(&test).job->reports;
  return **std::find_if(reports.rbegin(), reports.rend(),
                        [](const auto& report) { return report != nullptr; });
}

}  // namespace isolate::gtest
