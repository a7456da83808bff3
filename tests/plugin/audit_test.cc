// Which tests would fight, as a user hears of it.

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

struct Audited {
  Finished finished;
  json report;
};

Audited Audit(const std::string& filter, std::vector<std::string> args = {}) {
  const std::string path = absl::StrCat(testing::TempDir(), "/audit.", getpid(), ".json");
  args.push_back("--gtest_filter=" + filter);
  args.push_back("--isolate_audit=names");
  args.push_back("--isolate_report=" + path);
  Audited audited;
  audited.finished = Execute({"names", Build::kIsolated, std::move(args)});
  std::ifstream file(path);
  audited.report = json::parse(file, nullptr, /*allow_exceptions=*/false);
  unlink(path.c_str());
  return audited;
}

// "ports tcp 8080: A.B C.D" of each.
std::vector<std::string> CollisionsIn(const Audited& audited) {
  std::vector<std::string> collisions;
  for (const json& collision : audited.report["collisions"]) {
    std::string text =
        absl::StrCat(std::string(collision["kind"]), " ", std::string(collision["name"]), ":");
    for (const json& party : collision["tests"]) {
      absl::StrAppend(&text, " ", std::string(party["test"]));
    }
    collisions.push_back(text);
  }
  return collisions;
}

// "A.B leaves tcp 8080 breaks C.D" of each.
std::vector<std::string> PredictionsIn(const Audited& audited) {
  std::vector<std::string> predictions;
  for (const json& prediction : audited.report["predictions"]) {
    const auto join = [&](const char* key) {
      return absl::StrJoin(prediction[key].get<std::vector<std::string>>(), " ");
    };
    predictions.push_back(absl::StrCat(join("polluters"), " leaves ",
                                       std::string(prediction["name"]), " ",
                                       std::string(prediction["effect"]), " ", join("victims")));
  }
  return predictions;
}

// What each test used, as "/tmp/x made+removed".
std::map<std::string, std::vector<std::string>> FootprintsIn(const Audited& audited) {
  std::map<std::string, std::vector<std::string>> footprints;
  for (const json& test : audited.report["tests"]) {
    std::vector<std::string>& names = footprints[test["name"]];
    if (test.contains("footprint")) {
      for (const json& use : test["footprint"]) {
        names.push_back(
            absl::StrCat(std::string(use["name"]), " ",
                         absl::StrJoin(use["how"].get<std::vector<std::string>>(), "+")));
      }
    }
    std::sort(names.begin(), names.end());
  }
  return footprints;
}

TEST(Audit, IsOffUnlessItIsAskedFor) {
  const Finished finished =
      Execute({"names", Build::kIsolated, {"--gtest_filter=Ports.*:ByPid.*"}});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, Not(HasSubstr("COLLIDES")));
}

TEST(Audit, NamesPortsOnWhichTestsMeet) {
  const Audited audited = Audit("Ports.*");
  EXPECT_EQ(audited.finished.exit_code, 0) << audited.finished.out;
  EXPECT_THAT(CollisionsIn(audited),
              ElementsAre("ports tcp 8080: Ports.OnAllAddresses Ports.OnOneAddress"));
  EXPECT_THAT(audited.report["parallel"]["safe"],
              ElementsAre("Ports.OnAnotherPort", "Ports.OnAPortOfTheKernels",
                          "Ports.OnAnotherPortOfTheKernels"));
  EXPECT_THAT(audited.report["parallel"]["unsafe"],
              ElementsAre("Ports.OnAllAddresses", "Ports.OnOneAddress"));
  EXPECT_THAT(audited.report["collisions"][0]["tests"][1]["names"],
              ElementsAre("tcp 127.0.0.1:8080"));
  EXPECT_THAT(
      audited.finished.out,
      HasSubstr("[ COLLIDES ] 2 of 5 tests would meet others in one network and file "
                "system, on 1 name\n"
                "[ COLLIDES ] ports: tcp 8080: Ports.OnAllAddresses, Ports.OnOneAddress\n"));
}

TEST(Audit, PredictsWhatWouldBreakWhat) {
  const Audited audited = Audit("Left.*");
  EXPECT_THAT(PredictionsIn(audited),
              UnorderedElementsAre("Left.Port leaves tcp 9090 breaks Left.PortOfOther",
                                   "Left.File leaves /tmp/left breaks Left.FileOfOther",
                                   "Left.Segment leaves shm 0x77 is found Left.SegmentOfOther"));
  EXPECT_THAT(audited.finished.out,
              AllOf(HasSubstr("[ COLLIDES ] Left.Port leaves tcp 9090, Left.PortOfOther binds it: "
                              "without isolation, Left.Port would break Left.PortOfOther\n"),
                    HasSubstr("Left.SegmentOfOther makes it: without isolation, "
                              "Left.SegmentOfOther would find it there\n")));
}

