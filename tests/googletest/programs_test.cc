// GoogleTest's own test programs do the same isolated as plain.  What does not has a
// row of its own with the reason; where the outcomes are said to differ, it fails once they
// do not.  docs/googletest.md has the table that this test prints.

#include <stdio.h>

#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"
#include "tests/real/report.h"

namespace isolate::googletest_tests {
namespace {

using plugin_tests::Build;
using plugin_tests::Command;
using plugin_tests::Execute;
using plugin_tests::Finished;
using plugin_tests::WithoutAddresses;
using plugin_tests::WithoutMainsFile;
using plugin_tests::WithoutTimes;
using real::Differences;
using real::ReadReport;
using real::Report;
using real::Section;

// What is the same plain and isolated.
enum class Same {
  kAll,       // exit code, console, report
  kReport,    // exit code, report
  kOutcomes,  // exit code, what became of each test
  kNothing,   // not even that
};

const char* Name(Same same) {
  switch (same) {
    case Same::kAll:
      return "all";
    case Same::kReport:
      return "all but the console";
    case Same::kOutcomes:
      return "the outcomes";
    case Same::kNothing:
      return "not the outcomes";
  }
  return "";
}

struct Row {
  const char* program;
  int tests;  // that run
  Same same = Same::kAll;
  // Why not all of it.
  const char* reason = "";
  const char* filter = "*";
};

constexpr char kThreads[] = "what its threads print and in which order differs plain, too";
constexpr char kLeftSet[] = "a test leaves --gmock_verbose set for those after it, in a plain run";
constexpr char kLeakedMock[] = "gmock looks for leaked mocks at a process's normal end";
constexpr char kAddresses[] = "gmock names what is missing in the order of addresses, plain, too";
constexpr char kFlushed[] = "what is on stdout when a process dies is shown isolated only";
constexpr char kRefused[] = "gtest refuses a test before what its constructor printed is shown";
constexpr char kClearsResults[] = "tests take failures back by gtest's own insides";
constexpr char kNeedsOthers[] = "tests use what tests before them left";
constexpr char kEnvironmentMisses[] = "an Environment counts on the tests left out, plain, too";
constexpr char kListenerThrows[] =
    "its listener throws in the program, not in the test; main looks at variables that tests set";
constexpr char kMainLooks[] = "main looks at variables that tests set";

const Row kRows[] = {
    {"gmock-actions_test", 121},
    {"gmock-cardinalities_test", 27},
    {"gmock-function-mocker_test", 76},
    {"gmock-internal-utils_test", 61},
    {"gmock-matchers-arithmetic_test", 100},
    {"gmock-matchers-comparisons_test", 177},
    {"gmock-matchers-containers_test", 262},
    {"gmock-matchers-misc_test", 144},
    {"gmock-more-actions_test", 110},
    {"gmock-nice-strict_test", 39},
    {"gmock-port_test", 1},
    {"gmock-pp-string_test", 10},
    {"gmock-spec-builders_test", 138, Same::kReport, kLeftSet},
    {"gmock_ex_test", 1},
    {"gmock_link_test", 96},
    {"gmock_output_test_", 22, Same::kReport, kLeakedMock, "-*.UnsatisfiedPrerequisites"},
    {"gmock_output_test_", 1, Same::kOutcomes, kAddresses, "*.UnsatisfiedPrerequisites"},
    {"gmock_stress_test", 1, Same::kOutcomes, kThreads},
    {"gmock_test", 13},
    {"googletest-break-on-failure-unittest_", 1},
    {"googletest-catch-exceptions-ex-test_", 7},
    {"googletest-catch-exceptions-no-ex-test_", 7},
    {"googletest-death-test-test", 75},
    {"googletest-death-test_ex_catch_test", 2},
    {"googletest-death-test_ex_nocatch_test", 2},
    {"googletest-failfast-unittest_", 28},
    {"googletest-filepath-test", 53, Same::kAll, "", "-DirectoryCreationTest.*"},
    {"googletest-filepath-test", 4, Same::kNothing, kNeedsOthers, "DirectoryCreationTest.*"},
    {"googletest-filter-unittest_", 18},
    {"googletest-global-environment-unittest_", 1},
    {"googletest-list-tests-unittest_", 26},
    {"googletest-listener-test", 2, Same::kNothing, kMainLooks},
    {"googletest-message-test", 17},
    {"googletest-options-test", 12},
    {"googletest-output-test_", 85, Same::kAll, "", "-BadDynamicFixture*"},
    {"googletest-output-test_", 4, Same::kReport, kRefused, "BadDynamicFixture*"},
    {"googletest-param-test-test", 76, Same::kAll, kEnvironmentMisses,
     "-*/TestGenerationTest.*:*/SeparateInstanceTest.*:*/ParameterizedDerivedTest.*"},
    {"googletest-param-test-test", 11, Same::kNothing, kNeedsOthers,
     "*/TestGenerationTest.*:*/SeparateInstanceTest.*:*/ParameterizedDerivedTest.*"},
    {"googletest-port-test", 49},
    {"googletest-printers-test", 151},
    {"googletest-setuptestsuite-test_", 2},
    {"googletest-shuffle-test_", 14},
    {"googletest-test-part-test", 14, Same::kAll, "", "-TestPartResultArrayDeathTest.*"},
    {"googletest-test-part-test", 1, Same::kReport, kFlushed, "TestPartResultArrayDeathTest.*"},
    {"gtest-typed-test_test", 51},
    {"gtest-unittest-api_test", 4},
    {"gtest_assert_by_exception_test", 2, Same::kNothing, kListenerThrows},
    {"gtest_environment_test", 0, Same::kNothing, kMainLooks},
    {"gtest_help_test_", 2},
    {"gtest_list_output_unittest_", 16},
    {"gtest_main_unittest", 1},
    {"gtest_no_test_unittest", 0},
    {"gtest_pred_impl_unittest", 160},
    {"gtest_premature_exit_test", 2},
    {"gtest_prod_test", 2},
    {"gtest_repeat_test", 1, Same::kNothing, kMainLooks},
    {"gtest_skip_in_environment_setup_test", 1},
    {"gtest_skip_test", 3},
    {"gtest_sole_header_test", 2},
    {"gtest_stress_test", 7, Same::kOutcomes, kThreads},
    {"gtest_testbridge_test_", 2},
    {"gtest_unittest", 422, Same::kAll, "", "-HasFailureTest.*:HasNonfatalFailureTest.*"},
    {"gtest_unittest", 12, Same::kNothing, kClearsResults,
     "HasFailureTest.*:HasNonfatalFailureTest.*"},
    {"gtest_xml_outfile1_test_", 1},
    {"gtest_xml_outfile2_test_", 1},
    {"gtest_xml_output_unittest_", 24},
};

void PrintTo(const Row& row, std::ostream* os) { *os << row.program << " " << row.filter; }

struct Seen {
  std::string ending;
  std::string console;
  Report report;
};

Seen RunProgram(const Row& row, Build build, std::vector<std::string> args) {
  args.push_back(absl::StrCat("--gtest_filter=", row.filter));
  Command command{row.program, build, std::move(args)};
  command.folder = "tests/googletest";
  command.merge_streams = true;
  command.report = "xml";
  const Finished finished = Execute(command);
  return {
      finished.signal == 0 ? absl::StrCat("exit code ", finished.exit_code)
                           : absl::StrCat("signal ", finished.signal),
      finished.out,
      ReadReport(WithoutAddresses(finished.report)),
  };
}

std::string Comparable(const std::string& console) {
  return WithoutAddresses(WithoutTimes(WithoutMainsFile(console)));
}

// How many tests passed, failed and were skipped.  Failures outside of all tests gtest
// writes as a test, too, but on the line of a suite.
std::map<std::string, int> Counts(const Report& report) {
  std::map<std::string, int> counts;
  for (const Section& section : report.sections) {
    if (!absl::StartsWith(section.name, "test suite ")) {
      ++counts[section.outcome];
    }
  }
  return counts;
}

// "Suite.Test: passed" and so on, in the order of the report.
std::string Outcomes(const Report& report) {
  std::string outcomes;
  for (const Section& section : report.sections) {
    absl::StrAppend(&outcomes, section.name, ": ", section.outcome, "\n");
  }
  return outcomes;
}

// "5 passed, 1 failed, exit code 1"
std::string Told(const Seen& seen) {
  std::string told;
  for (const char* outcome : {"passed", "failed", "skipped"}) {
    if (const int count = Counts(seen.report)[outcome]; count > 0) {
      absl::StrAppend(&told, count, " ", outcome, ", ");
    }
  }
  return told + seen.ending;
}

// For docs/googletest.md.
void PrintRow(const Row& row, const Seen& plain, const Seen& isolated) {
  std::string program = row.program;
  if (absl::string_view(row.filter) != "*") {
    absl::StrAppend(&program, " `", row.filter, "`");
  }
  std::string same = Name(row.same);
  if (*row.reason != '\0') {
    absl::StrAppend(&same, ": ", row.reason);
  }
  printf("| %s | %d | %s | %s | %s |\n", program.c_str(), row.tests, Told(plain).c_str(),
         Told(isolated).c_str(), same.c_str());
}

class OwnProgram : public ::testing::TestWithParam<Row> {};

TEST_P(OwnProgram, DoesTheSameIsolated) {
  const Row& row = GetParam();
  const Seen plain = RunProgram(row, Build::kPlain, {});
  std::map<std::string, int> counts = Counts(plain.report);
  EXPECT_EQ(counts["passed"] + counts["failed"] + counts["skipped"], row.tests);
  for (const char* jobs : {"1", "4"}) {
    SCOPED_TRACE(absl::StrCat("jobs: ", jobs));
    const Seen isolated =
        RunProgram(row, Build::kIsolated,
                   // Several of these tests set environment variables and leave files.
                   {absl::StrCat("--isolate_jobs=", jobs), "--isolate_leaks=off"});
    if (row.same == Same::kNothing) {
      EXPECT_NE(plain.ending + Outcomes(plain.report), isolated.ending + Outcomes(isolated.report));
    } else {
      EXPECT_EQ(plain.ending, isolated.ending);
      EXPECT_EQ(Outcomes(plain.report), Outcomes(isolated.report));
    }
    if (row.same == Same::kAll) {
      EXPECT_EQ(Comparable(plain.console), Comparable(isolated.console));
    }
    if (row.same == Same::kAll || row.same == Same::kReport) {
      EXPECT_EQ(Differences(plain.report, isolated.report), "");
    }
    if (*jobs == '4') {
      PrintRow(row, plain, isolated);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, OwnProgram, ::testing::ValuesIn(kRows), [](const auto& test) {
  std::string name = absl::StrCat(test.param.program, "_", test.index);
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      c = '_';
    }
  }
  return name;
});

}  // namespace
}  // namespace isolate::googletest_tests
