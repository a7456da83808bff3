// Tests that need something else than the flags say.

#include <limits.h>
#include <unistd.h>

#include <string>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string OwnNetwork() {
  char network[PATH_MAX] = "";
  EXPECT_GT(readlink("/proc/self/ns/net", network, sizeof(network) - 1), 0);
  return network;
}

TEST(Traits, GiveTestsWhatTheyAskForAndNoOthers) {
  const Finished finished = Execute(
      {"traits", Build::kIsolated, {"--isolate_jobs=2", "--gtest_filter=Usual.*:Outside.*"}});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  const auto sections = Sections(finished.out);
  for (const char* test : {"Usual.Is", "Outside.IsNotAsItsNameIsTakenOut"}) {
    EXPECT_THAT(sections.at(test).text,
                AllOf(StartsWith("host isolate, net:"), Not(HasSubstr(OwnNetwork()))));
  }
  EXPECT_THAT(sections.at("Outside.IsInTheHostsNetwork").text,
              StartsWith(absl::StrCat("host named, ", OwnNetwork(), ", ")));
}

TEST(Traits, MayBeOfAFixture) {
#ifdef ABSL_HAVE_THREAD_SANITIZER
  GTEST_SKIP() << "a process with ThreadSanitizer's thread cannot join a time namespace";
#endif
  const Finished finished =
      Execute({"traits", Build::kIsolated, {"--gtest_filter=Some/Later.*:Usual.*"}});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  const auto sections = Sections(finished.out);
  EXPECT_THAT(sections.at("Some/Later.Is/0").text, HasSubstr("years 70, may write 0\n"));
  EXPECT_THAT(sections.at("Usual.Is").text, HasSubstr("years 0, "));
}

TEST(Traits, MaySayWhatASuiteShares) {
  const Finished finished = Execute(
      {"traits", Build::kIsolated, {"--isolate_jobs=2", "--gtest_filter=Together.*:Copied.*"}});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
}

TEST(Traits, MayLimitTheTime) {
  const Finished finished =
      Execute({"traits", Build::kIsolated, {"--gtest_filter=Short.*:Usual.*"}});
  EXPECT_EQ(finished.exit_code, 1);
  const auto sections = Sections(finished.out);
  EXPECT_THAT(sections.at("Short.Waits").text, HasSubstr("longer than its time limit of 1s"));
  EXPECT_EQ(sections.at("Usual.Is").ending, "OK");
}

TEST(Traits, MayLimitTheMemory) {
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
  GTEST_SKIP() << "a sanitizer's shadow memory is over any limit";
#endif
  const Finished finished = Execute({"traits", Build::kIsolated, {"--gtest_filter=Small.*"}});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
}

TEST(Traits, SayNothingWithoutIsolation) {
  const Finished finished =
      Execute({"traits", Build::kIsolated, {"--isolate=off", "--gtest_filter=Outside.*"}});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, HasSubstr(OwnNetwork()));
}

struct Mistake {
  const char* variable;
  const char* value;
  const char* said;
};

class WrongTraits : public ::testing::TestWithParam<Mistake> {};

TEST_P(WrongTraits, AreAnErrorBeforeAnyTestRuns) {
  Command command{"traits", Build::kIsolated, {"--gtest_filter=Usual.*"}};
  command.environment = {{GetParam().variable, GetParam().value}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, AllOf(StartsWith("isolate: "), HasSubstr(GetParam().said)));
  EXPECT_EQ(Count(finished.out, "[ RUN "), 0);
}

INSTANTIATE_TEST_SUITE_P(
    , WrongTraits,
    ::testing::Values(
        Mistake{"WRONG_PATTERN", "Usuall.*",
                "traits are set for \"Usuall.*\", and no test of the program is that\n"},
        Mistake{"WRONG_PATTERN", "Usual.*-*.Is", "\"Usual.*-*.Is\""},
        Mistake{"WRONG_FIXTURE", "1", "traits are set for std::"},
        Mistake{"WRONG_HOST", "1", "the traits of Usual.Is: hostname: \"no host\""},
        Mistake{"WRONG_TIMEOUT", "1", "the traits of Usual.Is: timeout: "}),
    [](const auto& test) { return absl::StrCat(test.param.variable, test.index); });

}  // namespace
}  // namespace isolate::plugin_tests
