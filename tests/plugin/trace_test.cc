// --isolate_trace, read back.

#include <signal.h>
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

struct Slice {
  std::string track;
  std::string name;
  std::string category;
  int64_t begun_ns = 0;
  int64_t ended_ns = 0;
  json args;
};

// In nanoseconds, which the file has as microseconds with three digits behind the point.
int64_t Nanoseconds(double microseconds) { return std::llround(microseconds * 1000); }

// A trace file.
class Trace {
 public:
  explicit Trace(const std::string& path) {
    std::ifstream file(path);
    json_ = json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (json_.is_discarded()) {
      ADD_FAILURE() << "it is no JSON";
      return;
    }
    std::map<int, std::string> tracks;
    for (const json& event : json_["traceEvents"]) {
      EXPECT_EQ(event["pid"], json_["traceEvents"][0]["pid"]);
      if (event["ph"] == "M" && event["name"] == "thread_name") {
        EXPECT_TRUE(tracks.emplace(event["tid"], event["args"]["name"]).second) << event;
      } else if (event["ph"] == "X") {
        // As some viewers do, with numbers of floating point.
        const double end = event["ts"].get<double>() + event["dur"].get<double>();
        EXPECT_EQ(end * 8, std::floor(end * 8)) << event;
        slices_.push_back({tracks.at(event["tid"]), event["name"], event["cat"],
                           Nanoseconds(event["ts"]), Nanoseconds(end),
                           event.value("args", json::object())});
      } else {
        EXPECT_EQ(event["ph"], "M") << event;
      }
    }
  }

  const json& about() const { return json_["otherData"]; }
  const std::vector<Slice>& slices() const { return slices_; }

  std::vector<Slice> OfCategory(const std::string& category) const {
    std::vector<Slice> found;
    for (const Slice& slice : slices_) {
      if (slice.category == category) {
        found.push_back(slice);
      }
    }
    return found;
  }

  // The one of this category and name; fails where there is not one.
  Slice Find(const std::string& category, const std::string& name) const {
    Slice found;
    int count = 0;
    for (const Slice& slice : OfCategory(category)) {
      if (slice.name == name) {
        found = slice;
        ++count;
      }
    }
    EXPECT_EQ(count, 1) << category << " " << name;
    return found;
  }

  // The names of the slices within this one, on its track.
  std::vector<std::string> Within(const Slice& outer) const {
    std::vector<std::string> names;
    for (const Slice& slice : slices_) {
      if (slice.track == outer.track && slice.begun_ns >= outer.begun_ns &&
          slice.ended_ns <= outer.ended_ns && slice.category != outer.category) {
        names.push_back(slice.name);
      }
    }
    return names;
  }

  // As the viewers take it: of two slices that begin at once, the first in the file is the outer.
  void ExpectNesting() const {
    std::map<std::string, std::vector<Slice>> tracks;
    for (const Slice& slice : slices_) {
      tracks[slice.track].push_back(slice);
    }
    for (auto& [track, slices] : tracks) {
      std::stable_sort(slices.begin(), slices.end(),
                       [](const Slice& a, const Slice& b) { return a.begun_ns < b.begun_ns; });
      std::vector<Slice> open;
      for (const Slice& slice : slices) {
        EXPECT_GE(slice.begun_ns, 0);
        while (!open.empty() && open.back().ended_ns <= slice.begun_ns) {
          open.pop_back();
        }
        if (!open.empty()) {
          EXPECT_LE(slice.ended_ns, open.back().ended_ns)
              << track << ": " << slice.name << " overlaps " << open.back().name;
        }
        open.push_back(slice);
      }
    }
  }

 private:
  json json_;
  std::vector<Slice> slices_;
};

absl::Time TimeOf(const json& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text.get<std::string>(), &time, &error)) << error;
  return time;
}

class RunTrace : public ::testing::Test {
 protected:
  static std::string Path() { return ::testing::TempDir() + "/trace.json"; }

  void TearDown() override { remove(Path().c_str()); }

  // A specimen that is to write the trace.
  static Command Tracing(const std::string& specimen, std::vector<std::string> args = {}) {
    args.push_back("--isolate_trace=" + Path());
    return {specimen, Build::kIsolated, std::move(args)};
  }

  static Trace Read() {
    Trace trace(Path());
    trace.ExpectNesting();
    return trace;
  }
};

