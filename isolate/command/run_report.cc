#include "isolate/command/run_report.h"

#include <string.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/command/run_options.h"
#include "isolate/executor.h"
#include "isolate/internal/result_json.h"
#include "isolate/leak.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::command {
namespace {

using internal::Json;
using internal::KindsThatDiffer;
using internal::Milliseconds;
using internal::OwnNamespaces;
using internal::ToJson;

constexpr int kVersion = 1;
constexpr size_t kMostShown = 20;

Json ToJson(const std::vector<Process>& processes) {
  Json list = Json::array();
  for (const Process& process : processes) {
    list.push_back({{"pid", process.id}, {"parent", process.parent}, {"command", process.command}});
  }
  return list;
}

// In milliseconds from `started` on, those that are known.
Json ToJson(const Times& times, absl::Time started) {
  Json json = Json::object();
  const struct {
    const char* name;
    absl::Time time;
  } moments[] = {
      {"forked", times.forked}, {"entered", times.entered}, {"ended", times.ended},
      {"looked", times.looked}, {"over", times.over},
  };
  for (const auto& moment : moments) {
    if (moment.time != absl::InfinitePast()) {
      json[moment.name] = Milliseconds(moment.time - started);
    }
  }
  return json;
}

void AddResult(const RunOptions& options, absl::Time started, const Result& result, Json& json) {
  if (result.outcome == Outcome::kExited) {
    json["exit_code"] = result.code;
  } else if (result.code != 0) {
    const char* name = sigabbrev_np(result.code);
    json["signal"] = name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat(result.code);
  }
  json["usage"] = ToJson(result.usage);
  json["times_ms"] = ToJson(result.times, started);
  json["namespaces"] = ToJson(result.namespaces);
  json["isolated"] = KindsThatDiffer(result.namespaces, OwnNamespaces());
  json["isolation"] = internal::ToJson(result.isolation);
  json["leaks"] = ToJson(result.leaks);
  if (options.sandbox.audit_names) {
    json["audit"] = "names";
    json["footprint"] = ToJson(result.footprint);
  }
  if (result.outcome == Outcome::kTimedOut) {
    json["processes"] = ToJson(result.processes);
  }
}

}  // namespace

std::string OutcomeOf(const absl::StatusOr<Result>& result) {
  if (!result.ok()) {
    const absl::optional<SetupFailure> failure = GetSetupFailure(result.status());
    return failure.has_value() && failure->step == Step::kExec ? "not executed" : "not isolated";
  }
  switch (result->outcome) {
    case Outcome::kReturned:
    case Outcome::kExited:
      return "exited";
    case Outcome::kSignaled:
      return "signaled";
    case Outcome::kTimedOut:
      return "timed out";
    case Outcome::kLost:
      return "lost";
  }
  return "lost";
}

void PrintLeaks(const std::vector<Leak>& leaks) {
  if (leaks.empty()) {
    return;
  }
  std::cerr << "isolate: the command left behind:\n";
  for (size_t i = 0; i < leaks.size() && i < kMostShown; ++i) {
    std::cerr << "  " << NameOf(leaks[i].kind) << ": " << Describe(leaks[i]) << "\n";
    if (!leaks[i].consequence.empty()) {
      std::cerr << "    without isolation, " << leaks[i].consequence << "\n";
    }
  }
  if (leaks.size() > kMostShown) {
    std::cerr << "  and " << leaks.size() - kMostShown << " more (--report=FILE has all)\n";
  }
}

void PrintVerbose(const RunOptions& options, const Result& result) {
  const std::vector<std::string> kinds = KindsThatDiffer(result.namespaces, OwnNamespaces());
  std::cerr << "isolate: " << options.command.front() << " "
            << Describe(result.outcome, result.code) << " after "
            << absl::FormatDuration(absl::Trunc(result.usage.wall, absl::Milliseconds(1)))
            << "; processor "
            << absl::FormatDuration(
                   absl::Trunc(result.usage.user + result.usage.system, absl::Milliseconds(1)))
            << ", memory " << result.usage.peak_memory_bytes / 1024 << " KiB\n"
            << "isolate: its own namespaces: "
            << (kinds.empty() ? "none" : absl::StrJoin(kinds, ", ")) << "\n";
}

std::string ReportOf(const RunOptions& options, absl::Time started,
                     const std::vector<Executor::Loss>& losses,
                     const absl::StatusOr<Result>& result) {
  Json json = {{"version", kVersion},
               {"command", options.command},
               {"started", absl::FormatTime(absl::RFC3339_full, started, absl::UTCTimeZone())},
               {"outcome", OutcomeOf(result)}};
  if (!losses.empty()) {
    json["lost"] = internal::ToJson(losses);
  }
  if (result.ok()) {
    AddResult(options, started, *result, json);
  } else {
    json["error"] = std::string(result.status().message());
  }
  return internal::Text(json) + "\n";
}

}  // namespace isolate::command
