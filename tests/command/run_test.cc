// isolate run, end to end.

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/command/isolate_program.h"
#include "tests/sandbox/seccomp.h"

namespace isolate::command {
namespace {

namespace fs = std::filesystem;

using ::nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// ThreadSanitizer starts a thread in every fork, and who has one can join no time namespace.
#ifdef ABSL_HAVE_THREAD_SANITIZER
constexpr bool kCanJoinTimeNamespaces = false;
#else
constexpr bool kCanJoinTimeNamespaces = true;
#endif

Ended Shell(std::vector<std::string> options, const std::string& script) {
  options.insert(options.begin(), "run");
  for (const char* argument : {"--", "sh", "-c"}) {
    options.emplace_back(argument);
  }
  options.push_back(script);
  return Isolate(options);
}

std::string OwnNamespace(const std::string& kind) {
  std::error_code error;
  return fs::read_symlink("/proc/self/ns/" + kind, error).string() + "\n";
}

// A folder in /tmp, which is another one inside.
class Folder {
 public:
  Folder() : path_("/tmp/isolate-run-XXXXXX") { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// --- exit codes ------------------------------------------------------------------

TEST(ExitCode, IsTheCommands) {
  EXPECT_EQ(Shell({}, "exit 0").exit_code, 0);
  EXPECT_EQ(Shell({}, "exit 7").exit_code, 7);
  EXPECT_EQ(Shell({}, "exit 255").exit_code, 255);
}

TEST(ExitCode, TellsTheSignalOfTheCommand) {
  EXPECT_EQ(Shell({}, "kill -KILL $$").exit_code, 128 + SIGKILL);
  EXPECT_EQ(Shell({}, "kill -TERM $$").exit_code, 128 + SIGTERM);
}

TEST(ExitCode, Is127WhereThereIsNoSuchCommand) {
  const Ended ended = Isolate({"run", "no-such-command"});
  EXPECT_EQ(ended.exit_code, 127);
  EXPECT_THAT(ended.err, HasSubstr("cannot execute the command (no-such-command): ENOENT"));
}

TEST(ExitCode, Is126WhereTheCommandCannotBeExecuted) {
  EXPECT_EQ(Isolate({"run", "/etc/passwd"}).exit_code, 126);
}

TEST(ExitCode, Is124WhereTheTimeLimitPassed) {
  const Ended ended = Shell({"--timeout=10ms", "--grace=0s"}, "while :; do :; done");
  EXPECT_EQ(ended.exit_code, 124);
  EXPECT_THAT(ended.err, HasSubstr("time limit of 10ms"));
}

TEST(ExitCode, Is3WhereThereIsNoSandbox) {
  Call call{{"run", "--user", "true"}};
  call.before_exec = [] {
    if (!Install({SYS_unshare, EPERM, 0, CLONE_NEWUSER, CLONE_NEWUSER})) {
      _exit(100);
    }
  };
  const Ended ended = Isolate(call);
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("cannot create a user namespace: EPERM"));
}

TEST(ExitCode, Is3WhereOnlyAnotherKindIsPreferred) {
  Call call{{"run", "--prefer=all", "--require=network", "true"}};
  call.before_exec = [] {
    if (!Install({SYS_clone, EPERM, 0, CLONE_NEWNET, CLONE_NEWNET}) ||
        !Install({SYS_unshare, EPERM, 0, CLONE_NEWNET, CLONE_NEWNET})) {
      _exit(100);
    }
  };
  EXPECT_EQ(Isolate(call).exit_code, 3);
  call.args = {"run", "--prefer=network,sys", "true"};
  const Ended ended = Isolate(call);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("this host refuses network"));
}

// Who leaves a process could not be told without.
TEST(ExitCode, Is3WhereLeaksAreToFailThatCannotBeFound) {
  Call call{{"run", "--prefer=all", "--leaks=fail", "true"}};
  call.before_exec = [] {
    if (!Install({SYS_clone, EPERM, 0, CLONE_NEWPID, CLONE_NEWPID}) ||
        !Install({SYS_unshare, EPERM, 0, CLONE_NEWPID, CLONE_NEWPID})) {
      _exit(100);
    }
  };
  const Ended ended = Isolate(call);
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("pid is required, or something else"));
  call.args = {"run", "--prefer=all", "true"};
  EXPECT_EQ(Isolate(call).exit_code, 0);
}

// --- wrong use ---------------------------------------------------------------------

struct Wrong {
  const char* name;
  std::vector<std::string> args;
  const char* told;
};

class WrongUse : public testing::TestWithParam<Wrong> {};

TEST_P(WrongUse, IsNamedBeforeAnythingRuns) {
  std::vector<std::string> args = GetParam().args;
  args.insert(args.begin(), "run");
  const Ended ended = Isolate(args);
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, AllOf(StartsWith("isolate run: "), HasSubstr(GetParam().told)));
}

