// The names of tests in isolate list and isolate enter, end to end: of programs that are linked
// with the plugin, and of those under isolate gtest.

#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/command/isolate_program.h"
#include "tests/plugin/program.h"

namespace isolate::command {
namespace {

namespace fs = std::filesystem;

using ::nlohmann::json;
using plugin_tests::Build;
using plugin_tests::Command;
using plugin_tests::Program;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kPatience = absl::Seconds(60);

// A run of the specimen, of which so many tests linger.
class Lingering {
 public:
  Lingering(Command command, size_t tests) : program_(Start(std::move(command))) {
    close(tell_[1]);
    for (size_t test = 0; test < tests; ++test) {
      pollfd told = {tell_[0], POLLIN, 0};
      char byte;
      if (poll(&told, 1, static_cast<int>(absl::ToInt64Milliseconds(kPatience))) != 1 ||
          read(tell_[0], &byte, 1) != 1) {
        ADD_FAILURE() << "only " << test << " tests have told";
        break;
      }
    }
  }
  ~Lingering() { close(tell_[0]); }
  Lingering(const Lingering&) = delete;
  Lingering& operator=(const Lingering&) = delete;

  pid_t pid() const { return program_.pid(); }

 private:
  Command& Start(Command&& command) {
    constexpr int kTellDescriptor = 100;
    EXPECT_EQ(pipe2(tell_, O_CLOEXEC), 0);
    command.environment.emplace_back("TELL_FD", absl::StrCat(kTellDescriptor));
    command.before_exec = [this] { return dup2(tell_[1], kTellDescriptor) == kTellDescriptor; };
    return command;
  }

