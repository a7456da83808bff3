// The plugin's flags and variables, as a user meets them.

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Mistake {
  const char* name;
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> environment;
  // What stderr has to say: which flag it is, and what would be right.
  const char* flag;
  const char* right;
};

void PrintTo(const Mistake& mistake, std::ostream* os) { *os << mistake.name; }

const Mistake kMistakes[] = {
    {"WordForJobs", {"--isolate_jobs=many"}, {}, "--isolate_jobs=many", "from 1 to 1024"},
    {"NoJobs", {"--isolate_jobs=0"}, {}, "--isolate_jobs=0", "auto"},
    {"NegativeJobs", {"--isolate_jobs=-1"}, {}, "--isolate_jobs=-1", "from 1 to 1024"},
    {"TooManyJobs", {"--isolate_jobs=1025"}, {}, "--isolate_jobs=1025", "from 1 to 1024"},
    {"Switch", {"--isolate=maybe"}, {}, "--isolate=maybe", "on or off"},
    {"EmptySwitch", {"--isolate="}, {}, "--isolate=", "on or off"},
    {"Network", {"--isolate_network=wifi"}, {}, "--isolate_network=wifi", "loopback, none or host"},
    {"Size", {"--isolate_tmp_size=5X"}, {}, "--isolate_tmp_size=5X", "number of bytes"},
    {"Timeout", {"--isolate_timeout=soon"}, {}, "--isolate_timeout=soon", ""},
    {"NegativeTimeout", {"--isolate_timeout=-5s"}, {}, "--isolate_timeout", ""},
    {"Grace", {"--isolate_grace=soon"}, {}, "--isolate_grace=soon", ""},
    {"LongHostname",
     {"--isolate_hostname=" + std::string(65, 'x')},
     {},
     "--isolate_hostname",
     "64"},
    {"UnknownFlag", {"--isolate_job=4"}, {}, "--isolate_job", "--isolate_jobs"},
    {"NoValue", {"--isolate_jobs"}, {}, "--isolate_jobs", "--isolate_jobs=VALUE"},
    {"NoValueForTheSwitch", {"--isolate"}, {}, "--isolate", "--isolate=VALUE"},
    {"OneDash", {"-isolate_jobs=many"}, {}, "isolate_jobs=many", "from 1 to 1024"},
    {"Variable", {}, {{"ISOLATE_JOBS", "many"}}, "ISOLATE_JOBS=many", "from 1 to 1024"},
    {"SecondOfTwo",
     {"--isolate_jobs=4", "--isolate_network=wifi"},
     {},
     "--isolate_network=wifi",
     "loopback, none or host"},
};

class WrongFlag : public ::testing::TestWithParam<Mistake> {};

TEST_P(WrongFlag, IsRefusedByName) {
  const Mistake& mistake = GetParam();
  Command command{"results", Build::kIsolated, mistake.args};
  command.environment = mistake.environment;
  command.report = "xml";
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, AllOf(HasSubstr(mistake.flag), HasSubstr(mistake.right)));
  EXPECT_THAT(finished.out, Not(HasSubstr("[ ")));
  EXPECT_EQ(finished.report, "");
}

INSTANTIATE_TEST_SUITE_P(, WrongFlag, ::testing::ValuesIn(kMistakes),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Install, IsRefusedTheSecondTime) {
  Command command{"listeners", Build::kIsolated};
  command.environment = {{"LISTENER", "twice"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("installed already"));
  EXPECT_THAT(finished.out, Not(HasSubstr("[ RUN")));
}

// gtest prints its help for such a flag.
TEST(UnknownGtestFlag, GetsOurHelpToo) {
  const Finished finished = Execute({"results", Build::kIsolated, {"--gtest_no_such_flag=1"}});
  EXPECT_THAT(finished.out, HasSubstr("--isolate_jobs=auto"));
  EXPECT_THAT(finished.out, Not(HasSubstr("[ RUN")));
}

// The specimen prints the arguments that are left.
TEST(Arguments, OfOthersStayInOrder) {
  Command command{"listeners",
                  Build::kIsolated,
                  {"one", "--isolate_jobs=2", "--other=x", "-isolate_network=none", "--isolated=y",
                   "--gtest_filter=Others.*", "-i", "--", "--isolate_jobs=many"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("argument 1: one\n"
                                      "argument 2: --other=x\n"
                                      "argument 3: --isolated=y\n"
                                      "argument 4: -i\n"
                                      "argument 5: --\n"
                                      "argument 6: --isolate_jobs=many\n"
                                      "argument 7: (null)\n"));
}

// A test that fails without isolation and passes with it shows which it had.
Finished RunPair(const std::vector<std::string>& args,
                 const std::vector<std::pair<std::string, std::string>>& environment) {
  Command command{"fights", Build::kIsolated, args};
  command.args.emplace_back("--gtest_filter=Variable.*");
  command.environment = environment;
  command.environment.emplace_back("FIGHT_NUMBER", "0");
  return Execute(command);
}

TEST(Variables, AreReadAsFlagsAre) {
  EXPECT_EQ(RunPair({}, {}).exit_code, 0);
  EXPECT_EQ(RunPair({"--isolate=off"}, {}).exit_code, 1);
  EXPECT_EQ(RunPair({}, {{"ISOLATE", "off"}}).exit_code, 1);
}

TEST(Variables, LoseAgainstFlags) {
  EXPECT_EQ(RunPair({"--isolate=on"}, {{"ISOLATE", "off"}}).exit_code, 0);
  EXPECT_EQ(RunPair({"--isolate=off"}, {{"ISOLATE", "on"}}).exit_code, 1);
}

TEST(Flags, TheLastOneWins) {
  EXPECT_EQ(RunPair({"--isolate=off", "--isolate=on"}, {}).exit_code, 0);
  EXPECT_EQ(RunPair({"--isolate=on", "--isolate=off"}, {}).exit_code, 1);
}

TEST(Off, IsAPlainRun) {
  for (const char* specimen : {"results", "output", "suites", "deaths", "listeners"}) {
    SCOPED_TRACE(specimen);
    Command command{specimen, Build::kPlain};
    command.report = "xml";
    const Finished plain = Execute(command);
    command.build = Build::kIsolated;
    command.args = {"--isolate=off"};
    const Finished off = Execute(command);
    EXPECT_EQ(off.exit_code, plain.exit_code);
    EXPECT_EQ(WithoutTimesInReport(off.report), WithoutTimesInReport(plain.report));
    EXPECT_EQ(WithoutTimes(off.out), WithoutTimes(WithoutMainsFile(plain.out)));
  }
}

}  // namespace
}  // namespace isolate::plugin_tests