INSTANTIATE_TEST_SUITE_P(
    Options, WrongUse,
    testing::Values(
        Wrong{"no_command", {}, "a command is missing"},
        Wrong{"unknown", {"--unknown", "echo", "x"}, "--unknown: there is no such option"},
        Wrong{"no_value", {"--timeout"}, "write --timeout=TIME"},
        Wrong{"superfluous_value", {"--pid=1", "echo", "x"}, "this option has no value"},
        Wrong{"network", {"--network=all", "echo", "x"}, "expected loopback, none or host"},
        Wrong{"hostname", {"--hostname=a_b", "echo", "x"}, "letters, digits, hyphens or dots"},
        Wrong{"offset", {"--time=inf", "echo", "x"}, "an offset is finite"},
        Wrong{"early_offset", {"--time=-1000000h", "echo", "x"}, "cannot be shifted so far"},
        Wrong{"late_offset", {"--time=2000000h", "echo", "x"}, "cannot be shifted so far"},
        Wrong{"timeout", {"--timeout=0s", "echo", "x"}, "expected more than 0"},
        Wrong{"grace", {"--grace=-1s", "echo", "x"}, "cannot be negative"},
        Wrong{"unit", {"--timeout=10", "echo", "x"}, "a number with its unit"},
        Wrong{"memory", {"--memory=much", "echo", "x"}, "a number of bytes"},
        Wrong{"size", {"--tmpfs-size=0", "echo", "x"}, "a number of bytes"},
        Wrong{"path", {"--read-only=/no/such", "echo", "x"}, "there is no such path"},
        Wrong{"scratch", {"--scratch=/etc/passwd", "echo", "x"}, "that is no folder"},
        Wrong{"scratch_without_mounts",
              {"--no-pid", "--no-mount", "--scratch=/", "echo", "x"},
              "not with --no-mount"},
        Wrong{"writable", {"--writable=", "echo", "x"}, "there is no such path"},
        Wrong{"private_path", {"--writable=/tmp", "echo", "x"}, "is private in every sandbox"},
        Wrong{"leaks", {"--leaks=ports:never", "echo", "x"}, "the policies off, report, fail"},
        Wrong{"audit", {"--audit=all", "echo", "x"}, "expected names or off"},
        Wrong{"prefer", {"--prefer=net", "echo", "x"}, "expected none, all, or some of pid"},
        Wrong{"require", {"--require=", "echo", "x"}, "expected none, all, or some of pid"},
        Wrong{"require_cgroup", {"--require=cgroup", "echo", "x"}, "has no cgroup; ask for that"},
        Wrong{"require_network", {"--no-net", "--require=network", "echo", "x"}, "has no network"},
        Wrong{"page", {"--report=x.html", "echo", "x"}, "JSON"},
        Wrong{"report", {"--report=/no/such/file", "echo", "x"}, "cannot be written"},
        Wrong{"no_mount", {"--no-mount", "echo", "x"}, "give --no-pid, too"},
        Wrong{"leaks_without_pids", {"--leaks=fail", "--no-pid", "echo", "x"}, "processes:off"},
        Wrong{
            "audit_without_pids", {"--audit=names", "--no-pid", "echo", "x"}, "not with --no-pid"}),
    [](const auto& wrong) { return std::string(wrong.param.name); });

