#include "tests/command/isolate_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace isolate::command {
namespace {

namespace fs = std::filesystem;

constexpr int kDeadlineMs = 20'000;  // nothing ever takes this long and passes

std::string MakeFile(const std::string& content) {
  std::string path = absl::StrCat(::testing::TempDir(), "/stream-XXXXXX");
  const int file = mkostemp(path.data(), O_CLOEXEC);
  if (file < 0 ||
      write(file, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    ADD_FAILURE() << "cannot make " << path << ": " << strerror(errno);
  }
  close(file);
  return path;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What is meant for the program comes from the test alone.
void SetEnvironment(const Call& call) {
  std::vector<std::string> hidden;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (absl::StartsWith(*entry, "ISOLATE")) {
      hidden.emplace_back(*entry, strcspn(*entry, "="));
    }
  }
  for (const std::string& name : hidden) {
    unsetenv(name.c_str());
  }
  for (const auto& [name, value] : call.environment) {
    setenv(name.c_str(), value.c_str(), 1);
  }
}

bool Redirect(const std::string& path, int flags, int descriptor) {
  const int file = open(path.c_str(), flags | O_CLOEXEC);
  return file >= 0 && dup2(file, descriptor) == descriptor;
}

[[noreturn]] void Execute(const Call& call) {
  SetEnvironment(call);
  if (call.before_exec) {
    call.before_exec();
  }
  const std::string path = PathOfProgram(call.program);
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& arg : call.args) {
    argv.push_back(const_cast<char*>(arg.c_str()));
  }
  argv.push_back(nullptr);
  execv(path.c_str(), argv.data());
  _exit(100);
}

}  // namespace

std::string PathOfProgram(const std::string& name) {
  return fs::absolute(absl::StrCat("isolate/command/", name)).string();
}

Running::Running(const Call& call) : errors_(MakeFile("")) {
  const std::string in = MakeFile(call.in);
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "cannot make a pipe: " << strerror(errno);
    return;
  }
  pid_ = fork();
  if (pid_ == 0) {
    if (!Redirect(in, O_RDONLY, STDIN_FILENO) || dup2(out[1], STDOUT_FILENO) < 0 ||
        !Redirect(errors_, O_WRONLY | O_APPEND, STDERR_FILENO)) {
      _exit(100);
    }
    Execute(call);
  }
  close(out[1]);
  out_ = out[0];
}

Running::~Running() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(out_);
}

std::string Running::ReadUntil(const std::string& text) {
  std::string all;
  pollfd ready = {out_, POLLIN, 0};
  char byte;
  while ((text.empty() || !absl::StrContains(all, text)) && poll(&ready, 1, kDeadlineMs) == 1 &&
         read(out_, &byte, 1) == 1) {
    all += byte;
  }
  return all;
}

Ended Running::Wait() {
  Ended ended;
  ended.out = ReadUntil("");
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd exited = {process, POLLIN, 0};
  if (poll(&exited, 1, kDeadlineMs) != 1) {
    ADD_FAILURE() << "the program does not end";
    kill(pid_, SIGKILL);
  }
  close(process);
  int status = 0;
  if (waitpid(std::exchange(pid_, -1), &status, 0) > 0) {
    ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ended.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  ended.err = Contents(errors_);
  return ended;
}

Ended Isolate(const std::vector<std::string>& args) { return Isolate(Call{args}); }

Ended Isolate(const Call& call) { return Running(call).Wait(); }

Terminal::Terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  if (master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0) {
    name_ = ptsname(master_);
  }
}

Terminal::~Terminal() { close(master_); }

void Terminal::Take() const {
  setsid();
  const int slave = open(name_.c_str(), O_RDWR | O_CLOEXEC);
  if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0) {
    _exit(100);
  }
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    dup2(slave, stream);
  }
}

void Terminal::Type(const std::string& text) const {
  EXPECT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string Terminal::ReadUntil(const std::string& text) const {
  std::string all;
  pollfd ready = {master_, POLLIN, 0};
  char byte;
  while (!absl::StrContains(all, text) && poll(&ready, 1, kDeadlineMs) == 1 &&
         read(master_, &byte, 1) == 1) {
    all += byte;
  }
  return all;
}

void Terminal::SetWidth(int columns) const {
  winsize size = {};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  EXPECT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
}

pid_t Terminal::Foreground() const { return tcgetpgrp(master_); }

}  // namespace isolate::command
