#ifndef GTEST_PLUGIN_SCHEDULER_H_
#define GTEST_PLUGIN_SCHEDULER_H_

// Starts tests ahead, up to so many at once, in the order in which gtest will
// ask for them, and keeps their reports until it does.  Lives in the runner.

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/history.h"
#include "gtest_plugin/planner.h"
#include "gtest_plugin/running_tests.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "isolate/executor.h"
#include "isolate/internal/huge_pages.h"
#include "isolate/isolation.h"
#include "isolate/kept_sandbox.h"
#include "isolate/reporter.h"
#include "isolate/result.h"

namespace isolate::gtest {

using SuiteFunctionsMap = absl::flat_hash_map<const ::testing::TestSuite*, SuiteFunctions>;

// Hears of each process when it has ended.
class ProcessObserver {
 public:
  virtual ~ProcessObserver() = default;

  // `workers`: which of the scheduler's slots it had, one for each of its tests that could run at
  // once; it ran in the first.  `reports`: MakeTestReports'.  `interrupted`: with the run.
  virtual void OnProcessEnd(const Assignment& assignment, const std::vector<int>& workers,
                            const std::vector<TestReport>& reports, bool interrupted) = 0;

  // It was started then, by CLOCK_REALTIME, and nothing of what it told is known.
  virtual void OnProcessLost(const Assignment& assignment, const std::vector<int>& workers,
                             absl::Time started) = 0;

  // Before the first was forked, the runner's memory was put into huge pages, which took so long.
  virtual void OnHugePages(absl::Duration) {}
};

class Scheduler {
 public:
  // What a test process does; its value is the exit code.  The settings are those that hold for the
  // assignment.
  using Run = std::function<int(const Assignment& assignment, const Settings& settings,
                                Reporter& reporter)>;

  // Runs up to as many tests at once as the settings say; fewer, and says so, where the host
  // has no room for as many.  Names on stderr tests that run for longer than the settings'
  // `slow`.  At `deadline`, a MonotonicNow, it ends all that runs, as after Interrupt.
  Scheduler(std::unique_ptr<Executor> executor, const Settings& settings, absl::Time deadline,
            Run run)
      : run_(std::move(run)),
        settings_(settings),
        executor_(std::move(executor)),
        planner_(*executor_, settings_),
        jobs_(static_cast<size_t>(settings.jobs)),
        is_free_(jobs_, true),
        deadline_(deadline) {}

  // `observer` must outlive it, or End.
  void AddObserver(ProcessObserver* observer) { observers_.push_back(observer); }

  // Has the tests that took longest before start first, and notes how long they take; those that
  // `history` does not know come before all.  It must outlive it, or End.
  void set_history(History* history) { history_ = history; }

  // What turns what a process came to into what MakeTestReports takes, for tests that do not tell
  // of themselves in events; empty: it is that already.
  using Translation = std::function<Result(const Assignment& assignment, Result result)>;
  void set_translation(Translation translation) { translation_ = std::move(translation); }

  // Takes over the tests that may run in this iteration, in gtest's order.
  // Starts none: gtest may yet skip them all.  `functions` holds the suites' own
  // functions.  The errors and the cost are Planner::Plan's, for all suites.
  absl::Status Begin(::testing::UnitTest& unit_test, const SuiteFunctionsMap& functions);

  // Takes over the tests of an assignment, each for a process of its own.
  void Begin(const Assignment& assignment);

  // Waits for a test's report, and keeps the other slots busy meanwhile, with
  // this test and those after it.  The report is kept until Forget.
  absl::StatusOr<TestReport*> Wait(const ::testing::TestInfo& test);

  // The last report of the process in which the test ran, which tells how that ended.  After
  // Wait(test), and before a report of that process is forgotten.
  TestReport& LastOfProcess(const ::testing::TestInfo& test);

  // The first test of the suite that will run; null if none will.
  const ::testing::TestInfo* FirstTestOf(const ::testing::TestSuite& suite) const;

  // The time limit that a test has; of those that Begin took over.
  absl::Duration TimeLimitOf(const ::testing::TestInfo& test) const;

  // From what a test is kept apart; of those that Begin took over.
  Isolations IsolationOf(const ::testing::TestInfo& test) const;

  // What the host refused, and the settings allow to do without (Executor::losses).
  const std::vector<Executor::Loss>& losses() const { return executor_->losses(); }

  // A test's report, if there is one already.
  TestReport* ReportOf(const ::testing::TestInfo& test);

