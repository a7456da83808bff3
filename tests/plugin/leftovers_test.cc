// Nothing is left of a run: no process, no zombie, no descriptor, no mount.

#include <signal.h>
#include <string.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Mounts() {
  std::ifstream file("/proc/self/mountinfo");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::ptrdiff_t CountDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

class Leftovers : public ::testing::Test {
 protected:
  void SetUp() override {
    AdoptOrphans();
    ASSERT_THAT(Children(), IsEmpty());
    mounts_ = Mounts();
    descriptors_ = CountDescriptors();
  }
  void TearDown() override {
    EXPECT_THAT(Children(), IsEmpty());
    EXPECT_EQ(Mounts(), mounts_);
    EXPECT_EQ(CountDescriptors(), descriptors_);
  }

 private:
  std::string mounts_;
  std::ptrdiff_t descriptors_ = 0;
};

class Scale : public Leftovers, public ::testing::WithParamInterface<const char*> {};

TEST_P(Scale, OfTwoThousandTests) {
  Command command{"many", Build::kIsolated, {"--isolate_jobs=4", "--gtest_brief=1"}};
  command.environment = {{"MANY_SUITES", GetParam()}};
  const Finished finished = Execute(command);
  // When the runner has ended, everything has.
  EXPECT_THAT(Children(), IsEmpty());
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(Count(finished.out, "[  PASSED  ] 2000 tests."), 1) << finished.out;
  EXPECT_EQ(Count(finished.out, "zombies: 0\n"), 1) << finished.out;
}

INSTANTIATE_TEST_SUITE_P(Suites, Scale, ::testing::Values("1", "200"));

TEST_F(Leftovers, InTheRunnerAreTheSameAfterEachIteration) {
  Command command{
      "many",
      Build::kIsolated,
      {"--isolate_jobs=4", "--gtest_brief=1", "--gtest_repeat=3",
       "--gtest_recreate_environments_when_repeating=1", "--gtest_filter=Suite0.*:Suite1.*"}};
  command.environment = {{"MANY_SUITES", "100"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, 0);
  const size_t begin = finished.out.find("descriptors: ");
  ASSERT_NE(begin, std::string::npos);
  const std::string line = finished.out.substr(begin, finished.out.find('\n', begin) - begin);
  EXPECT_EQ(Count(finished.out, line), 3) << finished.out;
}

class Signal : public Leftovers, public ::testing::WithParamInterface<int> {};

// What was running when the run was ended, and the report of it.
void ExpectTold(const Finished& finished) {
  EXPECT_THAT(finished.err, HasSubstr(absl::StrCat("isolate: the run was ended by SIG",
                                                   sigabbrev_np(finished.signal),
                                                   "; these tests were running:\n")));
  for (int test = 0; test < 4; ++test) {
    EXPECT_EQ(Count(finished.err, absl::StrCat("  Several/Waits.ForEver/", test, "\n    @ ")), 1);
  }
  // Where each of them stood.
  EXPECT_EQ(Count(finished.err, "(anonymous namespace)::TellAndWait()"), 4);
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.at("Several/Waits.ForEver/0").ending, "FAILED");
  EXPECT_THAT(sections.at("Several/Waits.ForEver/0").text,
              AllOf(HasSubstr("waiting\n"),
                    HasSubstr("isolate: the run was ended while this test was running\n    @ ")));
  EXPECT_THAT(finished.out, HasSubstr("[  SKIPPED ] Several/Waits.ForEver/1"));
  EXPECT_THAT(finished.report, HasSubstr("the run was ended while this test was running"));
  EXPECT_THAT(finished.report, HasSubstr("</testsuites>"));
}

TEST_P(Signal, ToTheRunnerEndsEverything) {
  Command command{"waits",
                  Build::kIsolated,
                  {"--isolate_jobs=4", "--isolate_grace=60s", "--gtest_filter=Several/*"}};
  command.report = "xml";
  const Finished finished = ExecuteUntilTold(command, 4, GetParam());
  EXPECT_EQ(finished.signal, GetParam());
  if (GetParam() == SIGTERM || GetParam() == SIGINT) {
    ExpectTold(finished);
  }
  EXPECT_THAT(WaitForOrphans(), IsEmpty());
}

TEST_F(Leftovers, OfARunThatEndsInItsSecondTestAreNone) {
  const Finished finished =
      ExecuteUntilTold({"waits",
                        Build::kIsolated,
                        {"--isolate_jobs=1", "--isolate_grace=60s", "--gtest_filter=Second.*"}},
                       1, SIGTERM);
  EXPECT_EQ(finished.signal, SIGTERM);
  EXPECT_THAT(WaitForOrphans(), IsEmpty());
  const auto sections = Sections(finished.out);
  EXPECT_EQ(sections.at("Second.Passes").ending, "OK");
  EXPECT_EQ(sections.at("Second.Waits").ending, "FAILED");
  EXPECT_EQ(sections.at("Second.WaitsToo").ending, "SKIPPED");
}

INSTANTIATE_TEST_SUITE_P(, Signal, ::testing::Values(SIGKILL, SIGTERM, SIGINT, SIGQUIT),
                         [](const auto& test) { return std::string(sigabbrev_np(test.param)); });

}  // namespace
}  // namespace isolate::plugin_tests
