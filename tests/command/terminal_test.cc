// isolate run at a terminal.

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/command/isolate_program.h"

namespace isolate::command {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kInterrupt[] = "\x03";
constexpr char kQuit[] = "\x1c";
constexpr char kSuspend[] = "\x1a";
constexpr char kEnd[] = "\x04";
// Of one with a stopped job, of whose end it may not have heard when it is told to exit first.
constexpr char kEndOfShell[] = "kill -KILL %1; exit 7\nexit 7\n";

// What runs is the leader of the terminal's session, as the first program of a window is; or in a
// group of its own, as a shell with job control puts it.
class AtATerminal : public testing::Test {
 protected:
  void SetUp() override {
    if (!terminal_.valid()) {
      GTEST_SKIP() << "no pseudoterminal can be had here";
    }
  }

  Call InTerminal(std::vector<std::string> args) const {
    Call call{std::move(args)};
    call.before_exec = [this] { terminal_.Take(); };
    return call;
  }

  const Terminal terminal_;
};

TEST_F(AtATerminal, TheKeyForAnInterruptReachesTheCommandOnce) {
  Running running(InTerminal({"run", "sh", "-c",
                              "trap 'count=x$count; echo interrupted' INT; echo ready; "
                              "until read line && test \"$line\" = end; do :; done; "
                              "echo count $count; exit 5"}));
  terminal_.ReadUntil("ready\r\n");
  terminal_.Type(kInterrupt);
  terminal_.ReadUntil("interrupted\r\n");
  terminal_.Type("end\n");
  EXPECT_THAT(terminal_.ReadUntil("count x"), HasSubstr("count x"));
  EXPECT_EQ(terminal_.ReadUntil("\r\n"), "\r\n");
  EXPECT_EQ(running.Wait().exit_code, 5);
}

TEST_F(AtATerminal, TheKeysEndTheCommand) {
  const struct {
    const char* key;
    int signal;
  } keys[] = {{kInterrupt, SIGINT}, {kQuit, SIGQUIT}};
  for (const auto& key : keys) {
    const Terminal terminal;
    Call call{{"run", "sh", "-c", "echo ready; exec cat"}};
    call.before_exec = [&] { terminal.Take(); };
    Running running(call);
    terminal.ReadUntil("ready\r\n");
    terminal.Type(key.key);
    EXPECT_EQ(running.Wait().exit_code, 128 + key.signal);
  }
}

TEST_F(AtATerminal, TheCommandSeesTheTerminalAndItsSize) {
  Running running(InTerminal({"run", "sh", "-c",
                              "trap 'stty size' WINCH; test -t 0 && test -t 1 && test -t 2 && "
                              "echo all; stty size; cat"}));
  terminal_.SetWidth(80);
  terminal_.ReadUntil("all\r\n");
  terminal_.SetWidth(132);
  terminal_.Type(kEnd);
  EXPECT_THAT(terminal_.ReadUntil("132"), HasSubstr("24 132"));
  running.Wait();
}

TEST_F(AtATerminal, AnInteractiveShellControlsItsJobs) {
  Call call = InTerminal({"run", "--", "bash", "--norc", "--noediting", "-i"});
  call.environment = {{"PS1", "inside> "}};
  Running running(call);
  terminal_.ReadUntil("inside> ");
  terminal_.Type("cat\n");
  terminal_.ReadUntil("cat\r\n");
  terminal_.Type("first\n");
  terminal_.ReadUntil("first\r\nfirst\r\n");
  terminal_.Type(kSuspend);
  EXPECT_THAT(terminal_.ReadUntil("inside> "), HasSubstr("Stopped"));
  terminal_.Type("fg\n");
  terminal_.ReadUntil("\ncat\r\n");
  terminal_.Type("second\n");
  EXPECT_THAT(terminal_.ReadUntil("second\r\nsecond\r\n"), HasSubstr("second\r\nsecond\r\n"));
  terminal_.Type(kInterrupt);
  terminal_.ReadUntil("inside> ");
  terminal_.Type("exit 9\n");
  EXPECT_EQ(running.Wait().exit_code, 9);
}

// A shell outside, which has the program as a job.
class InAShell : public AtATerminal {
 protected:
  Call Shell() const {
    Call call{{}};
    call.before_exec = [this] {
      terminal_.Take();
      setenv("PS1", "outside> ", 1);
      setenv("ISOLATE_PROGRAM", PathOfProgram("isolate").c_str(), 1);
      execlp("bash", "bash", "--norc", "--noediting", "-i", nullptr);
    };
    return call;
  }

  void AwaitPrompt() const { terminal_.ReadUntil("outside> "); }

