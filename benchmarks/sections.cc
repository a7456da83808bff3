#include "benchmarks/sections.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/commands.h"
#include "benchmarks/peers.h"
#include "benchmarks/program.h"
#include "benchmarks/samples.h"
#include "isolate/executor.h"
#include "isolate/leak.h"
#include "isolate/options.h"

namespace isolate::benchmarks {
namespace {

constexpr int kTests = 1000;  // of the empty suite
constexpr int kSandboxes = 500;
constexpr const char* kFolder = "benchmarks/";
constexpr const char* kOurs = "isolate, jobs=2";  // what peers are compared with

double Microseconds(absl::Duration duration) { return absl::ToDoubleMicroseconds(duration); }

using Variables = std::vector<std::pair<std::string, std::string>>;

// Runs a suite of so many tests; microseconds a test.
absl::StatusOr<double> MeasureSuite(const std::string& program,
                                    const std::vector<std::string>& flags, int tests) {
  std::vector<std::string> argv = {kFolder + program};
  argv.insert(argv.end(), flags.begin(), flags.end());
  const absl::StatusOr<Ran> ran = Run({std::move(argv)});
  if (!ran.ok()) {
    return ran.status();
  }
  if (ran->exit_code != 0 ||
      !absl::StrContains(ran->out, absl::StrCat("[  PASSED  ] ", tests, " test"))) {
    return absl::UnknownError(absl::StrCat("not all passed (exit code ", ran->exit_code, ")"));
  }
  return Microseconds(ran->wall) / tests;
}

// What //benchmarks:price prints.
absl::StatusOr<double> MeasurePrice(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), absl::StrCat(kFolder, "price"));
  const absl::StatusOr<Ran> ran = Run({std::move(arguments)});
  if (!ran.ok()) {
    return ran.status();
  }
  double value = 0;
  if (ran->exit_code != 0 || !absl::SimpleAtod(ran->out, &value)) {
    return absl::UnknownError(ran->out);
  }
  return value;
}

Subject Price(const std::string& name, std::vector<std::string> arguments,
              const std::string& base = "") {
  return {
      name, [arguments = std::move(arguments)] { return MeasurePrice(arguments); }, base, {}, ""};
}

Subject Suite(const std::string& name, const std::string& program,
              const std::vector<std::string>& flags, int tests, const std::string& base = "") {
  return {name, [=] { return MeasureSuite(program, flags, tests); }, base, {}, ""};
}

Section Floor() {
  const std::string count = absl::StrCat(kSandboxes);
  return {"floor",
          "the kernel's own price, microseconds for each process that ends at once",
          {Price("plain fork", {"fork", count}),
           Price("kernel's sandbox, 1 in flight", {"sandbox", "1", count}, "plain fork"),
           Price("kernel's sandbox, 2 in flight", {"sandbox", "2", count}, "plain fork"),
           Price("kernel's sandbox, 4 in flight", {"sandbox", "4", count}, "plain fork")}};
}

Section Start() {
  return {"start",
          "microseconds from the wish for a process until its first line, a sandbox being ready",
          {Price("plain fork", {"first_line_fork", "100"}),
           Price("isolate", {"first_line", "100"}, "plain fork")}};
}

// An empty function in a sandbox, one after another; microseconds a run.
absl::StatusOr<double> MeasureSandboxes(const Options& options, int ready, int count) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options, ready);
  if (!executor.ok()) {
    return executor.status();
  }
  const absl::Time begin = absl::Now();
  for (int i = 0; i < count; ++i) {
    if (const auto id = (*executor)->Start([](Reporter&) { return 0; }); !id.ok()) {
      return id.status();
    }
    if (const Executor::Finished finished = (*executor)->WaitAny(); !finished.result.ok()) {
      return finished.result.status();
    }
  }
  return Microseconds(absl::Now() - begin) / count;
}

// Forks of ours without any namespace: what is left of the price.
absl::StatusOr<double> MeasureForksAlone() {
  Options options;
  options.pid_namespace = false;
  options.network = Network::kHost;
  options.ipc_namespace = false;
  options.uts_namespace = false;
  options.mount_namespace = false;
  options.leaks = {};
  return MeasureSandboxes(options, /*ready=*/1, kSandboxes);
}

