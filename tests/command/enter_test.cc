// isolate enter, end to end.

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/command/isolate_program.h"

namespace isolate::command {
namespace {

using ::nlohmann::json;
using ::testing::HasSubstr;

constexpr char kNamespaces[] =
    "for kind in pid net ipc uts mnt user cgroup; do readlink /proc/self/ns/$kind; done";

// A sandbox with a command in it that has written what its namespaces are, and a file.
class Entering : public testing::Test {
 protected:
  Entering()
      : running_(
            {{"run", "sh", "-c",
              absl::StrCat("echo inside >/tmp/mark; ", kNamespaces, "; echo ready; sleep 1000; :"),
              "--gtest_filter=EnterTest.Is"}}),
        namespaces_(running_.ReadUntil("ready\n")) {
    namespaces_.resize(namespaces_.size() - std::string("ready\n").size());
    const json list = json::parse(Isolate({"list", "--json"}).out);
    for (const json& sandbox : list["sandboxes"]) {
      if (sandbox["runner"] == running_.pid()) {
        sandbox_ = sandbox;
      }
    }
  }

  static Ended Enter(const std::string& name, const std::string& script) {
    return Isolate({"enter", name, "--", "sh", "-c", script});
  }

  Running running_;
  std::string namespaces_;
  json sandbox_;
};

TEST_F(Entering, IsInEveryNamespace) {
  const Ended ended = Enter(absl::StrCat(running_.pid()), kNamespaces);
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(ended.out, namespaces_);
}

TEST_F(Entering, TakesTheNumberOfTheRunnerTheInitOrAProcess) {
  for (const pid_t pid : {running_.pid(), sandbox_["init"].get<pid_t>(),
                          sandbox_["processes"][0]["pid"].get<pid_t>()}) {
    EXPECT_EQ(Enter(absl::StrCat(pid), "cat /tmp/mark").out, "inside\n") << pid;
  }
}

TEST_F(Entering, TakesTheNameOfATest) {
  EXPECT_EQ(Enter("EnterTest.Is", "cat /tmp/mark").out, "inside\n");
}

TEST_F(Entering, SeesTheSandboxAndTheWorkingDirectory) {
  EXPECT_EQ(Enter(absl::StrCat(running_.pid()), "cat /proc/1/comm; pwd -P; ls /sys/class/net").out,
            absl::StrCat("isolate-init\n", std::filesystem::current_path().string(), "\nlo\n"));
}

TEST_F(Entering, HasTheRightsOfTheCaller) {
  EXPECT_EQ(Enter(absl::StrCat(running_.pid()), "id -u; id -g").out,
            absl::StrCat(geteuid(), "\n", getegid(), "\n"));
}

TEST_F(Entering, PassesTheExitCodeOn) {
  const std::string name = absl::StrCat(running_.pid());
  EXPECT_EQ(Enter(name, "exit 7").exit_code, 7);
  EXPECT_EQ(Enter(name, "kill -TERM $$").exit_code, 128 + SIGTERM);
  EXPECT_EQ(Isolate({"enter", name, "no-such-command"}).exit_code, 127);
  EXPECT_EQ(Isolate({"enter", name, "/etc/passwd"}).exit_code, 126);
}

TEST_F(Entering, PassesSignalsOn) {
  Running entered({{"enter", absl::StrCat(running_.pid()), "sh", "-c",
                    "trap 'kill $!; exit 42' USR1; sleep 1000 & echo ready; wait"}});
  entered.ReadUntil("ready\n");
  kill(entered.pid(), SIGUSR1);
  EXPECT_EQ(entered.Wait().exit_code, 42);
}

TEST_F(Entering, EndsWithTheSandbox) {
  Running entered(
      {{"enter", absl::StrCat(running_.pid()), "sh", "-c", "echo ready; exec sleep 1000"}});
  entered.ReadUntil("ready\n");
  kill(running_.pid(), SIGTERM);
  EXPECT_EQ(entered.Wait().exit_code, 128 + SIGKILL);
}

TEST_F(Entering, StartsAShellWithoutACommand) {
  Call call{{"enter", absl::StrCat(running_.pid())}};
  call.in = "cat /tmp/mark\nexit 5\n";
  for (const char* shell : {"/bin/bash", ""}) {
    call.environment = {{"SHELL", shell}};
    const Ended ended = Isolate(call);
    EXPECT_EQ(ended.out, "inside\n");
    EXPECT_EQ(ended.exit_code, 5);
  }
}

TEST_F(Entering, LeavesTheTerminalToAShell) {
  const Terminal terminal;
  if (!terminal.valid()) {
    GTEST_SKIP() << "no pseudoterminal can be had here";
  }
  Call call{{"enter", absl::StrCat(running_.pid()), "bash", "--norc", "--noediting", "-i"}};
  call.environment = {{"PS1", "inside> "}};
  call.before_exec = [&] { terminal.Take(); };
  Running entered(call);
  terminal.ReadUntil("inside> ");
  terminal.Type("cat\n");
  terminal.ReadUntil("cat\r\n");
  terminal.Type("first\n");
  terminal.ReadUntil("first\r\nfirst\r\n");
  terminal.Type("\x1a");
  EXPECT_THAT(terminal.ReadUntil("inside> "), HasSubstr("Stopped"));
  terminal.Type("fg\n");
  terminal.ReadUntil("\ncat\r\n");
  // The shell has said so before it lets cat go on, and would take the key for itself.
  terminal.Type("second\n");
  terminal.ReadUntil("second\r\nsecond\r\n");
  terminal.Type("\x03");
  terminal.ReadUntil("inside> ");
  terminal.Type("exit 6\n");
  EXPECT_EQ(entered.Wait().exit_code, 6);
}

TEST_F(Entering, WhereANameStandsForSeveralWantsOne) {
  Running other({{"run", "sh", "-c", "echo ready; sleep 1000; :", "--gtest_filter=EnterTest.Is"}});
  other.ReadUntil("ready\n");
  const Ended ended = Enter("EnterTest.Is", "echo entered");
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr(absl::StrCat(sandbox_["init"].get<pid_t>())));
}

// What is executed there is what that user put there, under whatever name.
TEST(Enter, AsRootHasTheRightsOfTheSandboxesUserWhoseNamesDoNotCount) {
  constexpr int kUser = 65534;
  constexpr int kCannot = 100;
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can be another user";
  }
  Call call{{}};
  call.before_exec = [] {
    // The user may not come to where it lies.
    const int program = open(PathOfProgram("isolate").c_str(), O_RDONLY | O_CLOEXEC);
    const char* const args[] = {"isolate",
                                "run",
                                "sh",
                                "-c",
                                "echo ready; sleep 1000; :",
                                "--gtest_filter=EnterTest.OfAnother",
                                nullptr};
    if (chdir("/") == 0 && setgroups(0, nullptr) == 0 && setgid(kUser) == 0 && setuid(kUser) == 0) {
      unsetenv("TEST_TMPDIR");
      unsetenv("TMPDIR");
      fexecve(program, const_cast<char* const*>(args), environ);
    }
    _exit(kCannot);
  };
  Running running(call);
  if (running.ReadUntil("ready\n").empty()) {
    ASSERT_EQ(running.Wait().exit_code, kCannot);
    GTEST_SKIP() << "there is no other user here";
  }
  const std::string pid = absl::StrCat(running.pid());
  EXPECT_EQ(Isolate({"enter", pid, "--", "sh", "-c", "id -u; id -g; id -G"}).out,
            absl::StrCat(kUser, "\n", kUser, "\n", kUser, "\n"));
  const Ended ended = Isolate({"enter", "EnterTest.OfAnother", "--", "echo", "entered"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.out, "");
}

TEST(Enter, WronglyUsedSaysWhatIsRight) {
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"enter"},
                                             {"enter", ""},
                                             {"enter", "--all", "1"},
                                             {"enter", "1", "true"},
                                             {"enter", "No.Such"}}) {
    const Ended ended = Isolate(args);
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("isolate enter: "));
  }
}

}  // namespace
}  // namespace isolate::command