  // The shell inside, which has the terminal.
  void SuspendAndGoOn(Running& shell) const {
    terminal_.Type("suspend\n");
    EXPECT_THAT(terminal_.ReadUntil("outside> "), HasSubstr("Stopped"));
    terminal_.Type("fg\n");
    terminal_.ReadUntil("-i\r\n");
    terminal_.Type("exit 4\n");
    AwaitPrompt();
    terminal_.Type("exit $?\n");
    EXPECT_EQ(shell.Wait().exit_code, 4);
  }
};

TEST_F(InAShell, TheCommandStopsAndGoesOn) {
  Running shell(Shell());
  AwaitPrompt();
  terminal_.Type("$ISOLATE_PROGRAM run -- cat\n");
  terminal_.ReadUntil("cat\r\n");
  terminal_.Type("first\n");
  terminal_.ReadUntil("first\r\nfirst\r\n");
  terminal_.Type(kSuspend);
  EXPECT_THAT(terminal_.ReadUntil("outside> "), HasSubstr("Stopped"));
  terminal_.Type("fg\n");
  terminal_.ReadUntil("cat\r\n");
  terminal_.Type("second\n");
  EXPECT_THAT(terminal_.ReadUntil("second\r\nsecond\r\n"), HasSubstr("second\r\nsecond\r\n"));
  terminal_.Type(kEnd);
  terminal_.ReadUntil("outside> ");
  terminal_.Type("exit $?\n");
  EXPECT_EQ(shell.Wait().exit_code, 0);
}

// It may have to put the terminal in order, and reads what is typed until then.
TEST_F(InAShell, TheProgramStopsAfterItsCommand) {
  Running shell(Shell());
  AwaitPrompt();
  terminal_.Type(
      "$ISOLATE_PROGRAM run -- bash -c 'trap \"read line; echo got \\$line; trap - TSTP; "
      "kill -TSTP \\$\\$\" TSTP; echo rea''dy; while :; do :; done'\n");
  terminal_.ReadUntil("ready\r\n");
  terminal_.Type(kSuspend);
  terminal_.Type("typed\n");
  EXPECT_THAT(terminal_.ReadUntil("outside> "),
              AllOf(HasSubstr("got typed"), HasSubstr("Stopped")));
  terminal_.Type(kEndOfShell);
  EXPECT_EQ(shell.Wait().exit_code, 7);
}

TEST_F(InAShell, AJobInTheBackgroundStopsWithoutTheTerminal) {
  Running shell(Shell());
  AwaitPrompt();
  terminal_.Type("$ISOLATE_PROGRAM run -- sh -c 'echo rea''dy; exec sleep 1000' &\n");
  terminal_.ReadUntil("ready\r\n");
  terminal_.Type("kill -TSTP %1; wait %1; echo waited $?\n");
  EXPECT_THAT(terminal_.ReadUntil("waited 148"), HasSubstr("waited 148"));
  terminal_.Type(kEndOfShell);
  EXPECT_EQ(shell.Wait().exit_code, 7);
}

TEST_F(InAShell, AShellInTheBackgroundWaitsForTheTerminal) {
  Running shell(Shell());
  AwaitPrompt();
  terminal_.Type("PS1=inside: $ISOLATE_PROGRAM run -- bash --norc --noediting -i &\n");
  terminal_.Type("wait %1; echo waited $?\n");
  EXPECT_THAT(terminal_.ReadUntil("waited 1"), AllOf(HasSubstr("Stopped"), HasSubstr("waited 1")));
  terminal_.Type(kEndOfShell);
  EXPECT_EQ(shell.Wait().exit_code, 7);
}

TEST_F(InAShell, AJobThatBeganInTheBackgroundReadsInTheForeground) {
  Running shell(Shell());
  AwaitPrompt();
  terminal_.Type("$ISOLATE_PROGRAM run -- sh -c 'echo rea''dy; read line; echo got $line' &\n");
  terminal_.ReadUntil("ready\r\n");
  terminal_.Type("wait %1; fg\n");
  terminal_.ReadUntil("got $line'\r\n");
  terminal_.Type("typed\n");
  EXPECT_THAT(terminal_.ReadUntil("got typed"), HasSubstr("got typed"));
  terminal_.Type("exit 6\n");
  EXPECT_EQ(shell.Wait().exit_code, 6);
}

TEST_F(InAShell, AJobThatBeganInTheBackgroundStopsInTheForeground) {
  Running shell(Shell());
  AwaitPrompt();
  terminal_.Type("PS1=inside: $ISOLATE_PROGRAM run -- bash --norc --noediting -i &\n");
  terminal_.ReadUntil("outside> ");
  terminal_.Type("fg\n");
  terminal_.ReadUntil("inside:");
  SuspendAndGoOn(shell);
}

TEST_F(InAShell, TheProgramStopsWithAShellThatStopsItself) {
  Running shell(Shell());
  AwaitPrompt();
  terminal_.Type("PS1=inside: $ISOLATE_PROGRAM run -- bash --norc --noediting -i\n");
  terminal_.ReadUntil("-i\r\n");
  terminal_.ReadUntil("inside:");
  SuspendAndGoOn(shell);
}

// Without job control nobody else puts the terminal back.
TEST_F(AtATerminal, IsGivenBackByAShell) {
  Call call{{}};
  call.before_exec = [this] {
    terminal_.Take();
    execlp("sh", "sh", "-c",
           (PathOfProgram("isolate") + " run -- bash --norc -ic 'echo shell $$'; "
                                       "echo done; read line; echo $line")
               .c_str(),
           nullptr);
  };
  Running running(call);
  terminal_.ReadUntil("done\r\n");
  EXPECT_EQ(terminal_.Foreground(), running.pid());
  terminal_.Type("read\n");
  EXPECT_THAT(terminal_.ReadUntil("read\r\nread\r\n"), HasSubstr("read\r\nread\r\n"));
  EXPECT_EQ(running.Wait().exit_code, 0);
}

TEST_F(AtATerminal, APipelineStaysWhole) {
  Call call{{}};
  call.before_exec = [this] {
    terminal_.Take();
    execlp(
        "sh", "sh", "-c",
        ("echo typed | " + PathOfProgram("isolate") + " run -- cat | (read line; echo got $line)")
            .c_str(),
        nullptr);
  };
  Running running(call);
  EXPECT_THAT(terminal_.ReadUntil("got typed\r\n"), HasSubstr("got typed\r\n"));
  EXPECT_EQ(running.Wait().exit_code, 0);
}

}  // namespace
}  // namespace isolate::command
