// "isolate gtest" with a binary of GoogleTest 1.8.1, whose console and reports look otherwise.

#include <regex>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// GoogleTest prints one behind each message since 1.13, and so may the runner's.
std::string WithoutEmptyLines(const std::string& text) {
  return std::regex_replace(text, std::regex("\n+"), "\n");
}

Command OldBinary(const std::string& filter) {
  Command command;
  command.program = "tests/command/old_binary";
  command.args = {"--gtest_filter=" + filter};
  return command;
}

Finished ExecuteIsolated(Command command) {
  command.wrapper = {"isolate/command/isolate", "gtest", "--jobs=4", "--"};
  command.report = "xml";
  return Execute(command);
}

TEST(OldBinary, ReadsAsAlone) {
  const Command command = OldBinary("-Ends.*:FailsToSetUp.*");
  const Finished plain = Execute(command);
  const Finished isolated = ExecuteIsolated(command);
  EXPECT_EQ(plain.exit_code, 1) << plain.err;
  EXPECT_EQ(isolated.exit_code, 1) << isolated.err;
  auto of_isolated = Sections(WithoutTimes(isolated.out));
  const auto of_plain = Sections(WithoutTimes(plain.out));
  EXPECT_EQ(of_plain.size(), 9U);
  EXPECT_EQ(of_isolated.size(), of_plain.size());
  for (const auto& [test, section] : of_plain) {
    EXPECT_EQ(WithoutEmptyLines(of_isolated[test].text), WithoutEmptyLines(section.text)) << test;
    EXPECT_EQ(of_isolated[test].ending, section.ending) << test;
  }
  EXPECT_THAT(isolated.report,
              AllOf(HasSubstr("value=\"va&quot;lue\""), HasSubstr("type_param=\"char\""),
                    HasSubstr("name=\"AreEven/Is3\" value_param=\"3\""),
                    HasSubstr("name=\"DISABLED_Never\"")));
}

TEST(OldBinary, ListsAsAlone) {
  Command command = OldBinary("*");
  command.args.emplace_back("--gtest_list_tests");
  EXPECT_EQ("Loading.\n  Loaded\n" + ExecuteIsolated(command).out, Execute(command).out);
}

TEST(OldBinary, CrashesForOneTestAlone) {
  const Finished finished = ExecuteIsolated(OldBinary("Ends.*:Simple.Passes"));
  EXPECT_EQ(finished.exit_code, 1);
  auto sections = Sections(finished.out);
  EXPECT_THAT(sections["Ends.Aborts"].text, HasSubstr("died of SIGABRT before the test ended"));
  EXPECT_EQ(sections["Simple.Passes"].ending, "OK");
}

TEST(OldBinary, TellsOfATestWhoseSuiteFailedToSetUp) {
  const Finished finished = ExecuteIsolated(OldBinary("FailsToSetUp.*"));
  EXPECT_EQ(finished.exit_code, 1);
  const Section section = Sections(finished.out)["FailsToSetUp.Fails"];
  EXPECT_THAT(section.text, AllOf(HasSubstr("in the body"), Not(HasSubstr("no database"))));
  EXPECT_EQ(section.ending, "FAILED");
  EXPECT_EQ(Count(finished.out, "no database"), 1);
}

TEST(OldBinary, TellsOfAnEnvironmentForWhichNoTestRan) {
  Command command = OldBinary("Simple.Passes");
  command.environment = {{"FAIL", "1"}};
  const Finished finished = ExecuteIsolated(command);
  EXPECT_EQ(finished.exit_code, 1);
  const Section section = Sections(finished.out)["Simple.Passes"];
  EXPECT_THAT(section.text,
              AllOf(HasSubstr("no network"), Not(HasSubstr("[===")), Not(HasSubstr("isolate:"))));
  EXPECT_EQ(section.ending, "FAILED");
}

}  // namespace
}  // namespace isolate::plugin_tests
