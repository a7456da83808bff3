// GoogleTest's own Python scripts, which run its test programs with many flags and
// variables, say the same of the isolated programs as of the plain ones.  The table in
// docs/googletest.md is what this test prints.

#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/program.h"

namespace isolate::googletest_tests {
namespace {

namespace fs = std::filesystem;

using plugin_tests::Command;
using plugin_tests::Execute;
using plugin_tests::Finished;
using ::testing::HasSubstr;

struct Script {
  const char* name;
  int tests;
  // Why it fails with the isolated programs, if it has to.
  const char* reason = "";
  const char* folder = "googletest/test";
};

constexpr char kRefused[] = "gtest refuses a test before what its constructor printed is shown";
constexpr char kLeakedMock[] = "gmock looks for leaked mocks at a process's normal end";

const Script kScripts[] = {
    {"googletest-break-on-failure-unittest", 5},
    {"googletest-catch-exceptions-test", 8},
    {"googletest-color-test", 5},
    {"googletest-env-var-test", 3},
    {"googletest-failfast-unittest", 15},
    {"googletest-filter-unittest", 20},
    {"googletest-global-environment-unittest", 3},
    {"googletest-json-outfiles-test", 2},
    {"googletest-json-output-unittest", 6},
    {"googletest-list-tests-unittest", 4},
    {"googletest-output-test", 1, kRefused},
    {"googletest-param-test-invalid-name1-test", 1},
    {"googletest-param-test-invalid-name2-test", 1},
    {"googletest-setuptestsuite-test", 1},
    {"googletest-shuffle-test", 11},
    {"googletest-throw-on-failure-test", 4},
    {"googletest-uninitialized-test", 1},
    {"gtest_help_test", 4},
    {"gtest_list_output_unittest", 2},
    {"gtest_skip_check_output_test", 1},
    {"gtest_skip_environment_check_output_test", 1},
    {"gtest_testbridge_test", 1},
    {"gtest_xml_outfiles_test", 2},
    {"gtest_xml_output_unittest", 7},
    {"gmock_leak_test", 5, kLeakedMock, "googlemock/test"},
    {"gmock_output_test", 1, kLeakedMock, "googlemock/test"},
};

void PrintTo(const Script& script, std::ostream* os) { *os << script.name; }

// Runs the script with the programs in a folder beside this test.
Finished RunScript(const Script& script, const char* programs) {
  const fs::path runfiles = getenv("TEST_SRCDIR");
  const fs::path suites = runfiles / "googletest_suites";
  const fs::path build = runfiles / getenv("TEST_WORKSPACE") / "tests/googletest" / programs;
  Command command;
  command.specimen = "/usr/bin/env";
  command.args = {
      "python3",
      suites / script.folder / absl::StrCat(script.name, ".py"),
      absl::StrCat("--build_dir=", build.string()),
  };
  if (absl::StrContains(script.name, "output-") || absl::StrContains(script.name, "xml_output")) {
    // As GoogleTest's BUILD file has it for a gtest without Abseil.
    command.args.emplace_back("--no_stacktrace_support");
  }
  command.environment = {
      {"ISOLATE_JOBS", "4"}, {"PYTHONDONTWRITEBYTECODE", "1"}, {"PYTHONPATH", suites}};
  command.merge_streams = true;
  return Execute(command);
}

class OwnScript : public ::testing::TestWithParam<Script> {};

TEST_P(OwnScript, SaysTheSameOfIsolatedPrograms) {
  const Script& script = GetParam();
  const bool same = *script.reason == '\0';
  const Finished plain = RunScript(script, "plain");
  const Finished isolated = RunScript(script, "isolated");
  EXPECT_EQ(plain.exit_code, 0) << plain.out;
  EXPECT_EQ(isolated.exit_code, same ? 0 : 1) << isolated.out;
  const std::string ran = absl::StrCat("Ran ", script.tests, " test");
  EXPECT_THAT(plain.out, HasSubstr(ran));
  EXPECT_THAT(isolated.out, HasSubstr(ran));
  printf("| %s | %d | passed | %s |\n", script.name, script.tests,
         same ? "passed" : absl::StrCat("failed: ", script.reason).c_str());
}

INSTANTIATE_TEST_SUITE_P(, OwnScript, ::testing::ValuesIn(kScripts), [](const auto& test) {
  std::string name = test.param.name;
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      c = '_';
    }
  }
  return name;
});

}  // namespace
}  // namespace isolate::googletest_tests