TEST(Options, EndWhereTheCommandBegins) {
  EXPECT_EQ(Isolate({"run", "echo", "--no-such-option", "--", "x"}).out, "--no-such-option -- x\n");
  EXPECT_EQ(Isolate({"run", "--", "echo", "x"}).out, "x\n");
}

TEST(Options, OfTwoThatSayTheSameTheLastWins) {
  EXPECT_EQ(Isolate({"run", "--hostname=a", "--uts=b", "hostname"}).out, "b\n");
  EXPECT_NE(Shell({"--no-net", "--net"}, "readlink /proc/self/ns/net").out, OwnNamespace("net"));
}

// --- kinds of isolation ----------------------------------------------------------------

struct Kind {
  const char* name;  // as in /proc/self/ns
  std::vector<std::string> on;
  std::vector<std::string> off;
};

class Namespace : public testing::TestWithParam<Kind> {};

TEST_P(Namespace, IsItsOwnWhereOn) {
  const Kind& kind = GetParam();
  if (std::string(kind.name) == "time" && !kCanJoinTimeNamespaces) {
    GTEST_SKIP() << "no process can join a time namespace under ThreadSanitizer";
  }
  const Ended ended = Shell(kind.on, absl::StrCat("readlink /proc/self/ns/", kind.name));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.out, StartsWith(kind.name));
  EXPECT_NE(ended.out, OwnNamespace(kind.name));
}

TEST_P(Namespace, IsTheCallersWhereOff) {
  const Kind& kind = GetParam();
  EXPECT_EQ(Shell(kind.off, absl::StrCat("readlink /proc/self/ns/", kind.name)).out,
            OwnNamespace(kind.name));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Namespace,
    testing::Values(Kind{"pid", {"--no-pid", "--pid"}, {"--no-pid"}},
                    Kind{"net", {"--no-net", "--net"}, {"--no-net"}},
                    Kind{"ipc", {"--no-ipc", "--ipc"}, {"--no-ipc"}},
                    Kind{"uts", {"--no-uts", "--uts"}, {"--no-uts"}},
                    Kind{"mnt", {"--no-mount", "--mount"}, {"--no-mount", "--no-pid"}},
                    Kind{"cgroup", {"--cgroup"}, {"--cgroup", "--no-cgroup"}},
                    Kind{"time", {"--time"}, {"--time=1h", "--no-time"}},
                    Kind{"user",
                         {"--user"},
                         {"--no-net", "--no-ipc", "--no-uts", "--no-pid", "--no-mount", "--user",
                          "--no-user"}}),
    [](const auto& kind) { return std::string(kind.param.name); });

TEST(Network, IsAsAskedFor) {
  EXPECT_THAT(Shell({}, "cat /sys/class/net/lo/flags").out, "0x9\n");
  EXPECT_THAT(Shell({"--network=none"}, "cat /sys/class/net/lo/flags").out, "0x8\n");
  EXPECT_EQ(Shell({"--network=host"}, "readlink /proc/self/ns/net").out, OwnNamespace("net"));
}

TEST(Hostname, IsAsAskedFor) {
  EXPECT_EQ(Isolate({"run", "hostname"}).out, "isolate\n");
  EXPECT_EQ(Isolate({"run", "--uts=node-1", "hostname"}).out, "node-1\n");
  EXPECT_EQ(Isolate({"run", "--hostname=node-2", "hostname"}).out, "node-2\n");
}

