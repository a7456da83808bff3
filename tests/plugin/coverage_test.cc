// gcov counts the same in isolated tests as in plain ones, and of a test that crashes,
// too, which a plain run loses.

#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/plugin/console.h"
#include "tests/plugin/program.h"

namespace isolate::plugin_tests {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

// What gcov-dump says about a file: its functions and their counts, "0: 12 0 7 ".
std::string Dump(const fs::path& file) {
  std::string text;
  FILE* dump = popen(absl::StrCat("gcov-dump -l '", file.string(), "'").c_str(), "r");
  char line[1024];
  while (fgets(line, sizeof(line), dump) != nullptr) {
    // How many processes there were is no count.
    if (!absl::StrContains(line, "SUMMARY")) {
      const absl::string_view rest(line);
      absl::StrAppend(&text, rest.substr(rest.find(".gcda:") + 1));
    }
  }
  EXPECT_EQ(pclose(dump), 0);
  return text;
}

// The counts of a run, in which the tests end well but for "End", which ends as `end`
// says.
std::string Counts(Command command, const std::string& end = "") {
  const fs::path folder = fs::path(::testing::TempDir()) / "counts";
  fs::create_directories(folder);
  // A sanitizer that handles a crash ends the process without more ado.
  command.environment = {{"GCOV_PREFIX", folder},
                         {"COVERAGE", end},
                         {"ASAN_OPTIONS", "handle_segv=0"},
                         {"TSAN_OPTIONS", "handle_segv=0"}};
  const Finished finished = Execute(command);
  EXPECT_EQ(finished.exit_code, end.empty() ? 0 : 1);
  EXPECT_EQ(Count(finished.out, "\n 1 FAILED TEST\n"), finished.exit_code) << finished.out;
  std::string counts;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".gcda") {
      EXPECT_EQ(counts, "");
      counts = Dump(entry.path());
    }
  }
  fs::remove_all(folder);
  return counts;
}

// The counts with 1 for all that are not 0: what a report calls covered.
std::string Reached(const std::string& counts) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(counts, '\n')) {
    std::vector<std::string> words;
    for (absl::string_view word : absl::StrSplit(line, ' ')) {
      const bool counted = word.find_first_not_of("0123456789") == absl::string_view::npos;
      words.emplace_back(counted && !word.empty() && word != "0" ? "1" : std::string(word));
    }
    lines.push_back(absl::StrJoin(words, " "));
  }
  return absl::StrJoin(lines, "\n");
}

class Coverage : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef __clang__
    GTEST_SKIP() << "gcov-dump reads what programs of gcc's write";
#endif
  }
};

TEST_F(Coverage, IsTheSame) {
  for (const char* flag : {"--gtest_repeat=1", "--gtest_repeat=2"}) {
    const std::string plain = Counts({"coverage", Build::kPlain, {flag}});
    EXPECT_THAT(plain, HasSubstr("COUNTERS arcs"));
    for (const char* jobs : {"--isolate_jobs=1", "--isolate_jobs=4"}) {
      EXPECT_EQ(Counts({"coverage", Build::kIsolated, {flag, jobs}}), plain) << flag << jobs;
    }
  }
}

TEST_F(Coverage, IsTheSameForATestThatEndsBadly) {
  const std::string plain = Counts({"coverage", Build::kPlain});
  for (const char* end : {"crashes", "aborts", "exits", "waits"}) {
    EXPECT_EQ(Counts({"coverage", Build::kIsolated, {"--isolate_timeout=3s"}}, end), plain) << end;
  }
}

// Without what ":coverage" of //isolate/internal links with, all lines are there, and
// those that ran before the tests are counted again for each test.
TEST_F(Coverage, ReachesTheSameWithoutBazels) {
  const std::string plain = Reached(Counts({"coverage_by_hand", Build::kPlain}));
  EXPECT_THAT(plain, HasSubstr("COUNTERS arcs"));
  EXPECT_EQ(Reached(Counts({"coverage_by_hand", Build::kIsolated})), plain);
}

}  // namespace
}  // namespace isolate::plugin_tests