  // The sandbox of the process in which the test ran, if it was kept, and the test failed or was
  // the last that ran there; once.  `failed`: so it did.
  std::unique_ptr<KeptSandbox> TakeSandbox(const ::testing::TestInfo& test, bool failed);

  // Of the time that each test has run, this was spent elsewhere than in a Wait: it does not make
  // the test slow.
  void Postpone(absl::Duration away);

  // Gives a report's memory back.
  void Forget(const ::testing::TestInfo& test);

  // Ends a test whose report nobody will want, or sees to it that it never runs.
  void Drop(const ::testing::TestInfo& test);

  // Kills what runs, and forgets everything.
  void End();

  // Makes the Wait that waits now, or else the next one, end all that runs; it gives
  // the report of its test as far as that came, and nothing is started any more.
  // Async-signal-safe.
  void Interrupt() { executor_->Interrupt(); }

  // A Wait was interrupted, or the deadline passed.
  bool ending() const { return ending_; }

  struct Interrupted {
    const ::testing::TestInfo* test;
    const TestReport* report;  // until Forget or Drop; null: none could be had
  };
  // The tests that ran when a Wait was interrupted, in gtest's order; of a snapshot, which has told
  // of them itself, those that it ended.
  std::vector<Interrupted> interrupted() const;

 private:
  // What one process runs.
  struct Job {
    Assignment assignment;
    // A report for each test; null: there is none, or not any more.
    std::vector<std::unique_ptr<TestReport>> reports;
    std::unique_ptr<KeptSandbox> sandbox;  // of its process, which failed
    size_t slots = 1;                      // how many of its tests may run at once
    size_t dropped = 0;
    bool started = false;
    Executor::Id id = 0;
    std::vector<int> workers;
    absl::Time started_at;    // by CLOCK_REALTIME
    absl::Time since;         // it was started
    absl::Duration patience;  // how long it may run before it is named
  };
  struct Place {
    Job* job;
    size_t index;  // of the test in the job
    std::unique_ptr<TestReport>& report() const { return job->reports[index]; }
  };

  // Starts nothing ahead while reports of this many bytes wait for gtest.
  static constexpr size_t kMaxHeldBytes = size_t{256} << 20;

  // After how many forks huge pages are restored.
  static constexpr size_t kForksBetween = 1000;

  bool HasRoomFor(const Job& job) const { return busy_ == 0 || busy_ + job.slots <= jobs_; }
  bool HasRoomAhead(const Job& job) const;
  absl::Status Start(Job& job);
  size_t ForksToCome() const;
  void KeepHugePages();
  void Name(const Job& job);
  void TakeWorkers(Job& job);
  void FreeWorkers(Job& job);
  void GiveUp(Job& job);
  void SayWhere(const Job& job, std::vector<TestReport>& reports) const;
  absl::Status StartOrMakeDo(Job& job);
  void Enqueue(Assignment assignment);
  absl::Duration Expected(const Job& job) const;
  void PutLongestFirst();
  void NoteDurations(const Job& job, const std::vector<TestReport>& reports);
  void Distribute(Job& job, std::vector<TestReport> reports);
  void DropReport(const Place& place);
  absl::Status Fill();
  absl::Status Collect();
  Executor::Finished WaitAny();
  void NameSlow(absl::Time now);
  void TerminateRunning();

  const Run run_;
  const Settings settings_;
  const std::unique_ptr<Executor> executor_;
  Planner planner_;
  size_t jobs_;
  size_t busy_ = 0;            // tests that run, or may run
  std::vector<bool> is_free_;  // the workers
  RunningTests running_tests_;
  std::vector<ProcessObserver*> observers_;
  History* history_ = nullptr;
  Translation translation_;
  size_t kept_ = 0;  // sandboxes
  const absl::Time deadline_;
  std::deque<Job> queue_;
  std::vector<Job*> order_;  // in which they are started ahead
  size_t next_ = 0;          // the first of them that Fill has not looked at
  size_t held_bytes_ = 0;
  size_t iterations_ = 1;
  ::isolate::internal::HugePages huge_pages_;
  bool has_huge_pages_ = false;  // as far as that pays
  size_t forks_ = 0;             // since they were restored
  absl::flat_hash_map<const ::testing::TestInfo*, Place> by_test_;
  absl::flat_hash_map<Executor::Id, Job*> by_id_;
  bool ending_ = false;
  std::vector<const Job*> interrupted_;
  absl::flat_hash_map<const ::testing::TestSuite*, const ::testing::TestInfo*> first_tests_;
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_SCHEDULER_H_
