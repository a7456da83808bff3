#include "gtest_plugin/run_trace.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/replay.h"
#include "gtest_plugin/report_file.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "gtest_plugin/timeline.h"
#include "gtest_plugin/traits.h"
#include "isolate/internal/realtime.h"
#include "isolate/leak.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"
#include "nlohmann/json.hpp"

namespace isolate::gtest {

using ::testing::TestInfo;

namespace {

using Json = nlohmann::ordered_json;

// Of the tracks: gtest's, then those of the workers, then those of the sandboxes.  No 0, which
// Perfetto takes for the kernel's idle thread.
constexpr int kGtestTrack = 1;
constexpr int kFirstWorkerTrack = 2;

// An eighth of a microsecond, of which a floating-point number has any multiple to the bit: so
// viewers that add a slice's begin and duration get where the next one begins, and not what
// overlaps it by a rounding.
constexpr int64_t kTickNs = 125;

// A library would take longer than all else that there is to a slice.
std::string Microseconds(int64_t ticks) {
  static constexpr const char* kEighths[] = {"",   ".125", ".25", ".375",
                                             ".5", ".625", ".75", ".875"};
  return absl::StrCat(ticks / 8, kEighths[ticks % 8]);
}

// On one line.  What is no UTF-8 has replacement characters.
std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json LeakNames(const std::vector<Leak>& leaks) {
  Json names = Json::array();
  for (const Leak& leak : leaks) {
    names.push_back(absl::StrCat(NameOf(leak.kind), ": ", leak.name));
  }
  return names;
}

std::string ArgsOfTest(const TestReport& report, bool interrupted) {
  Json args = {{"outcome", OutcomeOf(report, interrupted)}};
  if (!report.leaks.empty()) {
    args["leaks"] = LeakNames(report.leaks);
  }
  return Text(args);
}

std::string ArgsOfProcess(const TestReport& last) {
  Json args = {{"process", Describe(last.outcome, last.code)},
               {"user_ms", absl::ToDoubleMilliseconds(last.usage.user)},
               {"system_ms", absl::ToDoubleMilliseconds(last.usage.system)},
               {"peak_memory_bytes", last.usage.peak_memory_bytes}};
  if (last.namespaces.pid != 0) {
    args["pid_namespace"] = last.namespaces.pid;
  }
  return Text(args);
}

std::string NameOf(const TestInfo& test) {
  return absl::StrCat(test.test_suite_name(), ".", test.name());
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunTrace>> RunTrace::Create(const Settings& settings,
                                                           absl::Time started) {
  const auto refused = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("--isolate_trace=", settings.trace, ": ", why));
  };
  if (absl::EndsWith(settings.trace, ".html")) {
    return refused("a trace is JSON, and no page");
  }
  const std::vector<std::string> reports = absl::StrSplit(settings.report, ',');
  if (std::find(reports.begin(), reports.end(), settings.trace) != reports.end()) {
    return refused("that is the report's file");
  }
  absl::StatusOr<ReportFile> file = ReportFile::Open(settings.trace);
  if (!file.ok()) {
    return refused(file.status().message());
  }
  return std::unique_ptr<RunTrace>(new RunTrace(*std::move(file), settings, started));
}

RunTrace::RunTrace(ReportFile file, const Settings& settings, absl::Time started)
    : file_(std::move(file)),
      jobs_(settings.jobs),
      executes_(settings.spawn == Spawn::kExec),
      started_(started),
      pid_(getpid()),
      text_("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[") {
  const std::vector<std::string> arguments = internal::ArgumentsOfProgram();
  const std::string program =
      arguments.empty() ? "" : std::filesystem::path(arguments.front()).filename().string();
  AppendMetadata("process_name", kGtestTrack, Text({{"name", program}}));
  TrackOf(kGtestTrack, "gtest");
  Flush();
}

int64_t RunTrace::Ticks(absl::Time time) const {
  return absl::ToInt64Nanoseconds(time - started_) / kTickNs;
}

// The memory is kept: what is touched anew between two forks, the kernel copies.
void RunTrace::Flush() {
  file_.Write(text_);
  text_.clear();
}

void RunTrace::BeginEvent() {
  text_ += is_first_ ? "\n" : ",\n";
  is_first_ = false;
}

void RunTrace::AppendMetadata(const char* what, int track, const std::string& args) {
  BeginEvent();
  absl::StrAppend(&text_, "{\"ph\":\"M\",\"name\":\"", what, "\",\"pid\":", pid_,
                  ",\"tid\":", track, ",\"args\":", args, "}");
}

RunTrace::Track& RunTrace::TrackOf(int id, const std::string& name) {
  const auto [track, is_new] = tracks_.try_emplace(id);
  if (is_new) {
    track->second.id = id;
    AppendMetadata("thread_name", id, Text({{"name", name}}));
    AppendMetadata("thread_sort_index", id, Text({{"sort_index", id}}));
  }
  return track->second;
}

RunTrace::Track& RunTrace::WorkerTrack(int worker) {
  return TrackOf(kFirstWorkerTrack + worker, absl::StrCat("worker ", worker + 1));
}

RunTrace::Track& RunTrace::SandboxTrack(size_t lane) {
  return TrackOf(kFirstWorkerTrack + jobs_ + static_cast<int>(lane),
                 absl::StrCat("making sandboxes ", lane + 1));
}

void RunTrace::AppendSlice(const Track& track, const Slice& slice, const std::string& args) {
  const absl::Time begun = std::max({slice.begun, track.free_from, started_});
  const absl::Time ended = std::max(slice.ended, begun);
  BeginEvent();
  absl::StrAppend(&text_, "{\"ph\":\"X\",\"name\":", Text(slice.name), ",\"cat\":\"",
                  slice.category, "\",\"ts\":", Microseconds(Ticks(begun)),
                  ",\"dur\":", Microseconds(Ticks(ended) - Ticks(begun)), ",\"pid\":", pid_,
                  ",\"tid\":", track.id, args.empty() ? "" : ",\"args\":", args, "}");
}

void RunTrace::AddSandbox(const std::string& name, const TestReport& report) {
  const std::vector<StepTime>& steps = report.times.set_up;
  if (steps.empty()) {
    return;
  }
  const absl::Time begun = steps.front().begun;
  const absl::Time ended = steps.back().ended;
  Track& track = SandboxTrack(sandboxes_.Place(begun, ended));
  Slice slice;
  slice.category = "sandbox";
  slice.name = absl::StrCat("sandbox of ", name);
  slice.begun = begun;
  slice.ended = ended;
  AppendSlice(track, slice,
              report.namespaces.pid != 0 ? Text({{"pid_namespace", report.namespaces.pid}}) : "");
  slice.category = "step";
  for (const StepTime& step : steps) {
    slice.name = std::string(StepName(step.step));
    slice.begun = step.begun;
    slice.ended = step.ended;
    AppendSlice(track, slice);
  }
  track.free_from = std::max(track.free_from, ended);
}

void RunTrace::OnProcessEnd(const Assignment& assignment, const std::vector<int>& workers,
                            const std::vector<TestReport>& reports, bool interrupted) {
  TimedProcess process = ProcessOf(assignment, workers, executes_);
  process.reports = &reports;
  AddSandbox(NameOf(process), reports.back());
  const std::vector<Slice> slices = SlicesOf(process);
  for (const Slice& slice : slices) {
    AppendSlice(WorkerTrack(slice.worker), slice,
                slice.test != nullptr      ? ArgsOfTest(*slice.test, interrupted)
                : slice.process != nullptr ? ArgsOfProcess(*slice.process)
                                           : "");
  }
  for (const Slice& slice : slices) {
    Track& track = WorkerTrack(slice.worker);
    track.free_from = std::max(track.free_from, slice.ended);
  }
  Flush();
}

void RunTrace::OnProcessLost(const Assignment& assignment, const std::vector<int>& workers,
                             absl::Time started) {
  Slice slice;
  slice.name = NameOf(ProcessOf(assignment, workers, executes_));
  slice.category = "process";
  slice.begun = started;
  slice.ended = ::isolate::internal::RealtimeNow();
  Track& track = WorkerTrack(workers.front());
  AppendSlice(
      track, slice,
      Text({{"process", "was ended, as nobody wanted its result, or was never in its sandbox"}}));
  track.free_from = std::max(track.free_from, slice.ended);
  Flush();
}

void RunTrace::AddWait(const TestInfo& test, absl::Time begun, absl::Time ended) {
  Slice slice;
  slice.name = absl::StrCat("wait for ", NameOf(test));
  slice.category = "wait";
  slice.begun = begun;
  slice.ended = ended;
  waits_.push_back(std::move(slice));
}

void RunTrace::AddTest(const TestInfo& test, int iteration, absl::Time begun, absl::Time ended) {
  Slice slice;
  slice.name = NameOf(test);
  slice.category = "gtest";
  slice.begun = begun;
  slice.ended = ended;
  Track& track = tracks_.at(kGtestTrack);
  // Of its suite's set-up, before it.
  const auto first = std::find_if(waits_.begin(), waits_.end(),
                                  [&](const Slice& wait) { return wait.begun >= begun; });
  std::for_each(waits_.begin(), first, [&](const Slice& wait) { AppendSlice(track, wait); });
  AppendSlice(track, slice,
              Text({{"outcome", OutcomeOf(*test.result())}, {"iteration", iteration}}));
  std::for_each(first, waits_.end(), [&](const Slice& wait) { AppendSlice(track, wait); });
  waits_.clear();
  track.free_from = std::max(track.free_from, ended);
  Flush();
}

absl::Status RunTrace::Finish(absl::string_view error) {
  for (const Slice& wait : waits_) {
    AppendSlice(tracks_.at(kGtestTrack), wait);
  }
  waits_.clear();
  Json about = {{"arguments", internal::ArgumentsOfProgram()},
                {"started", absl::FormatTime(absl::RFC3339_full, started_, absl::UTCTimeZone())},
                {"jobs", jobs_}};
  if (!error.empty()) {
    about["error"] = error;
  }
  absl::StrAppend(&text_, "\n],\"otherData\":", Text(about), "}\n");
  Flush();
  return file_.Finish();
}

}  // namespace isolate::gtest