  int tell_[2] = {-1, -1};
  Program program_;
};

Command Lingers(std::vector<std::string> args) {
  return {"lingers", Build::kIsolated, std::move(args)};
}

// What runs in the sandboxes of a program, as the list has it.
std::vector<json> ProcessesOf(pid_t runner) {
  const json list = json::parse(Isolate({"list", "--json"}).out, nullptr, false);
  std::vector<json> processes;
  if (!list.is_object()) {
    ADD_FAILURE() << "isolate list gives no JSON";
    return processes;
  }
  for (const json& sandbox : list["sandboxes"]) {
    if (sandbox["runner"] == runner) {
      processes.insert(processes.end(), sandbox["processes"].begin(), sandbox["processes"].end());
    }
  }
  return processes;
}

// Those with a name, once there are so many: a runner names a process when it has forked it, and
// by then a test may have begun.
std::vector<json> NamedProcessesOf(pid_t runner, size_t count) {
  const absl::Time end = absl::Now() + kPatience;
  std::vector<json> named;
  do {
    named.clear();
    for (const json& process : ProcessesOf(runner)) {
      if (process.contains("test") || process.contains("suite")) {
        named.push_back(process);
      }
    }
  } while (named.size() < count && absl::Now() < end);
  return named;
}

std::vector<std::string> NamesOf(const std::vector<json>& processes) {
  std::vector<std::string> names;
  for (const json& process : processes) {
    for (const char* key : {"test", "suite"}) {
      if (process.contains(key)) {
        names.push_back(absl::StrCat(key, " ", process[key].get<std::string>()));
      }
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Ended Enter(const std::string& name, const std::string& script) {
  return Isolate({"enter", name, "--", "sh", "-c", script});
}

constexpr char kNet[] = "readlink /proc/self/ns/net";

// Of a process, as readlink prints it.
std::string NetOf(const json& process) {
  return fs::read_symlink(absl::StrCat("/proc/", process["pid"].get<pid_t>(), "/ns/net")).string() +
         "\n";
}

TEST(Names, AreThoseOfTestsInForks) {
  const Lingering run(
      Lingers({"--isolate_jobs=4", "--gtest_filter=All/*:Lingers.NotAtAll:Lingers.ForEver"}), 3);
  EXPECT_THAT(NamesOf(NamedProcessesOf(run.pid(), 3)),
              ElementsAre("test All/LingersEach.ForEver/0", "test All/LingersEach.ForEver/1",
                          "test Lingers.ForEver"));
}

TEST(Names, AreForPeopleWithoutJson) {
  const Lingering run(Lingers({"--gtest_filter=Lingers.ForEver*", "--isolate_jobs=1"}), 1);
  const std::vector<json> named = NamedProcessesOf(run.pid(), 1);
  ASSERT_THAT(named, SizeIs(1));
  EXPECT_THAT(Isolate({"list"}).out,
              HasSubstr(absl::StrCat("  process ", named[0]["pid"].get<pid_t>(),
                                     " (2 inside), test Lingers.ForEver: ")));
}

TEST(Names, LeadIntoTheTestsSandbox) {
  const Lingering run(Lingers({"--isolate_jobs=2", "--gtest_filter=All/*"}), 2);
  const std::vector<json> named = NamedProcessesOf(run.pid(), 2);
  ASSERT_THAT(named, SizeIs(2));
  EXPECT_NE(NetOf(named[0]), NetOf(named[1]));
  for (const json& process : named) {
    const Ended ended = Enter(process["test"], kNet);
    EXPECT_EQ(ended.err, "");
    EXPECT_EQ(ended.out, NetOf(process));
  }
}

TEST(Names, OfTestsInOneProcessAreTheSuites) {
  const Lingering run(Lingers({"--isolate_scope=suite", "--gtest_filter=Lingers.*"}), 1);
  const std::vector<json> named = NamedProcessesOf(run.pid(), 1);
  ASSERT_THAT(NamesOf(named), ElementsAre("suite Lingers"));
  EXPECT_EQ(Enter("Lingers", kNet).out, NetOf(named[0]));
  const Ended ended = Enter("Lingers.ForEver", "echo entered");
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("isolate enter Lingers\n"));
}

TEST(Names, OfATestThatIsAloneInItsSuiteAreItsOwn) {
  const Lingering run(Lingers({"--isolate_scope=suite", "--gtest_filter=Lingers.ForEverT*"}), 1);
  EXPECT_THAT(NamesOf(NamedProcessesOf(run.pid(), 1)), ElementsAre("test Lingers.ForEverToo"));
}

TEST(Names, OfASnapshotsTestsAreInTheirOwnSandboxes) {
  const Lingering run(Lingers({"--isolate_suite_setup=snapshot", "--isolate_jobs=2",
                               "--gtest_filter=LingersAfterSetUp.*"}),
                      2);
  const std::vector<json> suite = NamedProcessesOf(run.pid(), 1);
  ASSERT_THAT(NamesOf(suite), ElementsAre("suite LingersAfterSetUp"));
  const std::vector<json> tests = NamedProcessesOf(suite[0]["pid"], 2);
  EXPECT_THAT(NamesOf(tests),
              ElementsAre("test LingersAfterSetUp.ForEver", "test LingersAfterSetUp.ForEverToo"));
  for (const json& process : tests) {
    EXPECT_EQ(Enter(process["test"], kNet).out, NetOf(process));
  }
  EXPECT_EQ(Enter("LingersAfterSetUp", kNet).out, NetOf(suite[0]));
}

TEST(Names, OfASnapshotsTestsAreThereInTheSuitesSandbox) {
  const Lingering run(Lingers({"--isolate_suite_setup=snapshot", "--isolate_scope=suite",
                               "--gtest_filter=LingersAfterSetUp.*"}),
                      1);
  EXPECT_THAT(NamesOf(NamedProcessesOf(run.pid(), 2)),
              ElementsAre("suite LingersAfterSetUp", "test LingersAfterSetUp.ForEver"));
}

TEST(Names, AreThereOfAProgramThatIsExecutedAgain) {
  const Lingering run(
      Lingers({"--isolate_spawn=exec", "--isolate_jobs=1", "--gtest_filter=Lingers.ForEver*"}), 1);
  EXPECT_THAT(NamesOf(NamedProcessesOf(run.pid(), 1)), ElementsAre("test Lingers.ForEver"));
}

TEST(Names, AreThereOfABinaryUnderIsolateGtest) {
  Command command{"lingers", Build::kPlain, {"--gtest_filter=Lingers.ForEver*"}};
  command.wrapper = {"isolate/command/isolate", "gtest", "--jobs=1", "--"};
  const Lingering run(command, 1);
  // The process that waits for the binary, and the binary.
  const std::vector<json> named = NamedProcessesOf(run.pid(), 2);
  ASSERT_THAT(NamesOf(named), ElementsAre("test Lingers.ForEver", "test Lingers.ForEver"));
  EXPECT_EQ(Enter("Lingers.ForEver", kNet).out, NetOf(named[0]));
}

TEST(Names, AreThereOfARunnerInAPidNamespace) {
  Command command = Lingers({"--isolate_jobs=1", "--gtest_filter=Lingers.ForEver*"});
  command.wrapper = {"isolate/command/isolate", "run", "--"};
  const Lingering run(command, 1);
  pid_t runner = 0;
  for (const json& process : ProcessesOf(run.pid())) {
    runner = process["inside"] == 2 ? process["pid"].get<pid_t>() : runner;
  }
  const std::vector<json> named = NamedProcessesOf(runner, 1);
  ASSERT_THAT(NamesOf(named), ElementsAre("test Lingers.ForEver"));
  EXPECT_EQ(Enter("Lingers.ForEver", kNet).out, NetOf(named[0]));
}

TEST(Names, OfTestsThatRunTwiceAtOnceStandForBoth) {
  const Lingering run(Lingers({"--isolate_jobs=1", "--gtest_filter=Lingers.ForEver*"}), 1);
  const Lingering other(Lingers({"--isolate_jobs=1", "--gtest_filter=Lingers.ForEver*"}), 1);
  ASSERT_THAT(NamedProcessesOf(run.pid(), 1), SizeIs(1));
  ASSERT_THAT(NamedProcessesOf(other.pid(), 1), SizeIs(1));
  const Ended ended = Enter("Lingers.ForEver", "echo entered");
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("this stands for 2 sandboxes; name one by its init: "));
}

std::vector<std::string> DescriptorsOf(const json& process) {
  std::vector<std::string> targets;
  const std::string folder = absl::StrCat("/proc/", process["pid"].get<pid_t>(), "/fd");
  for (const fs::directory_entry& descriptor : fs::directory_iterator(folder)) {
    targets.push_back(fs::read_symlink(descriptor).string());
  }
  return targets;
}

// With what the plugin has a test run in another kind of process.
class NamesWith : public ::testing::TestWithParam<const char*> {};

TEST_P(NamesWith, AreNotInDescriptorsOfTheTests) {
  const Lingering run(
      Lingers({GetParam(), "--isolate_jobs=1", "--gtest_filter=LingersAfterSetUp.*"}), 1);
  const bool is_snapshot = absl::StrContains(GetParam(), "snapshot");
  const std::vector<json> named = NamedProcessesOf(run.pid(), 1);
  ASSERT_THAT(named, SizeIs(1));
  const std::vector<json> tests = is_snapshot ? NamedProcessesOf(named[0]["pid"], 1) : named;
  ASSERT_THAT(tests, SizeIs(1));
  EXPECT_THAT(DescriptorsOf(tests[0]),
              AllOf(Not(IsEmpty()), Each(Not(HasSubstr("isolate-tests")))));
}

INSTANTIATE_TEST_SUITE_P(Each, NamesWith,
                         ::testing::Values("--isolate_scope=test", "--isolate_scope=suite",
                                           "--isolate_suite_setup=snapshot",
                                           "--isolate_spawn=exec"));

}  // namespace
}  // namespace isolate::command