TEST(Time, IsShifted) {
  if (!kCanJoinTimeNamespaces) {
    GTEST_SKIP() << "no process can join a time namespace under ThreadSanitizer";
  }
  const std::string uptime = Shell({"--time=1000000h"}, "cut -d. -f1 /proc/uptime").out;
  int64_t seconds = 0;
  ASSERT_TRUE(absl::SimpleAtoi(uptime, &seconds)) << uptime;
  EXPECT_GE(seconds, int64_t{1'000'000} * 3600);
}

TEST(Processes, AreTheSandboxs) {
  EXPECT_EQ(Shell({}, "echo $$; cat /proc/1/comm").out, "2\nisolate-init\n");
}

TEST(PrivateFolders, AreEmptyAndLimited) {
  EXPECT_EQ(Shell({}, "ls -A /var/tmp").out, "");
  EXPECT_NE(Shell({"--tmpfs-size=64K"}, "head -c 100000 /dev/zero >/var/tmp/x").exit_code, 0);
}

TEST(Scratch, IsTheFolderThatIsAskedFor) {
  const Folder folder;
  EXPECT_EQ(Shell({"--scratch=" + folder.path()}, "echo $TMPDIR $TEST_TMPDIR").out,
            absl::StrCat(folder.path(), " ", folder.path(), "\n"));
}

TEST(Paths, StayVisible) {
  const Folder folder;
  std::ofstream(folder.path() + "/file") << "there\n";
  const std::string look = absl::StrCat("cat ", folder.path(), "/file");
  EXPECT_NE(Shell({}, look).exit_code, 0);
  EXPECT_EQ(Shell({"--writable=" + folder.path()}, look).out, "there\n");
  EXPECT_EQ(Shell({"--read-only=" + folder.path()}, look).out, "there\n");
  const std::string write = absl::StrCat("echo x >", folder.path(), "/new");
  EXPECT_EQ(Shell({"--writable=" + folder.path()}, write).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder.path() + "/new"));
  EXPECT_NE(Shell({"--read-only=" + folder.path()}, write).exit_code, 0);
}

TEST(Command, StaysVisibleWhereItLiesInAPrivateFolder) {
  const Folder folder;
  fs::create_directory(folder.path() + "/bin");
  const std::string program = folder.path() + "/bin/program";
  std::ofstream(program) << "#!/bin/sh\ncat \"${0%/*}/beside\"\n";
  std::ofstream(folder.path() + "/bin/beside") << "beside it\n";
  chmod(program.c_str(), 0755);
  EXPECT_EQ(Isolate({"run", program}).out, "beside it\n");
  Call by_path{{"run", "program"}};
  by_path.environment = {{"PATH", absl::StrCat(folder.path(), "/bin:", getenv("PATH"))}};
  EXPECT_EQ(Isolate(by_path).out, "beside it\n");
}

TEST(Memory, IsLimited) {
  EXPECT_NE(Shell({"--memory=32M"}, "head -c 100000000 /dev/zero | tail").exit_code, 0);
}

// --- what the command has from the caller -------------------------------------------------

TEST(Streams, AreTheCallers) {
  Call call{{"run", "sh", "-c", "cat; echo wrong >&2; test ! -p /dev/stdin"}};
  call.in = "typed\n";
  const Ended ended = Isolate(call);
  EXPECT_EQ(ended.out, "typed\n");
  EXPECT_EQ(ended.err, "wrong\n");
  EXPECT_EQ(ended.exit_code, 0);
}

TEST(Surroundings, AreTheCallers) {
  Call call{{"run", "sh", "-c", "echo $COLOUR; pwd -P"}};
  call.environment = {{"COLOUR", "green"}};
  EXPECT_EQ(Isolate(call).out, absl::StrCat("green\n", fs::current_path().string(), "\n"));
}

class PassedOn : public testing::TestWithParam<const char*> {};