Section Empty(const std::vector<std::string>& peers) {
  const std::string count = absl::StrCat(kSandboxes);
  Section section = {
      "empty",
      absl::StrCat("a suite of ", kTests, " empty tests, microseconds a test"),
      {Price("floor, 1 in flight", {"sandbox", "1", count}),
       Price("floor, 2 in flight", {"sandbox", "2", count}),
       Suite("gtest_main", "empty_plain", {}, kTests),
       Suite("isolate=off", "empty_isolated", {"--isolate=off"}, kTests, "gtest_main"),
       {"forks without namespaces", MeasureForksAlone, "", {}, ""},
       Suite("isolate, jobs=1", "empty_isolated", {"--isolate_jobs=1"}, kTests,
             "floor, 1 in flight"),
       Suite("isolate, jobs=1, no leak checks", "empty_isolated",
             {"--isolate_jobs=1", "--isolate_leaks=off"}, kTests, "floor, 1 in flight"),
       Suite(kOurs, "empty_isolated", {"--isolate_jobs=2"}, kTests, "floor, 2 in flight"),
       Suite("isolate, jobs=2, no leak checks", "empty_isolated",
             {"--isolate_jobs=2", "--isolate_leaks=off"}, kTests, "floor, 2 in flight"),
       Suite("isolate, jobs=4", "empty_isolated", {"--isolate_jobs=4"}, kTests, ""),
       Suite("isolate, jobs=2, shared libraries", "empty_dynamic", {"--isolate_jobs=2"}, kTests,
             kOurs)}};
  for (Subject& peer : Peers(peers, kOurs)) {
    section.subjects.push_back(std::move(peer));
  }
  return section;
}

Section Port() {
  constexpr int kPortTests = 200;
  return {
      "port",
      "200 tests with a server on one and the same port, microseconds a test",
      {Suite("gtest_main", "port_plain", {}, kPortTests),
       Suite("isolate, jobs=2", "port_isolated", {"--isolate_jobs=2"}, kPortTests, "gtest_main"),
       Suite("isolate, jobs=4", "port_isolated", {"--isolate_jobs=4"}, kPortTests, "gtest_main"),
       Suite("isolate, jobs=8", "port_isolated", {"--isolate_jobs=8"}, kPortTests, "gtest_main")}};
}

// What the empty program says that its tests took; microseconds a test.
absl::StatusOr<double> MeasureTestsAlone(const Variables& environment, int tests) {
  const absl::StatusOr<Ran> ran =
      Run({{absl::StrCat(kFolder, "empty_isolated"), "--isolate_jobs=1"}, environment});
  if (!ran.ok() || ran->exit_code != 0) {
    return absl::UnknownError("not all passed");
  }
  for (const absl::string_view line : absl::StrSplit(ran->out, '\n')) {
    // "the tests took 1234 us"
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    double took = 0;
    if (absl::StartsWith(line, "the tests took ") && absl::SimpleAtod(words[3], &took)) {
      return took / tests;
    }
  }
  return absl::UnknownError("it does not say how long its tests took");
}

Section Heap() {
  constexpr int kForks = 100;
  Section section = {"heap",
                     absl::StrCat(kTests,
                                  " empty tests of a program that has touched so much memory, "
                                  "microseconds a test"),
                     {}};
  for (const std::string megabytes : {"0", "200", "1024"}) {
    for (const bool huge : {false, true}) {
      if (huge && megabytes == "0") {
        continue;
      }
      Variables environment = {{"BENCHMARK_HEAP_MB", megabytes}};
      std::string what = absl::StrCat(megabytes, " MB");
      if (huge) {
        environment.emplace_back("BENCHMARK_HUGE_PAGES", "1");
        absl::StrAppend(&what, ", huge pages");
      }
      const std::string fork = absl::StrCat("plain fork, ", what);
      section.subjects.push_back(
          {fork,
           [=]() -> absl::StatusOr<double> {
             const absl::StatusOr<Ran> ran =
                 Run({{absl::StrCat(kFolder, "price"), "fork", absl::StrCat(kForks)}, environment});
             double value = 0;
             if (!ran.ok() || !absl::SimpleAtod(ran->out, &value)) {
               return absl::UnknownError(ran.ok() ? ran->out : std::string("price"));
             }
             return value;
           },
           "",
           {},
           ""});
      section.subjects.push_back({absl::StrCat("isolate, jobs=1, ", what),
                                  [=] { return MeasureTestsAlone(environment, kTests); },
                                  fork,
                                  {},
                                  ""});
    }
  }
  return section;
}

Section DearSuite() {
  constexpr int kDearTests = 100;
  const std::string each = "scope=test, jobs=2";
  return {
      "suite",
      "100 tests of a suite whose set-up takes 200 ms and 50 MB, microseconds a test",
      {Suite("gtest_main", "dear_plain", {}, kDearTests),
       Suite(each, "dear_isolated", {"--isolate_jobs=2"}, kDearTests, "gtest_main"),
       Suite("scope=suite, jobs=2", "dear_isolated", {"--isolate_jobs=2", "--isolate_scope=suite"},
             kDearTests, "gtest_main"),
       Suite("suite_setup=snapshot, jobs=2", "dear_isolated",
             {"--isolate_jobs=2", "--isolate_suite_setup=snapshot"}, kDearTests, "gtest_main")}};
}

Section Scale() {
  Section section = {"scale", "empty tests, jobs=2, microseconds a test", {}};
  for (const int tests : {100, 1000, 10'000, 50'000}) {
    section.subjects.push_back(
        {absl::StrCat(tests, " tests"),
         [=]() -> absl::StatusOr<double> {
           const absl::StatusOr<Ran> ran =
               Run({{absl::StrCat(kFolder, "empty_isolated"), "--isolate_jobs=2"},
                    {{"BENCHMARK_TESTS", absl::StrCat(tests)}}});
           if (!ran.ok() || ran->exit_code != 0) {
             return absl::UnknownError("not all passed");
           }
           return Microseconds(ran->wall) / tests;
         },
         "1000 tests",
         {},
         ""});
  }
  return section;
}

