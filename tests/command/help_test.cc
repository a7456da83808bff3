// What --help says of each command, and that the man page and the completions know it, too.

#include <stdio.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/command/isolate_program.h"

namespace isolate::command {
namespace {

namespace fs = std::filesystem;

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

std::string Contents(const std::string& name) {
  std::ifstream file(PathOfProgram(name));
  return {std::istreambuf_iterator<char>(file), {}};
}

// As `isolate --help` lists them.
std::vector<std::string> Commands() {
  std::vector<std::string> commands;
  const std::string help = Isolate({"--help"}).out;
  for (absl::string_view line : absl::StrSplit(help, '\n')) {
    if (absl::ConsumePrefix(&line, "  isolate ")) {
      commands.emplace_back(line.substr(0, line.find(' ')));
    }
  }
  return commands;
}

// Those at the beginnings of lines.  `isolate gtest` shows the flags of a test program, as which it
// takes them without their prefix.
std::vector<std::string> OptionsOf(const std::string& command) {
  std::vector<std::string> options;
  const std::string help = Isolate({command, "--help"}).out;
  for (const absl::string_view line : absl::StrSplit(help, '\n')) {
    if (!absl::StartsWith(line, "  --")) {
      continue;
    }
    for (absl::string_view word :
         absl::StrSplit(line, absl::ByAnyChar(" ,=[()"), absl::SkipEmpty())) {
      if (absl::StartsWith(word, "--")) {
        options.push_back(absl::StrReplaceAll(word, {{"--isolate_", "--"}}));
      }
    }
  }
  return options;
}

// The words that bash offers behind `words`, of which the last one is being typed.
std::vector<std::string> Completions(const std::vector<std::string>& words) {
  const std::string folder = fs::path(PathOfProgram("isolate")).parent_path().string();
  const std::string script = ::testing::TempDir() + "/complete.bash";
  std::ofstream(script) << "source '" << PathOfProgram("isolate.bash") << "'\nPATH='" << folder
                        << "':$PATH\nCOMP_WORDS=('" << absl::StrJoin(words, "' '")
                        << "')\nCOMP_CWORD=" << words.size() - 1
                        << "\n_isolate\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  FILE* stream = popen(absl::StrCat("bash '", script, "'").c_str(), "re");
  std::string text;
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof(buffer), stream)) > 0;) {
    text.append(buffer, size);
  }
  pclose(stream);
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(Help, NamesTheCommands) {
  EXPECT_THAT(Commands(), IsSupersetOf({"run", "list", "enter"}));
  EXPECT_EQ(Isolate({"--help"}).exit_code, 0);
  EXPECT_EQ(Isolate(std::vector<std::string>{}).exit_code, 2);
  const Ended ended = Isolate({"fly"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("there is no command \"fly\""));
}

TEST(Help, OfEachCommandBeginsWithItsUsage) {
  for (const std::string& command : Commands()) {
    const Ended ended = Isolate({command, "--help"});
    EXPECT_EQ(ended.exit_code, 0) << command;
    EXPECT_EQ(ended.err, "") << command;
    EXPECT_THAT(ended.out, StartsWith("usage: isolate " + command)) << command;
  }
}

TEST(Help, OfRunHasEveryOptionAndItsOpposite) {
  EXPECT_THAT(OptionsOf("run"),
              IsSupersetOf({"--pid", "--no-pid", "--net", "--no-net", "--ipc", "--no-ipc", "--uts",
                            "--no-uts", "--mount", "--no-mount", "--user", "--no-user", "--cgroup",
                            "--no-cgroup", "--time", "--no-time", "--network", "--help"}));
}

TEST(ManPage, HasEveryCommandAndOption) {
  const std::string page = absl::StrReplaceAll(Contents("isolate.1"), {{"\\-", "-"}});
  for (const std::string& command : Commands()) {
    EXPECT_THAT(page, HasSubstr("\n.SS isolate " + command + "\n"));
    for (const std::string& option : OptionsOf(command)) {
      EXPECT_THAT(page, HasSubstr(option)) << command;
    }
  }
}

TEST(Zsh, KnowsEveryCommandAndOption) {
  const std::string completion = Contents("_isolate");
  for (const std::string& command : Commands()) {
    const size_t begin = completion.find("\n_isolate_" + command + "() {");
    ASSERT_NE(begin, std::string::npos) << command;
    const std::string function = completion.substr(begin, completion.find("\n}\n", begin) - begin);
    EXPECT_THAT(completion, HasSubstr("'" + command + ":"));
    for (const std::string& option : OptionsOf(command)) {
      EXPECT_TRUE(absl::StrContains(function, option + "[") ||
                  absl::StrContains(function, option + "="))
          << command << " " << option;
    }
  }
}

// A command line may have any text for the name of a test, and may be another user's.
TEST(Bash, ExecutesNoName) {
  const std::string path = ::testing::TempDir() + "/executed";
  Running plain({{"run", "sh", "-c", "echo ready; sleep 1000; :", "--gtest_filter=Suite.Test"}});
  Running hostile({{"run", "sh", "-c", "echo ready; sleep 1000; :",
                    absl::StrCat("--gtest_filter=A.$(touch${IFS}", path, ")")}});
  plain.ReadUntil("ready\n");
  hostile.ReadUntil("ready\n");
  const std::vector<std::string> offered = Completions({"isolate", "enter", ""});
  EXPECT_THAT(offered, Contains("Suite.Test"));
  EXPECT_THAT(offered, Each(Not(HasSubstr("touch"))));
  EXPECT_FALSE(fs::exists(path));
}

TEST(Bash, OffersEveryCommandAndOption) {
  EXPECT_THAT(Completions({"isolate", ""}), IsSupersetOf(Commands()));
  for (const std::string& command : Commands()) {
    std::vector<std::string> offered = Completions({"isolate", command, "--"});
    for (std::string& option : offered) {
      option = option.substr(0, option.find('='));
    }
    EXPECT_THAT(offered, IsSupersetOf(OptionsOf(command))) << command;
  }
}

TEST(Bash, OffersOnlyWhatBeginsSo) {
  EXPECT_THAT(Completions({"isolate", "run", "--no-u"}),
              UnorderedElementsAre("--no-uts", "--no-user"));
  EXPECT_THAT(Completions({"isolate", "l"}), ElementsAre("list"));
}

TEST(Bash, OffersTheValuesOfAnOption) {
  EXPECT_THAT(Completions({"isolate", "run", "--network", "="}),
              UnorderedElementsAre("loopback", "none", "host"));
  EXPECT_THAT(Completions({"isolate", "run", "--pid", "--leaks", "=", "f"}), ElementsAre("fail"));
}

TEST(Bash, OffersProgramsWhereACommandIsWanted) {
  EXPECT_THAT(Completions({"isolate", "run", "--net", "bas"}), Contains("bash"));
  EXPECT_THAT(Completions({"isolate", "run", "--network", "=", "none", "--", "bas"}),
              Contains("bash"));
  EXPECT_THAT(Completions({"isolate", "enter", "1", "bas"}), Contains("bash"));
  EXPECT_THAT(Completions({"isolate", "enter", "1", "--", "bas"}), Contains("bash"));
}

TEST(Bash, LeavesTheOptionsOfTheCommandAlone) {
  EXPECT_THAT(Completions({"isolate", "run", "ls", "--"}), Not(Contains("--pid")));
  EXPECT_THAT(Completions({"isolate", "run", "--", "ls", "--"}), Not(Contains("--pid")));
}

TEST(Bash, OffersTheSandboxesThatAreAlive) {
  Running running({{"run", "sh", "-c", "echo ready; exec sleep 1000"}});
  running.ReadUntil("ready\n");
  const std::string list = Isolate({"list"}).out;
  const std::string init = list.substr(0, list.find(','));
  EXPECT_THAT(Completions({"isolate", "enter", ""}), Contains(init.substr(init.find(' ') + 1)));
}

TEST(Bash, OffersTheTestsThatRun) {
  Running running(
      {{"run", "sh", "-c", "echo ready; sleep 1000; :", "--gtest_filter=All/HelpTest.Is/0"}});
  running.ReadUntil("ready\n");
  EXPECT_THAT(Completions({"isolate", "enter", "All/H"}), Contains("All/HelpTest.Is/0"));
}

}  // namespace
}  // namespace isolate::command
