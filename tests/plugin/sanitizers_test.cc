// What a sanitizer finds is a failure of the test in which it found it, and no plain crash.

#include <string>
#include <vector>

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

// What each test says of its end.
struct Finding {
  const char* test;
  const char* said;
  const char* report;  // the sanitizer's
};

const std::vector<Finding>& Findings() {
  static const auto* const kFindings = new std::vector<Finding>{
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
      {"UsesFreedMemory", "before the test ended", "AddressSanitizer: heap-use-after-free"},
      {"FollowsAWildPointer", "before the test ended", "AddressSanitizer: SEGV"},
#endif
#ifdef ABSL_HAVE_THREAD_SANITIZER
      {"Races", "after the test", "ThreadSanitizer: data race"},
#endif
  };
  return *kFindings;
}

TEST(Sanitizer, IsToldApartFromACrash) {
  if (Findings().empty()) {
    GTEST_SKIP() << "no sanitizer is linked in that would find anything";
  }
  for (const char* scope : {"--isolate_scope=test", "--isolate_scope=suite"}) {
    SCOPED_TRACE(scope);
    Command command{"sanitized", Build::kIsolated, {"--gtest_filter=-*Overflows", scope}};
    command.merge_streams = true;
    command.report = "xml";
    const Finished finished = Execute(command);
    EXPECT_EQ(finished.exit_code, 1);
    const auto sections = Sections(finished.out);
    for (const Finding& finding : Findings()) {
      const Section& section = sections.at(absl::StrCat("Sanitized.", finding.test));
      EXPECT_THAT(section.text, HasSubstr(finding.report));
    }
    const std::string last =
        absl::StrCat("isolate: a sanitizer found an error ", Findings().back().said);
    EXPECT_THAT(finished.out, HasSubstr(last));
    EXPECT_THAT(finished.report,
                HasSubstr("<property name=\"isolate_outcome\" value=\"sanitizer error\"/>"));
    EXPECT_EQ(sections.at("Sanitized.IsClean").ending, "OK");
  }
}

// In a process of its own each is blamed itself.
TEST(Sanitizer, FailsTheTestInWhichItFoundSomething) {
  if (Findings().empty()) {
    GTEST_SKIP() << "no sanitizer is linked in that would find anything";
  }
  Command command{
      "sanitized", Build::kIsolated, {"--gtest_filter=-*Overflows", "--isolate_jobs=4"}};
  command.merge_streams = true;
  const auto sections = Sections(Execute(command).out);
  EXPECT_EQ(sections.size(), Findings().size() + 2);
  for (const auto& [test, section] : sections) {
    const bool clean = test == "Sanitized.IsClean" || test == "Sanitized.IsCleanAgain";
    EXPECT_EQ(section.ending, clean ? "OK" : "FAILED") << test;
  }
  for (const Finding& finding : Findings()) {
    EXPECT_THAT(
        sections.at(absl::StrCat("Sanitized.", finding.test)).text,
        AllOf(HasSubstr(finding.report),
              HasSubstr(absl::StrCat("isolate: a sanitizer found an error ", finding.said))));
  }
}

// Without --isolate the sanitizer's own exit code says so; with it the run fails, too.
TEST(Sanitizer, FailsThePlainRunAsWell) {
  if (Findings().empty()) {
    GTEST_SKIP() << "no sanitizer is linked in that would find anything";
  }
  for (const Build build : {Build::kPlain, Build::kIsolated}) {
    EXPECT_NE(Execute({"sanitized", build, {"--gtest_filter=-*Overflows"}}).exit_code, 0);
  }
}

// gcc defines no macro for it: where it is not linked in, there is no report either.
TEST(UndefinedBehaviour, IsAFailureWhereItIsFound) {
#ifndef ABSL_HAVE_ADDRESS_SANITIZER
  GTEST_SKIP() << "it is looked for together with AddressSanitizer only";
#endif
  Command command{"sanitized", Build::kIsolated, {"--gtest_filter=*Overflows"}};
  command.merge_streams = true;
  const Finished finished = Execute(command);
  const bool found = Count(finished.out, "runtime error: signed integer overflow") > 0;
  EXPECT_EQ(finished.exit_code, found ? 1 : 0);
  EXPECT_EQ(Count(finished.out, "a sanitizer found an error before the test ended"), found ? 1 : 0);
}

}  // namespace
}  // namespace isolate::plugin_tests