TEST_F(RunTrace, HasEveryTestOnAWorkerAndAsGtestReplaysIt) {
  const Finished finished = Execute(Tracing("results", {"--isolate_jobs=2"}));
  const Trace trace = Read();
  const std::map<std::string, std::string> outcomes = {
      {"OK", "passed"}, {"FAILED", "failed"}, {"SKIPPED", "skipped"}};
  const auto sections = Sections(finished.out);
  ASSERT_FALSE(sections.empty());
  for (const auto& [test, section] : sections) {
    SCOPED_TRACE(test);
    const Slice replayed = trace.Find("gtest", test);
    EXPECT_EQ(replayed.track, "gtest");
    EXPECT_EQ(replayed.args["outcome"], outcomes.at(section.ending));
    EXPECT_EQ(replayed.args["iteration"], 1);
    const Slice process = trace.Find("process", test);
    EXPECT_THAT(process.track, AnyOf("worker 1", "worker 2"));
    EXPECT_THAT(process.args["process"].get<std::string>(), StartsWith("returned "));
    std::vector<std::string> phases = {"wait for a sandbox",
                                       "fork and enter",
                                       "SetUpTestSuite",
                                       test.substr(test.find('.') + 1),
                                       "TearDownTestSuite and leak look",
                                       "end of the sandbox"};
    if (kHasThreadOfASanitizer) {
      // With a second thread it cannot know that it left nothing.
      phases.insert(phases.end() - 1, "post-mortem");
    }
    EXPECT_THAT(trace.Within(process), ElementsAreArray(phases));
    EXPECT_LT(process.begun_ns, replayed.ended_ns);
  }
  EXPECT_EQ(trace.OfCategory("test").size(), sections.size());
  std::map<std::string, int> counted;
  for (const Slice& slice : trace.OfCategory("test")) {
    ++counted[slice.args["outcome"]];
  }
  EXPECT_THAT(counted, ElementsAre(Pair("failed", Gt(0)), Pair("passed", 2), Pair("skipped", 4)));
  EXPECT_EQ(trace.about()["jobs"], 2);
}

TEST_F(RunTrace, HasTheMakingOfEachSandbox) {
  Execute(Tracing("results", {"--gtest_filter=Passed.*"}));
  const Trace trace = Read();
  for (const std::string test : {"Passed.InSilence", "Passed.WithAWord"}) {
    const Slice sandbox = trace.Find("sandbox", "sandbox of " + test);
    EXPECT_THAT(sandbox.track, StartsWith("making sandboxes "));
    const Slice process = trace.Find("process", test);
    EXPECT_LE(sandbox.ended_ns, process.ended_ns);
    EXPECT_EQ(sandbox.args["pid_namespace"], process.args["pid_namespace"]);
    EXPECT_THAT(trace.Within(sandbox),
                IsSupersetOf({"create the sandbox's namespaces", "make mounts private",
                              "mount a tmpfs", "mount a fresh /proc", "mount a fresh /sys",
                              "bring the loopback interface up", "set the host name",
                              "announce the sandbox"}));
  }
}

TEST_F(RunTrace, HasNoStepThatIsNotTaken) {
  Execute(Tracing("results", {"--gtest_filter=Passed.InSilence", "--isolate_network=host"}));
  const Trace trace = Read();
  EXPECT_THAT(
      trace.Within(trace.Find("sandbox", "sandbox of Passed.InSilence")),
      AllOf(Contains("make mounts private"), Not(Contains("bring the loopback interface up"))));
}

TEST_F(RunTrace, HasTestsThatEndTheirProcess) {
  Command command = Tracing("ends", {"--gtest_filter=In*_Abort.*:In*_Exit3.*"});
  command.environment = {{"ASAN_OPTIONS", "handle_abort=0:detect_leaks=0"},
                         {"TSAN_OPTIONS", "handle_abort=0"}};
  Execute(command);
  const Trace trace = Read();
  const Slice aborted = trace.Find("process", "InBody_Abort.Ends");
  EXPECT_EQ(aborted.args["process"], "died of SIGABRT");
  EXPECT_THAT(trace.Within(aborted), AllOf(Contains("Ends"), Contains("post-mortem"),
                                           Not(Contains("TearDownTestSuite and leak look"))));
  EXPECT_EQ(trace.Find("process", "InBody_Exit3.Ends").args["process"], "exited with 3");
  // Where no test began.
  EXPECT_THAT(trace.Within(trace.Find("process", "InSetUpTestSuite_Abort.Ends")),
              AllOf(Contains("SetUpTestSuite"), Not(Contains("Ends"))));
  std::map<std::string, int> outcomes;
  for (const Slice& slice : trace.OfCategory("test")) {
    ++outcomes[slice.args["outcome"]];
  }
  EXPECT_THAT(outcomes, ElementsAre(Pair("crashed", 6), Pair("exited", 6)));
  EXPECT_EQ(trace.Find("gtest", "InBody_Abort.Ends").args["outcome"], "crashed");
}

