// What a user meets on a host that refuses: of the doctor, and with the plugin, as it is and with
// the flags that allow less isolation.

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/hosts/host.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::hosts {
namespace {

using ::isolate::plugin_tests::Build;
using ::isolate::plugin_tests::Command;
using ::isolate::plugin_tests::Count;
using ::isolate::plugin_tests::Finished;
using Json = nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

class OnHost : public testing::TestWithParam<Host> {
 protected:
  void SetUp() override {
    if (plugin_tests::kHasThreadOfASanitizer) {
      GTEST_SKIP() << "two threads cannot enter a user namespace";
    }
    if (!CanBeMadeReal(GetParam())) {
      GTEST_SKIP() << "this machine cannot be made to look so";
    }
  }

  bool refuses() const { return *GetParam().refusal != '\0'; }

  static Finished Run(std::vector<std::string> flags) {
    Command command{"specimen", Build::kIsolated, std::move(flags)};
    command.folder = "tests/hosts";
    command.args.emplace_back("--isolate_jobs=1");
    return ExecuteThere(std::move(command));
  }

  static Finished Isolate(std::vector<std::string> args) {
    Command command;
    command.program = "isolate/command/isolate";
    command.args = std::move(args);
    return ExecuteThere(std::move(command));
  }

  static Finished ExecuteThere(Command command) {
    command.before_exec = GetParam().live;
    return plugin_tests::Execute(command);
  }

  static void ExpectRefusal(const Finished& finished) {
    EXPECT_EQ(finished.exit_code, 3) << finished.out << finished.err;
    EXPECT_THAT(finished.out, Not(HasSubstr("[ RUN ")));
    EXPECT_EQ(Count(finished.err, "isolate: "), 1) << finished.err;
    EXPECT_THAT(finished.err, HasSubstr(GetParam().refusal));
    EXPECT_THAT(finished.err, HasSubstr(GetParam().cause));
    EXPECT_THAT(finished.err, HasSubstr("--isolate=off"));
  }

  static void ExpectAll(const Finished& finished) {
    EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
    EXPECT_EQ(Count(finished.out, "[       OK ]"), 2);
    EXPECT_EQ(finished.err, "");
  }
};

TEST_P(OnHost, TheDoctorNamesTheCauseAndWhatRemains) {
  const Finished finished = Isolate({"doctor"});
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(finished.exit_code, refuses() ? 3 : 0) << finished.out;
  EXPECT_THAT(finished.out, HasSubstr(GetParam().cause));
  EXPECT_EQ(absl::StrContains(finished.out, "What remains: "), refuses()) << finished.out;
  EXPECT_EQ(absl::StrContains(finished.out, "  fails: "), refuses()) << finished.out;
  if (refuses() && absl::string_view(GetParam().lost) == "") {
    EXPECT_THAT(finished.out, HasSubstr("What remains: nothing"));
  } else if (refuses() && !absl::StartsWith(GetParam().lost, "pid,network")) {
    EXPECT_THAT(finished.out, HasSubstr(absl::StrCat("--isolate_prefer=", GetParam().lost, " ")));
  }
}

TEST_P(OnHost, TheDoctorTellsProgramsTheSame) {
  const Finished finished = Isolate({"doctor", "--json"});
  EXPECT_EQ(finished.exit_code, refuses() ? 3 : 0) << finished.out;
  const Json json = Json::parse(finished.out, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(json.is_object()) << finished.out;
  EXPECT_EQ(json["default_sandbox"], !refuses());
  std::string causes;
  for (const Json& step : json["steps"]) {
    EXPECT_EQ(step.contains("cause"), step["state"] == "fails") << step;
    causes += step.value("cause", "") + step.value("remedy", "");
  }
  EXPECT_EQ(causes.empty(), !refuses());
  EXPECT_THAT(causes, HasSubstr(GetParam().cause));
  EXPECT_EQ(json["remaining"].is_null(), *GetParam().lost == '\0');
  const std::vector<std::string> lost = json["lost"];
  if (*GetParam().lost != '\0') {
    EXPECT_EQ(lost.empty() ? "none" : absl::StrJoin(lost, ","), GetParam().lost);
  }
  EXPECT_EQ(json["facts"]["no_new_privs"].is_boolean(), true);
}

TEST_P(OnHost, ARunIsIsolatedOrFailsBeforeTheFirstTestWithOneDiagnosis) {
  const Finished finished = Run({});
  if (refuses()) {
    ExpectRefusal(finished);
  } else {
    ExpectAll(finished);
  }
}

TEST_P(OnHost, WhatIsPreferredIsDoneWithoutAndTold) {
  const Finished finished = Run({"--isolate_prefer=all", "--isolate_report=/dev/stdout"});
  const std::string lost = GetParam().lost;
  if (lost.empty()) {
    ExpectRefusal(finished);
    return;
  }
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  EXPECT_EQ(Count(finished.out, "[       OK ]"), 2);
  if (lost == "none") {
    EXPECT_EQ(finished.err, "");
    EXPECT_THAT(finished.out, Not(HasSubstr("\"lost\"")));
    return;
  }
  EXPECT_THAT(finished.err, HasSubstr(GetParam().refusal));
  EXPECT_EQ(Count(finished.err,
                  absl::StrCat("isolate: tests ran without ", lost, ", which this host refuses")),
            1)
      << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("\"lost\":[{\"kinds\":["));
  EXPECT_EQ(Count(finished.out, "\"isolation\":["), 2);
}

TEST_P(OnHost, ACommandGoesOnWithoutWhatIsPreferred) {
  const Finished finished =
      Isolate({"run", "--prefer=all", "--report=/dev/stdout", "echo", "done"});
  const std::string lost = GetParam().lost;
  if (lost.empty()) {
    EXPECT_EQ(finished.exit_code, 3) << finished.out << finished.err;
    return;
  }
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("done\n"));
  if (lost == "none") {
    EXPECT_EQ(finished.err, "");
    EXPECT_THAT(finished.out, Not(HasSubstr("\"lost\"")));
    return;
  }
  EXPECT_THAT(finished.err, AllOf(HasSubstr(GetParam().refusal),
                                  HasSubstr("so the command runs without (--prefer)")));
  const Json report = Json::parse(finished.out.substr(finished.out.find('{')), nullptr, false);
  ASSERT_TRUE(report.is_object()) << finished.out;
  std::set<std::string> named;
  for (const Json& loss : report["lost"]) {
    named.insert(loss["kinds"].begin(), loss["kinds"].end());
  }
  const std::vector<std::string> kinds = absl::StrSplit(lost, ',');
  EXPECT_THAT(named, UnorderedElementsAreArray(kinds));
  for (const Json& kind : report["isolation"]) {
    EXPECT_THAT(kinds, Not(Contains(kind.get<std::string>())));
  }
  EXPECT_EQ(named.size() + report["isolation"].size(), 7U);
}

TEST_P(OnHost, WhatIsRequiredIsNotDoneWithout) {
  const Finished finished = Run({"--isolate_prefer=all", "--isolate_require=all"});
  if (refuses()) {
    ExpectRefusal(finished);
  } else {
    ExpectAll(finished);
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, OnHost, testing::ValuesIn(Hosts()),
                         [](const auto& host) { return std::string(host.param.name); });

}  // namespace
}  // namespace isolate::hosts