TEST_P(PassedOn, ReachesTheCommand) {
  const std::string name = GetParam();
  Running running(
      {{"run", "sh", "-c",
        absl::StrCat("trap 'echo got; exit 42' ", name, "; echo ready; sleep 1000 & wait")}});
  running.ReadUntil("ready\n");
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* abbreviation = sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) {
      kill(running.pid(), signal);
    }
  }
  const Ended ended = running.Wait();
  EXPECT_EQ(ended.out, "got\n");
  EXPECT_EQ(ended.exit_code, 42);
}

INSTANTIATE_TEST_SUITE_P(Signals, PassedOn,
                         testing::Values("HUP", "INT", "QUIT", "TERM", "USR1", "USR2"),
                         [](const auto& name) { return std::string(name.param); });

TEST(Signal, ThatTheCallerIgnoresStaysIgnored) {
  Call call{{"run", "sh", "-c", "echo ready; kill -HUP $$; echo lives; sleep 1000"}};
  call.before_exec = [] { signal(SIGHUP, SIG_IGN); };
  Running running(call);
  running.ReadUntil("lives\n");
  kill(running.pid(), SIGHUP);
  kill(running.pid(), SIGTERM);
  EXPECT_EQ(running.Wait().exit_code, 128 + SIGTERM);
}

TEST(Signal, LetsACommandGoOnThatHasStoppedItself) {
  Running running({{"run", "sh", "-c",
                    "(until grep -q '^State:.T' /proc/$$/status; do :; done; echo stopped) & "
                    "kill -STOP $$; echo resumed; wait"}});
  running.ReadUntil("stopped\n");
  kill(running.pid(), SIGCONT);
  running.ReadUntil("resumed\n");
  EXPECT_EQ(running.Wait().exit_code, 0);
}

// Who is left would hold stdout open.
TEST(Kill, OfTheProgramEndsAllThatRunsInTheSandbox) {
  Running running({{"run", "sh", "-c", "sleep 1000 & setsid sleep 1000 & echo ready; wait"}});
  running.ReadUntil("ready\n");
  kill(running.pid(), SIGKILL);
  EXPECT_EQ(running.Wait().signal, SIGKILL);
}

TEST(Kill, OfTheProgramEndsTheCommandAloneWithoutAPidNamespace) {
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"--no-pid"}, {"--no-pid", "--no-mount", "--no-net", "--no-ipc", "--no-uts"}}) {
    std::vector<std::string> args = {"run"};
    args.insert(args.end(), options.begin(), options.end());
    args.insert(args.end(), {"sh", "-c", "echo ready; exec sleep 1000"});
    Running running(Call{args});
    running.ReadUntil("ready\n");
    kill(running.pid(), SIGKILL);
    EXPECT_EQ(running.Wait().signal, SIGKILL);
  }
}

TEST(End, OfTheCommandIsThatOfAllItLeft) {
  const Ended ended = Shell({}, "setsid sleep 1000 & echo left");
  EXPECT_EQ(ended.out, "left\n");
  EXPECT_EQ(ended.exit_code, 0);
}

// --- leaks -------------------------------------------------------------------------------

TEST(Leaks, AreToldOnStderr) {
  const Ended ended = Shell({}, "echo x >/tmp/left");
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, AllOf(StartsWith("isolate: the command left behind:\n"),
                               HasSubstr("  files: /tmp/left (2 bytes")));
}

TEST(Leaks, OfACommandThatCleansUpAreNone) {
  EXPECT_EQ(Shell({}, "echo x >/tmp/left; rm /tmp/left").err, "");
}

TEST(Leaks, MayBeForbidden) {
  EXPECT_EQ(Shell({"--leaks=fail"}, ">/tmp/left").exit_code, 1);
  EXPECT_EQ(Shell({"--leaks=files:fail"}, ">/tmp/left").exit_code, 1);
  EXPECT_EQ(Shell({"--leaks=ports:fail"}, ">/tmp/left").exit_code, 0);
  EXPECT_EQ(Shell({"--leaks=fail"}, ":").exit_code, 0);
}