TEST_F(RunTrace, HasATestThatTookTooLong) {
  Execute(Tracing("waits", {"--gtest_filter=Second.Waits", "--isolate_timeout=1s"}));
  const Trace trace = Read();
  EXPECT_EQ(trace.Find("test", "Waits").args["outcome"], "timed out");
  const Slice process = trace.Find("process", "Second.Waits");
  EXPECT_EQ(process.args["process"], "timed out");
  const Slice wait = trace.Find("wait", "wait for Second.Waits");
  EXPECT_EQ(wait.track, "gtest");
  for (const Slice& slice : {process, wait}) {
    EXPECT_GE(slice.ended_ns - slice.begun_ns, 1'000'000'000) << slice.name;
  }
}

// Both wait for ever, so each has a worker of its own.
TEST_F(RunTrace, IsWholeWhenTheRunIsEndedWithTestsOnAllWorkers) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Finished finished =
        ExecuteUntilTold(Tracing("waits", {"--gtest_filter=Second.Waits*:Bystander.*",
                                           "--isolate_jobs=2", "--isolate_grace=60s"}),
                         2, signal);
    EXPECT_EQ(finished.signal, signal);
    const Trace trace = Read();
    const Slice first = trace.Find("process", "Second.Waits");
    const Slice second = trace.Find("process", "Second.WaitsToo");
    EXPECT_NE(first.track, second.track);
    EXPECT_LT(first.begun_ns, second.ended_ns);
    EXPECT_LT(second.begun_ns, first.ended_ns);
    for (const char* test : {"Waits", "WaitsToo"}) {
      EXPECT_EQ(trace.Find("test", test).args["outcome"], "interrupted");
    }
  }
}

TEST_F(RunTrace, HasWhatWasEndedAsNobodyWantedToKnow) {
  Execute(Tracing("waits", {"--gtest_filter=Failure.First:Failure.Waits", "--gtest_fail_fast",
                            "--isolate_jobs=2"}));
  const Trace trace = Read();
  EXPECT_THAT(trace.Find("process", "Failure.Waits").args["process"].get<std::string>(),
              StartsWith("was ended"));
}

struct Way {
  const char* name;
  std::vector<std::string> args;
  // The processes that the workers had, in their order, and what each does until a test begins.
  std::vector<std::string> processes;
  const char* phase;
};

void PrintTo(const Way& way, std::ostream* os) { *os << way.name; }

class EveryWay : public RunTrace, public ::testing::WithParamInterface<Way> {};

TEST_P(EveryWay, HasEachTestWhereAndWhenTheReportHasIt) {
  const std::string report_path = ::testing::TempDir() + "/report.json";
  std::vector<std::string> args = GetParam().args;
  args.insert(args.end(), {"--gtest_filter=Sharing.*-*WaitsForEver", "--isolate_jobs=3",
                           "--isolate_report=" + report_path});
  Execute(Tracing("scopes", args));
  const Trace trace = Read();
  std::vector<std::string> processes;
  for (const Slice& slice : trace.OfCategory("process")) {
    processes.push_back(slice.name);
    if (slice.args.contains("process")) {
      EXPECT_THAT(trace.Within(slice), Contains(GetParam().phase));
    }
  }
  EXPECT_THAT(processes, UnorderedElementsAreArray(GetParam().processes));
  // By name; those of a snapshot have processes of their own.
  std::map<std::string, Slice> tests;
  for (const Slice& slice : trace.slices()) {
    if (slice.args.contains("outcome") && slice.category != "gtest") {
      const std::string name = slice.name.substr(slice.name.find('.') + 1);
      EXPECT_TRUE(tests.emplace(name, slice).second) << slice.name;
    }
  }
  ASSERT_EQ(tests.size(), 5U);

  std::ifstream file(report_path);
  const json report = json::parse(file);
  remove(report_path.c_str());
  const absl::Duration later = TimeOf(report["started"]) - TimeOf(trace.about()["started"]);
  for (const json& test : report["tests"]) {
    const std::string name = test["name"];
    SCOPED_TRACE(name);
    Slice slice = tests.at(name);
    EXPECT_EQ(slice.args["outcome"], test["outcome"]);
    EXPECT_LT(test["worker"], 3);
    EXPECT_EQ(slice.track, absl::StrCat("worker ", test["worker"].get<int>() + 1));
    const std::string process = "Sharing." + name;
    if (std::count(processes.begin(), processes.end(), process) > 0) {
      slice = trace.Find("process", process);
    }
    const int64_t begun_ns =
        std::llround(test["start_ms"].get<double>() * 1e6) + absl::ToInt64Nanoseconds(later);
    EXPECT_EQ(slice.begun_ns, begun_ns - begun_ns % 125);
  }
}

