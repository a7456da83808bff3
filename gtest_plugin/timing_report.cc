#include "gtest_plugin/timing_report.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest_plugin/timeline.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::gtest {
namespace {

constexpr double kNanosecondsOfMicrosecond = 1e3;
constexpr double kNanosecondsOfMillisecond = 1e6;

}  // namespace

void TimingReport::Add(const std::string& name, absl::Duration duration) {
  const auto [index, is_new] = indices_.try_emplace(name, steps_.size());
  if (is_new) {
    steps_.push_back({name, {}});
  }
  steps_[index->second].nanoseconds.push_back(absl::ToInt64Nanoseconds(duration));
}

// What has the same name in one process, as "mount a tmpfs", is one step.
void TimingReport::OnProcessEnd(const Assignment& assignment, const std::vector<int>& workers,
                                const std::vector<TestReport>& reports, bool) {
  ++processes_;
  std::vector<std::string> order;
  absl::flat_hash_map<std::string, absl::Duration> durations;
  const auto add = [&](absl::string_view name, absl::Duration duration) {
    const auto [entry, is_new] = durations.try_emplace(std::string(name), absl::ZeroDuration());
    if (is_new) {
      order.emplace_back(name);
    }
    entry->second += duration;
  };
  for (const StepTime& step : reports.back().times.set_up) {
    add(absl::StrCat("set up: ", StepName(step.step)), step.ended - step.begun);
  }
  TimedProcess process = ProcessOf(assignment, workers, executes_);
  process.reports = &reports;
  for (const Slice& slice : SlicesOf(process)) {
    add(slice.test != nullptr      ? "test"
        : slice.process != nullptr ? "process, from the wish for it to its end"
                                   : slice.name,
        slice.ended - slice.begun);
  }
  for (const std::string& name : order) {
    Add(name, durations.at(name));
  }
}

std::string TimingReport::Text() const {
  std::string text =
      absl::StrFormat("isolate: where the time of %d processes went\n%-52s %8s %10s %10s %10s\n",
                      processes_, "step", "times", "median us", "max us", "sum ms");
  for (const Step& step : steps_) {
    std::vector<int64_t> sorted = step.nanoseconds;
    std::sort(sorted.begin(), sorted.end());
    const int64_t sum = std::accumulate(sorted.begin(), sorted.end(), int64_t{0});
    absl::StrAppendFormat(
        &text, "%-52s %8d %10.1f %10.1f %10.1f\n", step.name, sorted.size(),
        static_cast<double>(sorted[sorted.size() / 2]) / kNanosecondsOfMicrosecond,
        static_cast<double>(sorted.back()) / kNanosecondsOfMicrosecond,
        static_cast<double>(sum) / kNanosecondsOfMillisecond);
  }
  return text;
}

}  // namespace isolate::gtest
