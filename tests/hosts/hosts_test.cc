// What a user meets on a host that refuses: with the plugin, as it is and with the flags that allow
// less isolation.

#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/hosts/host.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::hosts {
namespace {

using ::isolate::plugin_tests::Build;
using ::isolate::plugin_tests::Command;
using ::isolate::plugin_tests::Count;
using ::isolate::plugin_tests::Finished;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kNoSuchHost = 90;

class OnHost : public testing::TestWithParam<Host> {
 protected:
  void SetUp() override {
    if (plugin_tests::kHasThreadOfASanitizer) {
      GTEST_SKIP() << "two threads cannot enter a user namespace";
    }
  }

  bool refuses() const { return *GetParam().refusal != '\0'; }

  static Finished Run(std::vector<std::string> flags) {
    Command command{"specimen", Build::kIsolated, std::move(flags)};
    command.folder = "tests/hosts";
    command.args.emplace_back("--isolate_jobs=1");
    command.before_exec = [] {
      if (!GetParam().live()) {
        _exit(kNoSuchHost);
      }
      return true;
    };
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

#define SKIP_WHERE_THERE_IS_NONE(finished)                    \
  if ((finished).exit_code == kNoSuchHost) {                  \
    GTEST_SKIP() << "this machine cannot be made to look so"; \
  }

TEST_P(OnHost, ARunIsIsolatedOrFailsBeforeTheFirstTestWithOneDiagnosis) {
  const Finished finished = Run({});
  SKIP_WHERE_THERE_IS_NONE(finished);
  if (refuses()) {
    ExpectRefusal(finished);
  } else {
    ExpectAll(finished);
  }
}

TEST_P(OnHost, WhatIsPreferredIsDoneWithoutAndTold) {
  const Finished finished = Run({"--isolate_prefer=all", "--isolate_report=/dev/stdout"});
  SKIP_WHERE_THERE_IS_NONE(finished);
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

TEST_P(OnHost, WhatIsRequiredIsNotDoneWithout) {
  const Finished finished = Run({"--isolate_prefer=all", "--isolate_require=all"});
  SKIP_WHERE_THERE_IS_NONE(finished);
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