Section Command() {
  return {"command", "true(1), one after another, microseconds an execution", Commands()};
}

// By how many bytes the peak grows for each test more.  From a number at which it is above that of
// the program that executes this one, whose peak the kernel counts in (exec_mmap in fs/exec.c).
absl::StatusOr<double> MeasureMemory(const std::string& program) {
  constexpr int kFew = 10'000;
  constexpr int kMany = 50'000;
  std::vector<double> peaks;
  for (const int tests : {kFew, kMany}) {
    const absl::StatusOr<Ran> ran =
        Run({{kFolder + program, "--isolate_jobs=2"}, {{"BENCHMARK_TESTS", absl::StrCat(tests)}}});
    if (!ran.ok() || ran->exit_code != 0) {
      return absl::UnknownError("not all passed");
    }
    peaks.push_back(static_cast<double>(ran->peak_memory_bytes));
  }
  return (peaks[1] - peaks[0]) / (kMany - kFew);
}

Section Memory() {
  const auto own = []() -> absl::StatusOr<double> {
    const absl::StatusOr<double> isolated = MeasureMemory("empty_isolated");
    const absl::StatusOr<double> plain = MeasureMemory("empty_plain");
    return !isolated.ok() ? isolated : !plain.ok() ? plain : *isolated - *plain;
  };
  return {"memory",
          "bytes that the runner takes for each test, from 10,000 to 50,000 tests",
          {{"more than gtest_main", own, "", {}, ""}}};
}

Section LeakCheck() {
  constexpr int kRuns = 60;
  Section section = {"leakcheck",
                     "an empty function in a sandbox, one after another, that is looked at for one "
                     "kind of leak alone, for all or for none, microseconds a run",
                     {}};
  const auto add = [&](const std::string& name, const LeakKinds& kinds) {
    const auto measure = [=]() -> absl::StatusOr<double> {
      Options options;
      options.leaks = kinds;
      return MeasureSandboxes(options, /*ready=*/3, kRuns);
    };
    section.subjects.push_back({name, measure, "none", {}, ""});
  };
  add("none", LeakKinds());
  for (const LeakKind kind : kLeakKinds) {
    LeakKinds kinds;
    kinds[static_cast<size_t>(kind)] = true;
    add(std::string(NameOf(kind)), kinds);
  }
  add("all", AllLeakKinds());
  return section;
}

using Medians = std::vector<std::pair<std::string, double>>;

// What --isolate_verbose=timing prints, in the order of events; empty where not all passed.
Medians MeasureSteps() {
  const absl::StatusOr<Ran> ran = Run(
      {{absl::StrCat(kFolder, "empty_isolated"), "--isolate_jobs=2", "--isolate_verbose=timing"}});
  Medians medians;
  if (!ran.ok() || ran->exit_code != 0) {
    return medians;
  }
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(ran->out, '\n')) {
    // A name of several words, how often, median, maximum, sum.
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    double median = 0;
    if (inside && words.size() > 4 && absl::SimpleAtod(words[words.size() - 3], &median)) {
      medians.emplace_back(absl::StrJoin(words.begin(), words.end() - 4, " "), median);
    }
    inside = inside || absl::StartsWith(line, "step ");
  }
  return medians;
}

// One run for all its subjects, which the first of them makes.
Section SetUp() {
  Section section = {"setup",
                     "the steps of a test's life, jobs=2, medians of 1000 tests in microseconds "
                     "(--isolate_verbose=timing)",
                     {}};
  auto medians = std::make_shared<Medians>(MeasureSteps());
  const Medians names = *medians;
  for (const auto& [name, median] : names) {
    const bool is_first = section.subjects.empty();
    const auto measure = [=, name = name]() -> absl::StatusOr<double> {
      if (is_first) {
        *medians = MeasureSteps();
      }
      for (const auto& [step, value] : *medians) {
        if (step == name) {
          return value;
        }
      }
      return absl::UnknownError("not among the steps of a run that passed");
    };
    section.subjects.push_back({name, measure, "", {}, ""});
  }
  return section;
}

}  // namespace

std::vector<std::string> SectionNames() {
  return {"floor", "start",  "empty",   "port",      "heap", "suite",
          "scale", "memory", "command", "leakcheck", "setup"};
}

Section MakeSection(const std::string& name, const std::vector<std::string>& peers) {
  return name == "floor"       ? Floor()
         : name == "start"     ? Start()
         : name == "empty"     ? Empty(peers)
         : name == "port"      ? Port()
         : name == "heap"      ? Heap()
         : name == "suite"     ? DearSuite()
         : name == "scale"     ? Scale()
         : name == "memory"    ? Memory()
         : name == "command"   ? Command()
         : name == "leakcheck" ? LeakCheck()
                               : SetUp();
}

}  // namespace isolate::benchmarks
