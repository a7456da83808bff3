// isolate list, end to end.

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/command/isolate_program.h"

namespace isolate::command {
namespace {

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWaits[] = "echo ready; exec sleep 1000";

// The sandbox of a program, as the list has it; null where it does not.
json SandboxOf(pid_t runner) {
  const Ended ended = Isolate({"list", "--json"});
  const json list = json::parse(ended.out, nullptr, false);
  for (const json& sandbox : list["sandboxes"]) {
    if (sandbox["runner"] == runner) {
      return sandbox;
    }
  }
  return nullptr;
}

TEST(List, HasWhatRunsInASandbox) {
  Running running({{"run", "sh", "-c", "readlink /proc/self/ns/net; exec sleep 1000"}});
  const std::string net = running.ReadUntil("\n");
  const json sandbox = SandboxOf(running.pid());
  ASSERT_FALSE(sandbox.is_null());
  EXPECT_EQ(absl::StrCat("net:[", sandbox["namespaces"]["net"].get<ino_t>(), "]\n"), net);
  EXPECT_THAT(sandbox["isolated"], testing::IsSupersetOf({"pid", "net", "ipc", "uts", "mnt"}));
  EXPECT_EQ(sandbox["uid"], getuid());
  EXPECT_THAT(sandbox["runner_command"].get<std::string>(), HasSubstr("isolate run sh -c"));
}

TEST(List, NamesProcessesByTheirNumbersOutsideAndInside) {
  Running running({{"run", "sh", "-c", kWaits}});
  running.ReadUntil("ready\n");
  json sandbox;
  // The shell has yet to become sleep.
  do {
    sandbox = SandboxOf(running.pid());
    ASSERT_EQ(sandbox["processes"].size(), 1U) << sandbox;
  } while (sandbox["processes"][0]["command"] != "sleep 1000");
  EXPECT_EQ(sandbox["processes"][0]["inside"], 2);
  EXPECT_NE(sandbox["processes"][0]["pid"], 2);
}

TEST(List, SaysSinceWhen) {
  const absl::Time before = absl::Now();
  Running running({{"run", "sh", "-c", kWaits}});
  running.ReadUntil("ready\n");
  const json sandbox = SandboxOf(running.pid());
  absl::Time since;
  std::string error;
  ASSERT_TRUE(
      absl::ParseTime(absl::RFC3339_full, sandbox["since"].get<std::string>(), &since, &error))
      << error;
  // Whole seconds, of a clock in hundredths.
  EXPECT_GE(since, before - absl::Seconds(2));
  EXPECT_LE(since, absl::Now());
}

TEST(List, NamesTheTestOfACommandLine) {
  Running running({{"run", "sh", "-c", "echo ready; sleep 1000; :", "--gtest_filter=Suite.Test"}});
  running.ReadUntil("ready\n");
  const json sandbox = SandboxOf(running.pid());
  ASSERT_GE(sandbox["processes"].size(), 1U) << sandbox;
  EXPECT_EQ(sandbox["processes"][0]["test"], "Suite.Test");
}

TEST(List, TakesAPatternForNoTest) {
  Running running({{"run", "sh", "-c", "echo ready; sleep 1000; :", "--gtest_filter=Suite.*"}});
  running.ReadUntil("ready\n");
  const json sandbox = SandboxOf(running.pid());
  ASSERT_GE(sandbox["processes"].size(), 1U) << sandbox;
  EXPECT_FALSE(sandbox["processes"][0].contains("test"));
}

TEST(List, HasASandboxWithoutAPidNamespace) {
  Running running({{"run", "--no-pid", "sh", "-c", kWaits}});
  running.ReadUntil("ready\n");
  const json sandbox = SandboxOf(running.pid());
  ASSERT_EQ(sandbox["processes"].size(), 1U) << sandbox;
  EXPECT_EQ(sandbox["processes"][0]["pid"], sandbox["processes"][0]["inside"]);
}

TEST(List, HasNoneThatHasEnded) {
  Running running({{"run", "sh", "-c", kWaits}});
  running.ReadUntil("ready\n");
  const pid_t runner = running.pid();
  ASSERT_FALSE(SandboxOf(runner).is_null());
  kill(runner, SIGTERM);
  running.Wait();
  EXPECT_TRUE(SandboxOf(runner).is_null());
}

TEST(List, IsForPeopleWithoutJson) {
  Running running({{"run", "sh", "-c", kWaits}});
  running.ReadUntil("ready\n");
  const json sandbox = SandboxOf(running.pid());
  const Ended ended = Isolate({"list"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr(absl::StrCat("init ", sandbox["init"].get<pid_t>(), ", for ")),
                    HasSubstr(absl::StrCat("run by ", running.pid(), ": ")),
                    HasSubstr(absl::StrCat("net ", sandbox["namespaces"]["net"].get<ino_t>())),
                    HasSubstr("(2 inside): "), Not(HasSubstr("no sandbox is alive"))));
}

// It may be another user's, whose words must not move the reader's cursor.
TEST(List, ShowsNoControlCharacter) {
  Running running({{"run", "sh", "-c", "echo ready; sleep 1000; :",
                    "--gtest_filter=A.\x1b[2J\ninit 1, for 0, of root"}});
  running.ReadUntil("ready\n");
  EXPECT_THAT(Isolate({"list"}).out,
              AllOf(HasSubstr("test A.?[2J?init 1, for 0, of root: "), Not(HasSubstr("\x1b"))));
}

TEST(List, WronglyUsedSaysWhatIsRight) {
  EXPECT_EQ(Isolate({"list", "--xml"}).exit_code, 2);
  EXPECT_THAT(Isolate({"list", "--xml"}).err, HasSubstr("--xml: there is no such option"));
  EXPECT_EQ(Isolate({"list", "all"}).exit_code, 2);
}

}  // namespace
}  // namespace isolate::command
