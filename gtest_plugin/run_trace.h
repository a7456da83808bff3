#ifndef GTEST_PLUGIN_RUN_TRACE_H_
#define GTEST_PLUGIN_RUN_TRACE_H_

// The run as a picture, --isolate_trace: a file in the format that Chromium's chrome://tracing and
// Perfetto's https://ui.perfetto.dev show ("Trace Event Format", JSON object format); docs/trace.md
// says what stands in it.  Lives in the runner.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/report_file.h"
#include "gtest_plugin/scheduler.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_process.h"
#include "gtest_plugin/test_report.h"
#include "gtest_plugin/timeline.h"

namespace isolate::gtest {

// Writes what it is told of at once, some hundred bytes for each slice, and holds none of it but
// what gtest does now.  All times are CLOCK_REALTIME's.
class RunTrace : public ProcessObserver {
 public:
  // Opens the settings' trace file, which becomes empty, and writes its beginning.  `started`: when
  // the run was, which is the picture's 0; not later than any sandbox was made.  InvalidArgument
  // that names the file where it cannot be opened, or is the report's or a page's by its name.
  static absl::StatusOr<std::unique_ptr<RunTrace>> Create(const Settings& settings,
                                                          absl::Time started);

  void OnProcessEnd(const Assignment& assignment, const std::vector<int>& workers,
                    const std::vector<TestReport>& reports, bool interrupted) override;
  void OnProcessLost(const Assignment& assignment, const std::vector<int>& workers,
                     absl::Time started) override;

  // What gtest did: that it waited for a test's report, and then, that it went through a test.
  void AddWait(const ::testing::TestInfo& test, absl::Time begun, absl::Time ended);
  void AddTest(const ::testing::TestInfo& test, int iteration, absl::Time begun, absl::Time ended);

  // Writes the end.  `error`: why no more tests could be isolated, if that is so.  The first write
  // that failed is the error: its errno, with the file's name.
  absl::Status Finish(absl::string_view error = "");

 private:
  // A row of the picture, in which slices nest.
  struct Track {
    int id = 0;
    // Where its last slice ended: none begins before that, however the clock is set.
    absl::Time free_from = absl::InfinitePast();
  };

  RunTrace(ReportFile file, const Settings& settings, absl::Time started);

  Track& TrackOf(int id, const std::string& name);
  Track& WorkerTrack(int worker);
  Track& SandboxTrack(size_t lane);
  void AddSandbox(const std::string& name, const TestReport& report);
  // `args`: an object as JSON; empty: none.
  void AppendSlice(const Track& track, const Slice& slice, const std::string& args = "");
  void AppendMetadata(const char* what, int track, const std::string& args);
  void BeginEvent();
  void Flush();
  int64_t Ticks(absl::Time time) const;

  ReportFile file_;
  const int jobs_;
  const bool executes_;
  const absl::Time started_;
  const pid_t pid_;
  bool is_first_ = true;                    // event of the file
  absl::flat_hash_map<int, Track> tracks_;  // by id
  Lanes sandboxes_;
  std::vector<Slice> waits_;  // of the test that gtest goes through now
  std::string text_;          // for the next write
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_RUN_TRACE_H_
