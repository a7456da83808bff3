// What it costs a test that leaves nothing to be looked at, kind by kind (Options::leaks): an empty
// function in a sandbox, one after another, with each kind alone, with all and with none, by turns.
//
//   tools/bazel run -c opt //benchmarks:leak_check

#include <stdio.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "isolate/executor.h"
#include "isolate/leak.h"
#include "isolate/options.h"

namespace {

constexpr int kRounds = 11;
constexpr int kRuns = 60;

struct Subject {
  std::string name;
  std::unique_ptr<isolate::Executor> executor;
  std::vector<double> microseconds;  // a run, of each round
};

bool Add(const std::string& name, const isolate::LeakKinds& kinds, std::vector<Subject>& subjects) {
  isolate::Options options;
  options.leaks = kinds;
  absl::StatusOr<std::unique_ptr<isolate::Executor>> executor = isolate::Executor::Create(options);
  if (!executor.ok()) {
    fprintf(stderr, "%s\n", std::string(executor.status().message()).c_str());
    return false;
  }
  subjects.push_back({name, *std::move(executor), {}});
  return true;
}

bool Run(Subject& subject) {
  const absl::Time begin = absl::Now();
  for (int i = 0; i < kRuns; ++i) {
    if (!subject.executor->Start([](isolate::Reporter&) { return 0; }).ok() ||
        !subject.executor->WaitAny().result.ok()) {
      fprintf(stderr, "a sandbox could not be had\n");
      return false;
    }
  }
  subject.microseconds.push_back(absl::ToDoubleMicroseconds(absl::Now() - begin) / kRuns);
  return true;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  std::vector<Subject> subjects;
  bool added = Add("none", isolate::LeakKinds(), subjects);
  for (const isolate::LeakKind kind : isolate::kLeakKinds) {
    isolate::LeakKinds kinds;
    kinds[static_cast<size_t>(kind)] = true;
    added = added && Add(std::string(NameOf(kind)), kinds, subjects);
  }
  added = added && Add("all", isolate::AllLeakKinds(), subjects);
  if (!added) {
    return 3;
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Subject& subject : subjects) {
      if (!Run(subject)) {
        return 3;
      }
    }
  }
  const double none = Median(subjects.front().microseconds);
  printf("medians of %d rounds of %d runs, in microseconds a run\n%-12s %8s %8s %8s\n", kRounds,
         kRuns, "looked for", "", "more", "ratio");
  for (const Subject& subject : subjects) {
    const double median = Median(subject.microseconds);
    printf("%-12s %8.1f %8.1f %8.2f\n", subject.name.c_str(), median, median - none, median / none);
  }
  return 0;
}