const std::vector<std::string>& EachTest() {
  static const auto* const kTests = new std::vector<std::string>{
      "Sharing.First", "Sharing.Second", "Sharing.Crashes", "Sharing.Fourth", "Sharing.Sixth"};
  return *kTests;
}

std::vector<std::string> SuiteAndEachTest() {
  std::vector<std::string> all = EachTest();
  all.emplace_back("Sharing");
  return all;
}

INSTANTIATE_TEST_SUITE_P(
    RunTrace, EveryWay,
    ::testing::Values(
        Way{"TestScope", {}, EachTest(), "SetUpTestSuite"},
        // The second has what the first, which crashed, did not come to.
        Way{"SuiteScope", {"--isolate_scope=suite"}, {"Sharing", "Sharing"}, "SetUpTestSuite"},
        Way{"Snapshot", {"--isolate_suite_setup=snapshot"}, SuiteAndEachTest(), "SetUpTestSuite"},
        Way{"SnapshotInOneSandbox",
            {"--isolate_suite_setup=snapshot", "--isolate_scope=suite"},
            SuiteAndEachTest(),
            "SetUpTestSuite"},
        Way{"Exec", {"--isolate_spawn=exec"}, EachTest(), "execute, main and SetUpTestSuite"}),
    [](const auto& way) { return std::string(way.param.name); });

TEST_F(RunTrace, HasEveryIteration) {
  Execute(Tracing("results", {"--gtest_filter=Passed.InSilence", "--gtest_repeat=3"}));
  const Trace trace = Read();
  EXPECT_EQ(trace.OfCategory("process").size(), 3U);
  std::vector<int> iterations;
  for (const Slice& slice : trace.OfCategory("gtest")) {
    iterations.push_back(slice.args["iteration"]);
  }
  EXPECT_THAT(iterations, ElementsAre(1, 2, 3));
}

TEST_F(RunTrace, NamesTheLeaksOfATest) {
  Execute(Tracing("remains", {"--gtest_filter=Leaky.InItsBody"}));
  const Trace trace = Read();
  EXPECT_THAT(trace.Find("test", "InItsBody").args["leaks"].get<std::vector<std::string>>(),
              Contains(HasSubstr(": ")));
}

TEST_F(RunTrace, SaysWhyTestsCouldNotBeIsolated) {
  // Later tests find no sandbox: a path that traits ask for is not there.
  Command command = Tracing("traits", {"--gtest_filter=Usual.*"});
  command.environment = {{"WRONG_PATH", "1"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 3) << finished.err;
  EXPECT_THAT(Read().about()["error"].get<std::string>(), HasSubstr("/no/such/path"));
}

TEST_F(RunTrace, IsAmongTheOutputsThatBazelKeepsWhereItsPathIsRelative) {
  Command command{
      "results", Build::kIsolated, {"--gtest_filter=Passed.*", "--isolate_trace=trace.json"}};
  command.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", ::testing::TempDir()}};
  Execute(command);
  EXPECT_EQ(Read().OfCategory("test").size(), 2U);
}

TEST_F(RunTrace, ThatCannotBeOpenedIsAnErrorBeforeAnyTest) {
  const Finished finished =
      Execute({"results", Build::kIsolated, {"--isolate_trace=/no/such/folder/trace"}});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_THAT(finished.err, HasSubstr("--isolate_trace=/no/such/folder/trace: "));
}

TEST_F(RunTrace, IsNoPageAndNotTheReport) {
  const std::string path = Path();
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--isolate_trace=" + path + ".html"},
        {"--isolate_trace=" + path, "--isolate_report=" + path}}) {
    const Finished finished = Execute({"results", Build::kIsolated, args});
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_THAT(finished.err, HasSubstr("--isolate_trace=" + path));
  }
}

TEST_F(RunTrace, ThatCannotBeWrittenIsNamed) {
  const Finished finished = Execute(
      {"results", Build::kIsolated, {"--gtest_filter=Passed.*", "--isolate_trace=/dev/full"}});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.err, HasSubstr("isolate: cannot write /dev/full: No space left on device"));
}

TEST_F(RunTrace, IsNotForARunWithoutIsolation) {
  const Finished finished =
      Execute(Tracing("results", {"--gtest_filter=Passed.*", "--isolate=off"}));
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.err, HasSubstr("there is no trace"));
}

}  // namespace
}  // namespace isolate::plugin_tests