TEST(Audit, TakesNoNamesForOneThatWouldBeTwo) {
  const Audited audited = Audit("ByPid.*:ByChance.*:Removed.*:Nothing.*");
  EXPECT_THAT(CollisionsIn(audited), IsEmpty());
  EXPECT_EQ(audited.report["parallel"]["safe"].size(), 7);
  EXPECT_THAT(audited.finished.out,
              HasSubstr("isolate: none of the 7 tests uses a name that another one uses, too.\n"));
}

TEST(Audit, TellsOfTestsThatDoNotEnd) {
  const Audited audited = Audit("Ends.*", {"--isolate_timeout=1s", "--isolate_grace=0"});
  EXPECT_THAT(CollisionsIn(audited),
              ElementsAre("files /tmp/ends: Ends.ByCrash Ends.ByTimeLimit Ends.Well"));
}

TEST(Audit, TakesATestThatIsRepeatedForOne) {
  const Audited audited = Audit("Ports.OnOneAddress", {"--gtest_repeat=3"});
  EXPECT_EQ(audited.report["tests"].size(), 3);
  EXPECT_THAT(CollisionsIn(audited), IsEmpty());
  EXPECT_THAT(audited.report["parallel"]["safe"], ElementsAre("Ports.OnOneAddress"));
}

TEST(Audit, FindsTheSameWithManyJobs) {
  EXPECT_EQ(CollisionsIn(Audit("Ports.*:Left.*:By*", {"--isolate_jobs=1"})),
            CollisionsIn(Audit("Ports.*:Left.*:By*", {"--isolate_jobs=4"})));
}

struct Way {
  const char* name;
  std::vector<std::string> args;
};

class Sharing : public testing::TestWithParam<Way> {};

TEST_P(Sharing, TellsWhichTestUsedWhat) {
  const Audited audited = Audit("Shared.*", GetParam().args);
  EXPECT_EQ(audited.finished.exit_code, 0) << audited.finished.out;
  EXPECT_EQ(FootprintsIn(audited),
            (std::map<std::string, std::vector<std::string>>{
                {"First", {"/tmp/shared made", "/tmp/shared_set_up made"}},
                {"Second", {"/tmp/second made"}},
                {"Third", {"/tmp/shared removed", "/tmp/shared_torn_down made"}}}));
  EXPECT_THAT(CollisionsIn(audited), ElementsAre("files /tmp/shared: Shared.First Shared.Third"));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, Sharing,
    testing::Values(Way{"OneProcess", {"--isolate_scope=suite"}},
                    Way{"OneProgram", {"--isolate_scope=suite", "--isolate_spawn=exec"}},
                    Way{"Snapshot", {"--isolate_suite_setup=snapshot", "--isolate_jobs=3"}},
                    Way{"SnapshotInOneSandbox",
                        {"--isolate_suite_setup=snapshot", "--isolate_scope=suite"}}),
    [](const auto& way) { return std::string(way.param.name); });

TEST(Audit, OfAnExecutedProgramIsTheSame) {
  EXPECT_EQ(CollisionsIn(Audit("Ports.*:Left.*", {"--isolate_spawn=exec"})),
            CollisionsIn(Audit("Ports.*:Left.*")));
}

TEST(Audit, TellsOfFilesThatAreLeftOutsideOfPrivateFolders) {
  const Audited audited = Audit("WorkingDirectory.*");
  unlink("isolate_left_in_cwd");
  std::map<std::string, std::string> leaks;
  for (const json& test : audited.report["tests"]) {
    leaks[test["name"]] = test.contains("leaks") ? test["leaks"][0]["leak"] : "";
  }
  EXPECT_THAT(leaks["Left"], HasSubstr("/isolate_left_in_cwd"));
  EXPECT_EQ(leaks["Removed"], "");
}

TEST(Audit, OfAWrongKindIsAnErrorBeforeAnyTest) {
  const Finished finished = Execute({"names", Build::kIsolated, {"--isolate_audit=everything"}});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr("--isolate_audit=everything: "), HasSubstr("expected names or off")));
}

}  // namespace
}  // namespace isolate::plugin_tests
