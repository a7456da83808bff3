#include "tests/plugin/plain_cases.h"

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

const Case kCases[] = {
    {"Results", "results"},
    {"Properties", "properties"},
    {"Crowds", "crowds"},
    {"Output", "output", {"--gtest_filter=Output.*"}},
    {"MuchOutput", "flood"},
    {"Kinds", "kinds"},
    {"DisabledTestsToo", "kinds", {"--gtest_also_run_disabled_tests"}},
    {"Fixtures", "fixtures"},
    {"DeathTestsFast", "deaths", {"--gtest_death_test_style=fast"}},
    {"DeathTestsThreadsafe", "deaths", {"--gtest_death_test_style=threadsafe"}},
    {"Exceptions", "throws"},
    {"Mocks", "mocks"},
    {"MocksThatTellAll", "mocks", {"--gmock_verbose=info"}},
    {"Filter", "kinds", {"--gtest_filter=*Is*:Simple.*-*Small*"}},
    {"FilterOfNothing", "kinds", {"--gtest_filter=NoSuchTest"}},
    {"Shuffle", "kinds", {"--gtest_shuffle", "--gtest_random_seed=7"}},
    {"ShuffleAndRepeat",
     "kinds",
     {"--gtest_shuffle", "--gtest_random_seed=99", "--gtest_repeat=3"}},
    {"Repeat", "results", {"--gtest_repeat=3", "--gtest_filter=-*AtLength"}},
    {"FirstShard", "kinds", {}, {{"GTEST_TOTAL_SHARDS", "3"}, {"GTEST_SHARD_INDEX", "0"}}},
    {"LastShard", "kinds", {}, {{"GTEST_TOTAL_SHARDS", "3"}, {"GTEST_SHARD_INDEX", "2"}}},
    {"FilterOfBazels", "kinds", {}, {{"TESTBRIDGE_TEST_ONLY", "*Is*:Simple.*-*Small*"}}},
    {"FailFast", "fixtures", {"--gtest_fail_fast"}},
    {"FailFastOfBazels", "fixtures", {}, {{"TESTBRIDGE_TEST_RUNNER_FAIL_FAST", "1"}}},
    {"Brief", "results", {"--gtest_brief=1"}},
    {"NoTimes", "results", {"--gtest_print_time=0"}},
    {"Colours", "results", {"--gtest_color=yes"}},
    {"NoUtf8", "results", {"--gtest_print_utf8=0"}},
    {"List", "kinds", {"--gtest_list_tests"}},
    {"ListOfSome", "kinds", {"--gtest_list_tests", "--gtest_filter=Typed*"}},
    {"FilterOfAVariable", "kinds", {}, {{"GTEST_FILTER", "Typed*"}}},
    {"BriefOfAVariable", "results", {}, {{"GTEST_BRIEF", "1"}}},
};

}  // namespace

std::vector<Case> PlainCasesAnd(std::vector<Case> more) {
  more.insert(more.begin(), std::begin(kCases), std::end(kCases));
  return more;
}

Command CommandOf(const Case& test_case, bool merge_streams, const std::string& report) {
  Command command;
  command.specimen = test_case.specimen;
  command.args = test_case.args;
  command.environment = test_case.environment;
  command.merge_streams = merge_streams;
  command.report = report;
  return command;
}

}  // namespace isolate::plugin_tests
