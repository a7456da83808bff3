#include "benchmarks/sections.h"

#include <stdio.h>
#include <unistd.h>

#include <cstdint>
#include <map>
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
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/program.h"
#include "benchmarks/samples.h"
#include "isolate/executor.h"
#include "isolate/leak.h"
#include "isolate/options.h"

namespace isolate::benchmarks {
namespace {

constexpr int kTests = 1000;    // of the empty suite
constexpr int kExecuted = 200;  // of them, where a program is executed for each
constexpr int kSandboxes = 500;
constexpr const char* kFolder = "benchmarks/";

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

// One execution for each of the first tests, two at once; microseconds a test.
absl::StatusOr<double> MeasureEach(const std::vector<std::string>& words) {
  std::vector<Program> programs;
  for (int test = 0; test < kExecuted; ++test) {
    Program program;
    for (const std::string& word : words) {
      program.argv.push_back(
          absl::StrReplaceAll(word, {{"{binary}", absl::StrCat(kFolder, "empty_plain")},
                                     {"{test}", absl::StrCat("Suite", test / 10, ".Test", test)},
                                     {"{jobs}", "2"}}));
    }
    programs.push_back(std::move(program));
  }
  const absl::StatusOr<absl::Duration> took = RunAll(programs, /*in_flight=*/2);
  if (!took.ok()) {
    return took.status();
  }
  return Microseconds(*took) / kExecuted;
}

// One execution for all.
absl::StatusOr<double> MeasureWhole(const std::vector<std::string>& words) {
  Program program;
  for (const std::string& word : words) {
    program.argv.push_back(absl::StrReplaceAll(
        word, {{"{binary}", absl::StrCat(kFolder, "empty_plain")}, {"{jobs}", "2"}}));
  }
  const absl::StatusOr<absl::Duration> took = RunAll({program}, /*in_flight=*/1);
  if (!took.ok()) {
    return took.status();
  }
  return Microseconds(*took) / kTests;
}

constexpr absl::string_view kOurs = "isolate, jobs=2";

Subject Peer(const std::string& name, const std::string& command) {
  const std::vector<std::string> words = absl::StrSplit(command, ' ');
  const bool each = absl::StrContains(command, "{test}");
  return {name,
          [=] { return each ? MeasureEach(words) : MeasureWhole(words); },
          std::string(kOurs),
          {},
          ""};
}

std::vector<Subject> Peers(const std::vector<std::string>& others) {
  const std::string filter = "{binary} --gtest_filter={test}";
  const std::string shared = absl::StrCat(kFolder, "empty_dynamic --isolate=off");
  std::vector<Subject> peers = {
      Peer("program executed per test", filter),
      Peer("the same, shared libraries", absl::StrCat(shared, " --gtest_filter={test}"))};
  const std::string user = geteuid() == 0 ? "" : "--user --map-current-user ";
  if (IsOnPath("unshare")) {
    peers.push_back(
        Peer("unshare per test",
             absl::StrCat("unshare ", user, "--fork --pid --net --ipc --uts --mount --mount-proc ",
                          filter)));
  }
  if (IsOnPath("bwrap")) {
    peers.push_back(
        Peer("bwrap per test",
             absl::StrCat("bwrap --unshare-all --bind / / --dev /dev --proc /proc --tmpfs /tmp ",
                          filter)));
  }
  for (const std::string& peer : others) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(peer, absl::MaxSplits('=', 1));
    peers.push_back(Peer(parts.first, parts.second));
  }
  return peers;
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
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options);
  if (!executor.ok()) {
    return executor.status();
  }
  const absl::Time begin = absl::Now();
  for (int i = 0; i < kSandboxes; ++i) {
    if (const auto id = (*executor)->Start([](Reporter&) { return 0; }); !id.ok()) {
      return id.status();
    }
    if (const Executor::Finished finished = (*executor)->WaitAny(); !finished.result.ok()) {
      return finished.result.status();
    }
  }
  return Microseconds(absl::Now() - begin) / kSandboxes;
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
       Suite(std::string(kOurs), "empty_isolated", {"--isolate_jobs=2"}, kTests,
             "floor, 2 in flight"),
       Suite("isolate, jobs=2, no leak checks", "empty_isolated",
             {"--isolate_jobs=2", "--isolate_leaks=off"}, kTests, "floor, 2 in flight"),
       Suite("isolate, jobs=4", "empty_isolated", {"--isolate_jobs=4"}, kTests, ""),
       Suite("isolate, jobs=2, shared libraries", "empty_dynamic", {"--isolate_jobs=2"}, kTests,
             std::string(kOurs))}};
  for (Subject& peer : Peers(peers)) {
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

// What gtest says that the suites of the empty program took, without what was before them;
// microseconds a test.
absl::StatusOr<double> MeasureTestsAlone(const Variables& environment, int tests) {
  const absl::StatusOr<Ran> ran =
      Run({{absl::StrCat(kFolder, "empty_isolated"), "--isolate_jobs=1"}, environment});
  if (!ran.ok() || ran->exit_code != 0) {
    return absl::UnknownError("not all passed");
  }
  double milliseconds = 0;
  for (const absl::string_view line : absl::StrSplit(ran->out, '\n')) {
    // "[----------] 10 tests from Suite0 (12 ms total)"
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    double took = 0;
    if (words.size() == 8 && words[7] == "total)" &&
        absl::SimpleAtod(absl::StripPrefix(words[5], "("), &took)) {
      milliseconds += took;
    }
  }
  return milliseconds * 1000 / tests;
}

Section Heap() {
  constexpr int kHeapTests = 100;
  Section section = {
      "heap", "empty tests of a program that has touched so much memory, microseconds a test", {}};
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
             const absl::StatusOr<Ran> ran = Run(
                 {{absl::StrCat(kFolder, "price"), "fork", absl::StrCat(kHeapTests)}, environment});
             double value = 0;
             if (!ran.ok() || !absl::SimpleAtod(ran->out, &value)) {
               return absl::UnknownError(ran.ok() ? ran->out : std::string("price"));
             }
             return value;
           },
           "",
           {},
           ""});
      Variables variables = environment;
      variables.emplace_back("BENCHMARK_TESTS", absl::StrCat(kHeapTests));
      section.subjects.push_back({absl::StrCat("isolate, jobs=1, ", what),
                                  [=] { return MeasureTestsAlone(variables, kHeapTests); },
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

// Two sections of the same runs: how long a test takes, and how much memory the runner.
std::vector<Section> Scale() {
  Section wall = {"scale", "empty tests, jobs=2, microseconds a test", {}};
  Section memory = {
      "scale, memory", "bytes that the runner takes for each test more, beside gtest's own", {}};
  // A run of the one is read by the other.
  auto peaks = std::make_shared<std::map<std::pair<std::string, int>, double>>();
  const auto run = [peaks](const std::string& program, int tests) -> absl::StatusOr<double> {
    const absl::StatusOr<Ran> ran =
        Run({{kFolder + program, "--isolate_jobs=2"}, {{"BENCHMARK_TESTS", absl::StrCat(tests)}}});
    if (!ran.ok() || ran->exit_code != 0) {
      return absl::UnknownError("not all passed");
    }
    (*peaks)[{program, tests}] = static_cast<double>(ran->peak_memory_bytes);
    return Microseconds(ran->wall) / tests;
  };
  const int counts[] = {100, 1000, 10'000, 50'000};
  for (const int tests : counts) {
    wall.subjects.push_back({absl::StrCat(tests, " tests"),
                             [=] { return run("empty_isolated", tests); },
                             "1000 tests",
                             {},
                             ""});
  }
  for (const int tests : {10'000, 50'000}) {
    memory.subjects.push_back(
        {absl::StrCat("1000 to ", tests, " tests"),
         [=]() -> absl::StatusOr<double> {
           for (const int count : {1000, tests}) {
             if (const auto plain = Run({{absl::StrCat(kFolder, "empty_plain")},
                                         {{"BENCHMARK_TESTS", absl::StrCat(count)}}});
                 plain.ok()) {
               (*peaks)[{"empty_plain", count}] = static_cast<double>(plain->peak_memory_bytes);
             }
           }
           const auto growth = [&](const std::string& program) {
             return (*peaks)[{program, tests}] - (*peaks)[{program, 1000}];
           };
           return (growth("empty_isolated") - growth("empty_plain")) / (tests - 1000);
         },
         "",
         {},
         ""});
  }
  return {std::move(wall), std::move(memory)};
}

Section LeakCheck() {
  constexpr int kRuns = 60;
  Section section = {"leakcheck",
                     "an empty function in a sandbox, one after another, that is looked at for one "
                     "kind of leak alone, for all or for none, microseconds a run",
                     {}};
  const auto add = [&](const std::string& name, const LeakKinds& kinds) {
    Options options;
    options.leaks = kinds;
    auto executor = std::make_shared<absl::StatusOr<std::unique_ptr<Executor>>>(
        absl::UnavailableError("not begun"));
    section.subjects.push_back({name,
                                [=]() -> absl::StatusOr<double> {
                                  if (!executor->ok()) {
                                    *executor = Executor::Create(options, /*ready=*/3);
                                  }
                                  if (!executor->ok()) {
                                    return executor->status();
                                  }
                                  const absl::Time begin = absl::Now();
                                  for (int i = 0; i < kRuns; ++i) {
                                    if (!(**executor)->Start([](Reporter&) { return 0; }).ok() ||
                                        !(**executor)->WaitAny().result.ok()) {
                                      return absl::UnavailableError("no sandbox");
                                    }
                                  }
                                  const absl::Duration took = absl::Now() - begin;
                                  // Not beside the next measurement.
                                  *executor = absl::UnavailableError("ended");
                                  return Microseconds(took) / kRuns;
                                },
                                "none",
                                {},
                                ""});
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

// The medians that --isolate_verbose=timing prints.
Section SetUp() {
  Section section = {"setup",
                     "the steps of a test's life, jobs=2, medians of 1000 tests in microseconds "
                     "(--isolate_verbose=timing)",
                     {}};
  auto medians = std::make_shared<std::map<std::string, double>>();
  const auto measure = [medians]() -> absl::Status {
    const absl::StatusOr<Ran> ran = Run({{absl::StrCat(kFolder, "empty_isolated"),
                                          "--isolate_jobs=2", "--isolate_verbose=timing"}});
    if (!ran.ok() || ran->exit_code != 0) {
      return absl::UnknownError("not all passed");
    }
    medians->clear();
    bool inside = false;
    for (const absl::string_view line : absl::StrSplit(ran->out, '\n')) {
      const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      double median = 0;
      if (inside && words.size() > 4 && absl::SimpleAtod(words[words.size() - 3], &median)) {
        const std::vector<absl::string_view> name(words.begin(), words.end() - 4);
        (*medians)[absl::StrJoin(name, " ")] = median;
      }
      inside = inside || absl::StartsWith(line, "step ");
    }
    return absl::OkStatus();
  };
  if (const absl::Status status = measure(); !status.ok()) {
    fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  }
  bool first = true;
  for (const auto& [name, median] : *medians) {
    section.subjects.push_back({name,
                                [=, name = name]() -> absl::StatusOr<double> {
                                  if (first) {
                                    if (const absl::Status status = measure(); !status.ok()) {
                                      return status;
                                    }
                                  }
                                  const auto found = medians->find(name);
                                  if (found == medians->end()) {
                                    return absl::UnknownError("not among the steps");
                                  }
                                  return found->second;
                                },
                                "",
                                {},
                                ""});
    first = false;
  }
  return section;
}

}  // namespace

std::vector<std::string> SectionNames() {
  return {"floor", "start", "empty", "port", "heap", "suite", "scale", "leakcheck", "setup"};
}

std::vector<Section> MakeSections(const std::string& name, const std::vector<std::string>& peers) {
  if (name == "scale") {
    return Scale();
  }
  return {name == "floor"       ? Floor()
          : name == "start"     ? Start()
          : name == "empty"     ? Empty(peers)
          : name == "port"      ? Port()
          : name == "heap"      ? Heap()
          : name == "suite"     ? DearSuite()
          : name == "leakcheck" ? LeakCheck()
                                : SetUp()};
}

}  // namespace isolate::benchmarks