TEST(Leaks, LeaveTheExitCodeOfACommandThatFailed) {
  EXPECT_EQ(Shell({"--leaks=fail"}, ">/tmp/left; exit 7").exit_code, 7);
}

TEST(Leaks, ThatNobodyAskedForAreNotTold) {
  EXPECT_EQ(Shell({"--leaks=off"}, ">/tmp/left").err, "");
  EXPECT_EQ(Shell({"--leaks=files:off"}, ">/tmp/left").err, "");
}

TEST(Verbose, SaysWhatBecameOfIt) {
  EXPECT_THAT(Shell({"--verbose"}, "exit 3").err,
              AllOf(HasSubstr("isolate: sh exited with 3 after "),
                    HasSubstr("isolate: its own namespaces: pid, net, ipc, uts, mnt")));
}

// --- the report ------------------------------------------------------------------------------

class Report : public testing::Test {
 protected:
  json After(std::vector<std::string> options, const std::string& script) {
    const std::string path = ::testing::TempDir() + "/report.json";
    options.push_back("--report=" + path);
    Shell(std::move(options), script);
    std::ifstream file(path);
    return json::parse(std::string(std::istreambuf_iterator<char>(file), {}), nullptr, false);
  }
};

TEST_F(Report, SaysWhatBecameOfTheCommand) {
  const json report = After({}, "exit 7");
  EXPECT_EQ(report["version"], 1);
  EXPECT_THAT(report["command"], ElementsAre("sh", "-c", "exit 7"));
  EXPECT_EQ(report["outcome"], "exited");
  EXPECT_EQ(report["exit_code"], 7);
  EXPECT_GT(report["usage"]["wall_ms"], 0);
  EXPECT_LE(report["times_ms"]["entered"], report["times_ms"]["ended"]);
  EXPECT_GT(report["namespaces"]["pid"], 0);
  EXPECT_THAT(report["isolated"], testing::IsSupersetOf({"pid", "net", "ipc", "uts", "mnt"}));
  EXPECT_TRUE(report["leaks"].empty());
  EXPECT_FALSE(report.contains("footprint"));
}

TEST_F(Report, NamesTheSignal) {
  const json report = After({}, "kill -SEGV $$");
  EXPECT_EQ(report["outcome"], "signaled");
  EXPECT_EQ(report["signal"], "SIGSEGV");
}

TEST_F(Report, SaysWhoRanAtTheTimeLimit) {
  const json report = After({"--timeout=10ms", "--grace=0s"}, "while :; do :; done");
  EXPECT_EQ(report["outcome"], "timed out");
  ASSERT_EQ(report["processes"].size(), 1U);
  EXPECT_EQ(report["processes"][0]["command"], "sh -c while :; do :; done");
}

TEST_F(Report, HasTheLeaks) {
  const json report = After({"--leaks=off", "--leaks=files:report"}, "echo x >/tmp/left");
  ASSERT_EQ(report["leaks"].size(), 1U);
  EXPECT_EQ(report["leaks"][0]["kind"], "files");
  EXPECT_EQ(report["leaks"][0]["leak"], "/tmp/left");
}

TEST_F(Report, HasTheNamesThatWereUsed) {
  const json report = After({"--audit=names"}, "echo x >/tmp/used; rm /tmp/used");
  EXPECT_EQ(report["audit"], "names");
  ASSERT_EQ(report["footprint"].size(), 1U) << report;
  EXPECT_EQ(report["footprint"][0]["name"], "/tmp/used");
}

TEST_F(Report, SaysThatNothingRan) {
  const std::string path = ::testing::TempDir() + "/nothing.json";
  EXPECT_EQ(Isolate({"run", "--report=" + path, "no-such-command"}).exit_code, 127);
  std::ifstream file(path);
  const json report = json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  EXPECT_EQ(report["outcome"], "not executed");
  EXPECT_THAT(report["error"], HasSubstr("no-such-command"));
}

// --- for Bazel -------------------------------------------------------------------------------

