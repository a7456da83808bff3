// What isolation costs, beside the kernel's own price and beside what others do: everything in one
// run, by turns, several rounds.  Prints tables and, with --json, writes a file.
//
//   tools/bazel run -c opt //benchmarks:report
//   tools/bazel run -c opt //benchmarks:report -- --help

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "benchmarks/machine.h"
#include "benchmarks/samples.h"
#include "benchmarks/sections.h"
#include "nlohmann/json.hpp"

ABSL_FLAG(int, rounds, 5, "How often everything is measured.");
ABSL_FLAG(std::vector<std::string>, only, {},
          "The sections that are measured, with commas between them; all where none is named.");
ABSL_FLAG(std::string, json, "", "A file for the figures, every single one of them.");
ABSL_FLAG(
    std::vector<std::string>, peer, {},
    "Other ways to run the suite of empty tests, as NAME=COMMAND with commas between several: "
    "{binary} stands for the program, {test} for a test (then the command is executed for each "
    "of 200, two at once), {jobs} for 2. Words are separated by single blanks. For instance "
    "--peer='gtest-parallel=gtest-parallel --workers={jobs} {binary}'.");

namespace isolate::benchmarks {
namespace {

// A target of the project's, and what became of it.
struct Target {
  std::string what;
  std::string section;
  std::string subject;
  std::string base;
  double limit;
  bool at_least = false;  // so many times faster, of the base to the subject
};

std::vector<Target> Targets() {
  return {
      {"empty, jobs=2, to the floor", "empty", "isolate, jobs=2", "floor, 2 in flight", 1.25},
      {"empty, jobs=2, to a program per test", "empty", "isolate, jobs=2",
       "program executed per test", 2, true},
      {"empty, jobs=2, to unshare per test", "empty", "isolate, jobs=2", "unshare per test", 5,
       true},
      {"empty, jobs=1, to the floor", "empty", "isolate, jobs=1", "floor, 1 in flight", 1.1},
      {"start of a test, to a plain fork's", "start", "isolate", "plain fork", 2},
      {"port, jobs=4, to gtest in one process", "port", "isolate, jobs=4", "gtest_main", 3, true},
      {"heap of 1 GB, to a plain fork", "heap", "isolate, jobs=1, 1024 MB", "plain fork, 1024 MB",
       1.2},
      {"leak checks, jobs=2, to none", "empty", "isolate, jobs=2",
       "isolate, jobs=2, no leak checks", 1.1},
      {"isolate=off, to gtest_main", "empty", "isolate=off", "gtest_main", 1.1},
      {"memory, bytes a test", "memory", "more than gtest_main", "", 1024},
  };
}

std::string Judge(const std::vector<Section>& sections) {
  std::string text = "\ntargets\n";
  for (const Target& target : Targets()) {
    const auto section =
        std::find_if(sections.begin(), sections.end(),
                     [&](const Section& candidate) { return candidate.name == target.section; });
    if (section == sections.end()) {
      continue;
    }
    const absl::optional<double> value = target.base.empty() ? MedianOf(*section, target.subject)
                                         : target.at_least
                                             ? Ratio(*section, target.base, target.subject)
                                             : Ratio(*section, target.subject, target.base);
    if (!value.has_value()) {
      absl::StrAppendFormat(&text, "%-40s not measured\n", target.what);
      continue;
    }
    const bool met = target.at_least ? *value >= target.limit : *value <= target.limit;
    absl::StrAppendFormat(&text, "%-40s %8.2f, %s %.2f: %s\n", target.what, *value,
                          target.at_least ? "at least" : "at most", target.limit,
                          met ? "met" : "not met");
  }
  return text;
}

bool IsWanted(const std::string& name) {
  const std::vector<std::string> only = absl::GetFlag(FLAGS_only);
  return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
}

absl::Status CheckFlags() {
  const std::vector<std::string> names = SectionNames();
  for (const std::string& name : absl::GetFlag(FLAGS_only)) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--only=", name, ": there is no such section; there are: ", absl::StrJoin(names, ", ")));
    }
  }
  if (absl::GetFlag(FLAGS_rounds) < 1) {
    return absl::InvalidArgumentError("--rounds: expected 1 or more");
  }
  for (const std::string& peer : absl::GetFlag(FLAGS_peer)) {
    if (!absl::StrContains(peer, "=") || !absl::StrContains(peer, "{binary}")) {
      return absl::InvalidArgumentError(
          absl::StrCat("--peer=", peer, ": expected NAME=COMMAND with {binary} in it"));
    }
  }
  return absl::OkStatus();
}

// Where the user stands, and not in the runfiles, to which "bazel run" goes.
std::string JsonPath() {
  const std::string path = absl::GetFlag(FLAGS_json);
  const char* const folder = getenv("BUILD_WORKING_DIRECTORY");
  return path.empty() || path.front() == '/' || folder == nullptr ? path
                                                                  : absl::StrCat(folder, "/", path);
}

absl::Status Measure() {
  Watch watch;
  std::vector<Section> sections;
  for (const std::string& name : SectionNames()) {
    if (IsWanted(name)) {
      sections.push_back(MakeSection(name, absl::GetFlag(FLAGS_peer)));
    }
  }
  const int rounds = absl::GetFlag(FLAGS_rounds);
  for (int round = 1; round <= rounds; ++round) {
    for (Section& section : sections) {
      fprintf(stderr, "round %d of %d: %s\n", round, rounds, section.name.c_str());
      watch.Look();
      MeasureRound(section);
    }
  }
  std::string text = absl::StrCat(DescribeMachine(), "; ", rounds, " rounds\n");
  for (const Section& section : sections) {
    absl::StrAppend(&text, Text(section));
  }
  absl::StrAppend(&text, Judge(sections));
  absl::StrAppendFormat(&text, "\nUsed by others between the measurements: at most %.0f %%. %s\n",
                        100 * watch.busiest(), watch.Doubt());
  fputs(text.c_str(), stdout);
  if (const std::string path = JsonPath(); !path.empty()) {
    nlohmann::json json = {{"machine", DescribeMachine()},
                           {"rounds", rounds},
                           {"used_by_others", watch.busiest()},
                           {"sections", nlohmann::json::array()}};
    for (const Section& section : sections) {
      json["sections"].push_back(ToJson(section));
    }
    std::ofstream file(path);
    file << json.dump(1) << "\n";
    if (!file.flush()) {
      return absl::UnavailableError(absl::StrCat("cannot write ", path));
    }
  }
  return absl::OkStatus();
}

int Main() {
  if (const absl::Status status = CheckFlags(); !status.ok()) {
    fprintf(stderr, "report: %s\n", std::string(status.message()).c_str());
    return 2;
  }
  if (const absl::Status status = Measure(); !status.ok()) {
    fprintf(stderr, "report: %s\n", std::string(status.message()).c_str());
    return 3;
  }
  return 0;
}

}  // namespace
}  // namespace isolate::benchmarks

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Measures what isolation costs; to be run by bazel, in whose runfiles the suites are.");
  absl::ParseCommandLine(argc, argv);
  return isolate::benchmarks::Main();
}
