#include "isolate/command/gtest_arguments.h"

#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::command {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Divide, GivesEachItsOwn) {
  const GtestArguments divided =
      Divide({"--own", "--gtest_filter=A.*", "-gtest_repeat=2", "--gtest_death_test_style=fast",
              "--gtest_random_seed=3", "value", "--gmock_verbose=info", "--gtest_unknown"});
  EXPECT_THAT(divided.of_runner,
              ElementsAre("--gtest_filter=A.*", "-gtest_repeat=2", "--gtest_random_seed=3"));
  EXPECT_THAT(divided.gtests_of_binary, ElementsAre("--gtest_death_test_style=fast",
                                                    "--gtest_random_seed=3", "--gtest_unknown"));
  EXPECT_THAT(divided.others, ElementsAre("--own", "value", "--gmock_verbose=info"));
  EXPECT_FALSE(divided.ask_for_help);
}

TEST(Divide, SeesWhoAsksForHelp) {
  EXPECT_TRUE(Divide({"--own", "--help"}).ask_for_help);
  EXPECT_TRUE(Divide({"-h"}).ask_for_help);
  EXPECT_FALSE(Divide({"--helpful"}).ask_for_help);
}

TEST(Divide, SeesThatARunOfNoTestIsToFail) {
  EXPECT_EQ(Divide({"--gtest_filter=A.*"}).fail_if_no_test_selected, absl::nullopt);
  EXPECT_EQ(Divide({"--gtest_fail_if_no_test_selected"}).fail_if_no_test_selected, true);
  const GtestArguments off = Divide({"--gtest_fail_if_no_test_selected=false"});
  EXPECT_EQ(off.fail_if_no_test_selected, false);
  EXPECT_THAT(off.gtests_of_binary, ElementsAre("--gtest_fail_if_no_test_selected=false"));
}

// The last of two wins; behind a "--" of the binary's own, ours might be no flags.
TEST(CommandThatRuns, HasOursBehindGtestsAndBeforeOthers) {
  const auto command = CommandThatRuns("test", Divide({"--own", "--", "--gtest_flagfile=f"}),
                                       {"A.b", 0}, "/proc/2/fd/3");
  ASSERT_GT(command.size(), 4U);
  EXPECT_EQ(command[0], "test");
  EXPECT_EQ(command[1], "--gtest_flagfile=f");
  EXPECT_EQ(command[command.size() - 2], "--own");
  EXPECT_EQ(command.back(), "--");
  EXPECT_THAT(command, Contains("--gtest_filter=A.b"));
  EXPECT_THAT(command, Contains("--gtest_output=json:/proc/2/fd/3"));
  EXPECT_THAT(command, Contains("--gtest_shuffle=0"));
}

TEST(CommandThatRuns, HasTheSeedOfAShuffledRun) {
  const auto command = CommandThatRuns("test", Divide({}), {"A.b", 7}, "f");
  EXPECT_THAT(command, Contains("--gtest_shuffle=1"));
  EXPECT_THAT(command, Contains("--gtest_random_seed=7"));
}

TEST(CommandThatLists, AsksForAllTests) {
  const GtestArguments arguments = Divide({"--gtest_filter=A.*"});
  EXPECT_THAT(arguments.gtests_of_binary, IsEmpty());
  const auto command = CommandThatLists("test", arguments, "f");
  EXPECT_THAT(command, Contains("--gtest_list_tests=1"));
  EXPECT_THAT(command, Contains("--gtest_filter=*"));
  EXPECT_THAT(command, Not(Contains("--gtest_filter=A.*")));
}

}  // namespace
}  // namespace isolate::command
