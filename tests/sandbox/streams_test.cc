// Standard streams that are the caller's own.

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

Options Inherit() {
  Options options;
  options.streams = Streams::kInherited;
  return options;
}

// All that comes until nobody writes any more; a terminal's end is EIO then.
std::string ReadAll(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t size; (size = read(descriptor, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(size));
  }
  return text;
}

// Makes `text` the stdin of the calling process, and gives the end at which its stdout and stderr
// can be read.
int TakeStreams(const std::string& text) {
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
      write(in[1], text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 ||
      dup2(out[1], STDERR_FILENO) < 0) {
    return -1;
  }
  close(in[1]);
  close(out[1]);
  return out[0];
}

// What is in the pipe behind the streams of the calling process, which has them no more then.
std::string GiveUpStreams(int out) {
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
  return ReadAll(out);
}

TEST(InheritedStreams, AreTheCallers) {
  EXPECT_EQ(InCaller([] {
              const int out = TakeStreams("typed\n");
              const absl::StatusOr<Result> result =
                  RunCommand(Inherit(), {"sh", "-c", "cat; echo wrong >&2"});
              return absl::StrCat(Told(result), "\n", GiveUpStreams(out));
            }),
            "exited with 0\ntyped\nwrong\n");
}

TEST(InheritedStreams, AreNotCaptured) {
  EXPECT_EQ(InCaller([] {
              const int out = TakeStreams("");
              const absl::StatusOr<Result> result = isolate::Run(Inherit(), [](Reporter& reporter) {
                printf("printed\n");
                return reporter.Send("sent").ok() ? 0 : 1;
              });
              std::string told = absl::StrCat(Told(result), "\n");
              if (result.ok()) {
                absl::StrAppend(&told, result->out, result->err, result->report_error);
                for (const Message& message : result->messages) {
                  absl::StrAppend(&told, message.payload, "\n");
                }
              }
              return absl::StrCat(told, GiveUpStreams(out));
            }),
            "returned 0\nsent\nprinted\n");
}

TEST(InheritedStreams, StayClosedWhereTheyAre) {
  EXPECT_EQ(InCaller([] {
              close(STDIN_FILENO);
              return Told(RunCommand(Inherit(), {"sh", "-c", "test ! -e /proc/self/fd/0"}));
            }),
            "exited with 0");
}

TEST(InheritedStreams, DoNotGoWithWhatNeedsCapturedOnes) {
  Options options = Inherit();
  options.merge_stderr = true;
  EXPECT_EQ(Validate(options).code(), absl::StatusCode::kInvalidArgument);
  options.merge_stderr = false;
  options.full_output_folder = "/tmp";
  EXPECT_EQ(Validate(options).code(), absl::StatusCode::kInvalidArgument);
}

// "own" or "the caller's": the session of a process with inherited streams.
std::string SessionInside() {
  const absl::StatusOr<Result> result =
      Run(Inherit(), [](Reporter&) { return getsid(0) == getpid() ? 1 : 0; });
  return !result.ok()                                                 ? Told(result)
         : result->outcome == Outcome::kReturned && result->code == 1 ? "own"
                                                                      : "the caller's";
}

TEST(InheritedStreams, ComeWithASessionOfItsOwnWhereThereIsNoTerminal) {
  EXPECT_EQ(InCaller([] {
              setsid();
              return SessionInside();
            }),
            "own");
}

TEST(InheritedStreams, ComeWithTheTerminalsSession) {
  int terminal = -1;
  const pid_t caller = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (caller == 0) {
    const std::string session = SessionInside();
    printf("%s", session.c_str());
    fflush(stdout);
    _exit(0);
  }
  ASSERT_GT(caller, 0);
  EXPECT_EQ(ReadAll(terminal), "the caller's");
  close(terminal);
  waitpid(caller, nullptr, 0);
}

// A signal that comes between the fork and the execution would be lost in a handler.
TEST(Command, HasNoHandlerOfTheCallers) {
  EXPECT_EQ(InCaller([] {
              signal(SIGUSR1, [](int) {});
              signal(SIGUSR2, SIG_IGN);
              Options options = Inherit();
              return Told(RunCommand(options, {"sh", "-c", "kill -USR2 $$; kill -USR1 $$"}));
            }),
            "died of SIGUSR1");
}

TEST(Command, HasAProcessThatIsKnown) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({});
  ASSERT_TRUE(executor.ok()) << executor.status();
  const absl::StatusOr<Executor::Id> id =
      (*executor)->StartCommand({"sh", "-c", "kill -STOP $$; exit 0"});
  ASSERT_TRUE(id.ok()) << id.status();
  const pid_t process = (*executor)->ProcessOf(*id);
  ASSERT_GT(process, 0);
  ASSERT_EQ(waitpid(process, nullptr, WUNTRACED | WCONTINUED), process);
  EXPECT_EQ(kill(process, SIGTERM), 0);
  EXPECT_EQ(kill(process, SIGCONT), 0);
  EXPECT_EQ(Told((*executor)->WaitAny().result), "died of SIGTERM");
  EXPECT_EQ((*executor)->ProcessOf(*id), 0);
}

}  // namespace
}  // namespace isolate