Call ShellTest(const std::string& script) {
  Call call{{"sh", "-c", script}};
  call.program = "isolate_run";
  return call;
}

TEST(IsolateRun, RunsATestInASandbox) {
  const Ended ended = Isolate(ShellTest("cat /proc/1/comm; exit 7"));
  EXPECT_EQ(ended.out, "isolate-init\n");
  EXPECT_EQ(ended.exit_code, 7);
}

TEST(IsolateRun, TakesOptionsFromTheEnvironment) {
  Call call = ShellTest("hostname; cat /sys/class/net/lo/flags; >/tmp/left");
  call.environment = {
      {"ISOLATE_HOSTNAME", "node-1"}, {"ISOLATE_NETWORK", "none"}, {"ISOLATE_LEAKS", "fail"}};
  const Ended ended = Isolate(call);
  EXPECT_EQ(ended.out, "node-1\n0x8\n");
  EXPECT_EQ(ended.exit_code, 1);
}

TEST(IsolateRun, NamesAVariableThatIsWrong) {
  Call call = ShellTest("echo ran");
  call.environment = {{"ISOLATE_TIMEOUT", "soon"}};
  const Ended ended = Isolate(call);
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("ISOLATE_TIMEOUT=soon: expected"));
}

TEST(IsolateRun, NeedsATest) {
  Call call{{}};
  call.program = "isolate_run";
  EXPECT_EQ(Isolate(call).exit_code, 2);
}

TEST(IsolateRun, CanBeTurnedOff) {
  Call call = ShellTest("readlink /proc/self/ns/pid");
  call.environment = {{"ISOLATE", "off"}};
  EXPECT_EQ(Isolate(call).out, OwnNamespace("pid"));
}

// As Bazel's processwrapper-sandbox and a --test_tmpdir in /tmp have it.
TEST(IsolateRun, LetsATestWriteWhatBazelWants) {
  const Folder folder;
  fs::create_directories(folder.path() + "/logs");
  fs::create_directories(folder.path() + "/outputs");
  fs::create_directories(folder.path() + "/coverage");
  fs::create_directories(folder.path() + "/tmp");
  Call call = ShellTest(
      ">\"$XML_OUTPUT_FILE\" && >\"$TEST_PREMATURE_EXIT_FILE\" && >\"$TEST_SHARD_STATUS_FILE\" && "
      ">\"$TEST_UNDECLARED_OUTPUTS_DIR/x\" && >\"$COVERAGE_DIR/x\" && >\"$TEST_TMPDIR/x\"");
  call.environment = {{"XML_OUTPUT_FILE", folder.path() + "/logs/test.xml"},
                      {"TEST_PREMATURE_EXIT_FILE", folder.path() + "/logs/premature"},
                      {"TEST_SHARD_STATUS_FILE", folder.path() + "/logs/shard"},
                      {"TEST_UNDECLARED_OUTPUTS_DIR", folder.path() + "/outputs"},
                      {"COVERAGE_DIR", folder.path() + "/coverage"},
                      {"TEST_TMPDIR", folder.path() + "/tmp"}};
  const Ended ended = Isolate(call);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  for (const char* file :
       {"logs/test.xml", "logs/premature", "logs/shard", "outputs/x", "coverage/x"}) {
    EXPECT_TRUE(fs::exists(folder.path() + "/" + file)) << file;
  }
  EXPECT_FALSE(fs::exists(folder.path() + "/tmp/x"));
}

TEST(IsolateRun, WritesItsReportWhereBazelCollectsIt) {
  const Folder folder;
  Call call = ShellTest("echo ${ISOLATE_REPORT-none}");
  call.environment = {{"TEST_UNDECLARED_OUTPUTS_DIR", folder.path()},
                      {"ISOLATE_REPORT", "report.json"}};
  EXPECT_EQ(Isolate(call).out, "none\n");
  EXPECT_TRUE(fs::exists(folder.path() + "/report.json"));
}

}  // namespace
}  // namespace isolate::command
