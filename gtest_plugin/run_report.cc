#include "gtest_plugin/run_report.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "gtest_plugin/collisions.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/replay.h"
#include "gtest_plugin/report_file.h"
#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_report.h"
#include "gtest_plugin/traits.h"
#include "isolate/executor.h"
#include "isolate/footprint.h"
#include "isolate/internal/result_json.h"
#include "isolate/isolation.h"
#include "isolate/leak.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::gtest {

using ::isolate::internal::Json;
using ::isolate::internal::KindsThatDiffer;
using ::isolate::internal::Milliseconds;
using ::isolate::internal::OwnNamespaces;
using ::isolate::internal::Text;
using ::isolate::internal::ToJson;
using ::testing::TestInfo;
using ::testing::TestResult;
using ::testing::TestSuite;

namespace {

constexpr int kVersion = 1;

void AddOutcome(const TestResult& result, Json& json) {
  json["outcome"] = OutcomeOf(result);
  if (const std::string signal = PropertyOf(result, "isolate_signal"); !signal.empty()) {
    json["signal"] = signal;
  }
  if (const std::string code = PropertyOf(result, "isolate_exit_code"); !code.empty()) {
    json["exit_code"] = strtol(code.c_str(), nullptr, 10);
  }
}

Json Process(const TestReport& report, const Namespaces& outside) {
  Json json = ToJson(report.usage);
  json["omitted_output_bytes"] = report.omitted_bytes;
  json["isolated"] = KindsThatDiffer(report.namespaces, outside);
  return json;
}

Json Collide(const Collision& collision) {
  Json parties = Json::array();
  for (const Collision::Party& party : collision.parties) {
    parties.push_back({{"test", party.test}, {"names", party.names}, {"how", Words(party.deeds)}});
  }
  Json json = {{"kind", NameOf(collision.kind)}, {"name", collision.name}};
  if (!collision.below.empty()) {
    json["below"] = collision.below;
  }
  json["tests"] = std::move(parties);
  return json;
}

Json Predict(const Prediction& prediction) {
  Json json = {{"kind", NameOf(prediction.kind)}, {"name", prediction.name}};
  json["polluters"] = prediction.polluters;
  json["victims"] = prediction.victims;
  json["effect"] = NameOf(prediction.effect);
  return json;
}

Json Beginning(const Settings& settings, absl::Time started) {
  return {{"version", kVersion},
          {"arguments", internal::ArgumentsOfProgram()},
          {"started", absl::FormatTime(absl::RFC3339_full, started, absl::UTCTimeZone())},
          {"jobs", settings.jobs},
          {"scope", settings.scope == Scope::kTest ? "test" : "suite"},
          {"suite_setup", settings.suite_setup == SuiteSetUp::kEach ? "each" : "snapshot"},
          {"spawn", settings.spawn == Spawn::kFork ? "fork" : "exec"}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunReport>> RunReport::Create(const Settings& settings) {
  const auto refused = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("--isolate_report=", settings.report, ": ", why));
  };
  std::vector<ReportFile> files;
  for (const absl::string_view name : absl::StrSplit(settings.report, ',')) {
    if (name.empty()) {
      return refused("expected names of files, with a comma between two");
    }
    absl::StatusOr<ReportFile> file = ReportFile::Open(name);
    if (!file.ok()) {
      return refused(file.status().message());
    }
    if (std::any_of(files.begin(), files.end(),
                    [&](const ReportFile& other) { return other.IsSameAs(*file); })) {
      return refused(absl::StrCat("the file ", name, " is named twice"));
    }
    files.push_back(*std::move(file));
  }
  std::unique_ptr<RunReport> report(new RunReport(std::move(files)));
  // The list of tests is the last key: it grows as they end, and is never held as a whole.
  std::string beginning = Text(Beginning(settings, report->started_));
  beginning.pop_back();
  report->Write(absl::StrCat(beginning, ",\"tests\":["));
  return report;
}

RunReport::RunReport(std::vector<ReportFile> files)
    : files_(std::move(files)), started_(absl::Now()), outside_(OwnNamespaces()) {}

void RunReport::Write(const std::string& text) {
  for (ReportFile& file : files_) {
    file.Write(text);
  }
}

void RunReport::AddTest(const TestInfo& test, const TestReport& report, int iteration) {
  const TestResult& result = *test.result();
  Json json = {{"suite", test.test_suite_name()},
               {"name", test.name()},
               {"file", test.file()},
               {"line", test.line()},
               {"iteration", iteration}};
  AddOutcome(result, json);
  if (report.worker >= 0) {
    json["start_ms"] = Milliseconds(report.running_since - started_);
    json["worker"] = report.worker;
  }
  json["elapsed_ms"] = result.elapsed_time();
  // Only the last one's in a process that ran several.
  if (report.namespaces.mnt != 0) {
    json["process"] = Process(report, outside_);
  }
  if (const std::string kinds = PropertyOf(result, "isolate_kinds"); !kinds.empty()) {
    json["isolation"] = ToJson(IsolationsNamed(kinds).value_or(Isolations()));
  }
  if (!report.leaks.empty()) {
    json["leaks"] = ToJson(report.leaks);
    for (const Leak& leak : report.leaks) {
      leaks_[std::string(NameOf(leak.kind))] += leak.count;
    }
  }
  if (!report.footprint.names.empty()) {
    json["footprint"] = ToJson(report.footprint);
  }
  Write(absl::StrCat(has_tests_ ? ",\n" : "\n", Text(json)));
  has_tests_ = true;
  ++outcomes_[json["outcome"]];
}

void RunReport::AddSuite(const TestSuite& suite, int iteration) {
  const TestResult& result = suite.ad_hoc_test_result();
  if (!result.Failed()) {
    return;
  }
  Json json = {{"name", suite.name()}, {"iteration", iteration}};
  AddOutcome(result, json);
  suites_.push_back(Text(json));
}

void RunReport::AddEncounters(const Encounters& encounters) {
  Json json = {{"audit", "names"},
               {"collisions", Json::array()},
               {"predictions", Json::array()},
               {"parallel",
                {{"safe", encounters.safe},
                 {"unsafe", encounters.unsafe},
                 {"unknown", encounters.unknown}}}};
  for (const Collision& collision : encounters.collisions) {
    json["collisions"].push_back(Collide(collision));
  }
  for (const Prediction& prediction : encounters.predictions) {
    json["predictions"].push_back(Predict(prediction));
  }
  encounters_ = Text(json).substr(1);
  encounters_.back() = ',';
}

void RunReport::AddLosses(const std::vector<Executor::Loss>& losses) {
  losses_ = losses.empty() ? "" : absl::StrCat("\"lost\":", Text(ToJson(losses)), ",");
}

absl::Status RunReport::Finish(absl::string_view error) {
  Json end = {{"wall_ms", Milliseconds(absl::Now() - started_)},
              {"outcomes", outcomes_},
              {"leaks", leaks_}};
  if (!error.empty()) {
    end["error"] = error;
  }
  Write(absl::StrCat("\n],\"failed_suites\":[", absl::StrJoin(suites_, ",\n"), "],", losses_,
                     encounters_, Text(end).substr(1), "\n"));
  std::vector<std::string> errors;
  for (ReportFile& file : files_) {
    if (const absl::Status status = file.Finish(); !status.ok()) {
      errors.emplace_back(status.message());
    }
  }
  return errors.empty() ? absl::OkStatus() : absl::UnknownError(absl::StrJoin(errors, "; "));
}

}  // namespace isolate::gtest
