#include "gtest_plugin/timeline.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "isolate/result.h"

namespace isolate::gtest {
namespace {

constexpr char kPhase[] = "phase";

class SliceList {
 public:
  explicit SliceList(int worker) : worker_(worker) {}

  Slice& Add(std::string name, const char* category, absl::Time begun, absl::Time ended) {
    Slice slice;
    slice.name = std::move(name);
    slice.category = category;
    slice.begun = begun;
    slice.ended = ended;
    slice.worker = worker_;
    slices_.push_back(std::move(slice));
    return slices_.back();
  }

  // A stretch of the process's life, if both of its ends are known.
  void AddPhase(std::string name, absl::Time begun, absl::Time ended) {
    if (begun != absl::InfinitePast() && ended != absl::InfinitePast()) {
      Add(std::move(name), kPhase, begun, ended);
    }
  }

  std::vector<Slice> Take() { return std::move(slices_); }

 private:
  const int worker_;
  std::vector<Slice> slices_;
};

// The tests that had processes of their own, all after the suite's set-up and before its tear-down.
// If that is not what the suite's process told, or they overlap, they are cut.
void AddOwnProcesses(const TimedProcess& process, std::vector<Slice>& slices) {
  const TestReport& last_report = process.reports->back();
  const absl::Time first = process.reports->front().started_at;
  const absl::Time end = last_report.ended ? last_report.ended_at : last_report.times.ended;
  const auto within = [&](absl::Time time) { return std::min(std::max(time, first), end); };
  std::vector<Slice> own;
  for (size_t i = 0; i < process.reports->size(); ++i) {
    const TestReport& report = (*process.reports)[i];
    if (!report.own_process.has_value()) {
      continue;
    }
    Slice slice;
    slice.name = absl::StrCat(process.suite, ".", process.tests[i]);
    slice.category = "process";
    slice.begun = within(report.own_process->started);
    slice.ended = within(report.own_process->over);
    slice.worker = report.worker;
    slice.test = &report;
    own.push_back(std::move(slice));
  }
  std::stable_sort(own.begin(), own.end(), [](const Slice& a, const Slice& b) {
    return a.worker != b.worker ? a.worker < b.worker : a.begun < b.begun;
  });
  const Slice* last = nullptr;
  for (Slice& slice : own) {
    if (last != nullptr && last->worker == slice.worker) {
      slice.begun = std::max(slice.begun, last->ended);
      slice.ended = std::max(slice.ended, slice.begun);
    }
    last = &slice;
  }
  std::move(own.begin(), own.end(), std::back_inserter(slices));
}

}  // namespace

TimedProcess ProcessOf(const Assignment& assignment, const std::vector<int>& workers,
                       bool executed) {
  TimedProcess process;
  process.suite = assignment.suite->name();
  for (const auto* test : assignment.tests) {
    process.tests.emplace_back(test->name());
  }
  process.workers = workers;
  process.snapshot = assignment.snapshot;
  process.executed = executed;
  return process;
}

std::string NameOf(const TimedProcess& process) {
  return process.tests.size() == 1 ? absl::StrCat(process.suite, ".", process.tests.front())
                                   : process.suite;
}

std::vector<Slice> SlicesOf(const TimedProcess& process) {
  const std::vector<TestReport>& reports = *process.reports;
  const Times& times = reports.back().times;
  SliceList slices(process.workers.front());
  slices.Add(NameOf(process), "process", times.started, times.over).process = &reports.back();
  slices.AddPhase("wait for a sandbox", times.started, times.forked);
  if (times.entered == absl::InfinitePast()) {
    slices.AddPhase("fork and enter", times.forked, times.ended);
  } else {
    slices.AddPhase("fork and enter", times.forked, times.entered);
    const bool none_started = !reports.front().started;
    slices.AddPhase(process.executed ? "execute, main and SetUpTestSuite" : "SetUpTestSuite",
                    times.entered, none_started ? times.ended : reports.front().started_at);
    for (size_t i = 0; i < reports.size() && !process.snapshot; ++i) {
      if (reports[i].started) {
        slices
            .Add(process.tests[i], "test", reports[i].started_at,
                 reports[i].ended ? reports[i].ended_at : times.ended)
            .test = &reports[i];
      }
    }
    if (reports.back().ended) {
      slices.AddPhase("TearDownTestSuite and leak look", reports.back().ended_at, times.ended);
    }
  }
  slices.AddPhase("post-mortem", times.ended, times.looked);
  slices.AddPhase("end of the sandbox", std::max(times.ended, times.looked), times.over);
  std::vector<Slice> all = slices.Take();
  AddOwnProcesses(process, all);
  return all;
}

size_t Lanes::Place(absl::Time begun, absl::Time ended) {
  // The one that has been free for the shortest time: the others may be needed for an earlier one.
  size_t best = ends_.size();
  for (size_t lane = 0; lane < ends_.size(); ++lane) {
    if (ends_[lane] <= begun && (best == ends_.size() || ends_[lane] > ends_[best])) {
      best = lane;
    }
  }
  if (best == ends_.size()) {
    ends_.push_back(ended);
  }
  ends_[best] = ended;
  return best;
}

}  // namespace isolate::gtest
