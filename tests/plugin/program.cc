#include "tests/plugin/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace isolate::plugin_tests {
namespace {

namespace fs = std::filesystem;

// Long enough for the slowest machine: nothing ever takes this long and passes.
constexpr int kDeadlineMs = 240 * 1000;
constexpr int kOrphanDeadlineMs = 60 * 1000;
constexpr int kTellDescriptor = 100;

// What can be read: less, or nothing, where a process of /proc has gone.  (A
// stream would throw then.)
std::string ReadFile(const fs::path& path) {
  std::string text;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  for (ssize_t size; file >= 0 && (size = read(file, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(size));
  }
  close(file);
  return text;
}

std::string MakeFolder() {
  std::string path = absl::StrCat(::testing::TempDir(), "/run-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    ADD_FAILURE() << "cannot make " << path << ": " << strerror(errno);
  }
  return path;
}

// Of the programs.
fs::path Root() {
  const char* runfiles = getenv("TEST_SRCDIR");
  return runfiles != nullptr ? fs::path(runfiles) / getenv("TEST_WORKSPACE") : fs::current_path();
}

std::vector<std::string> Environment(const Command& command) {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool ours = false;
    for (const char* prefix :
         {"GTEST_", "ISOLATE_", "ISOLATE=", "TEST_SHARD", "TEST_TOTAL_SHARDS=",
          "TEST_PREMATURE_EXIT_FILE=", "TEST_TIMEOUT=", "TESTBRIDGE_", "XML_OUTPUT_FILE="}) {
      ours |= absl::StartsWith(*entry, prefix);
    }
    for (const auto& [name, value] : command.environment) {
      ours |= absl::StartsWith(*entry, absl::StrCat(name, "="));
    }
    if (!ours) {
      kept.emplace_back(*entry);
    }
  }
  for (const auto& [name, value] : command.environment) {
    kept.push_back(absl::StrCat(name, "=", value));
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) {
    pointers.push_back(string.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

bool Redirect(const std::string& path, int flags, int descriptor) {
  const int file = open(path.c_str(), flags | O_CLOEXEC, 0600);
  return file >= 0 && dup2(file, descriptor) == descriptor;
}

bool EndsWithin(pid_t pid, int milliseconds) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) {
    return errno == ESRCH;
  }
  pollfd ended = {process, POLLIN, 0};
  const bool in_time = poll(&ended, 1, milliseconds) == 1;
  close(process);
  return in_time;
}

std::vector<pid_t> ChildPids() {
  const std::string parent = absl::StrCat("\nPPid:\t", getpid(), "\n");
  std::vector<pid_t> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos &&
        absl::StrContains(ReadFile(entry.path() / "status"), parent)) {
      children.push_back(std::stoi(name));
    }
  }
  return children;
}

}  // namespace

Program::Program(const Command& command) : folder_(MakeFolder()) {
  std::vector<std::string> args = command.args;
  args.insert(args.begin(), PathOf(command));
  args.insert(args.begin(), command.wrapper.begin(), command.wrapper.end());
  const std::string path = Root() / args[0];
  if (!command.report.empty()) {
    report_ = absl::StrCat(folder_, "/report.", command.report);
    args.push_back(absl::StrCat("--gtest_output=", command.report, ":", report_));
  }
  std::vector<std::string> environment = Environment(command);
  const std::vector<char*> argv = Pointers(args);
  const std::vector<char*> envp = Pointers(environment);
  const std::string out = folder_ + "/out";
  const std::string err = folder_ + "/err";

  pid_ = fork();
  if (pid_ == 0) {
    const int flags = O_WRONLY | O_CREAT | O_APPEND;
    if (Redirect("/dev/null", O_RDONLY, STDIN_FILENO) && Redirect(out, flags, STDOUT_FILENO) &&
        Redirect(command.merge_streams ? out : err, flags, STDERR_FILENO) &&
        (command.before_exec == nullptr || command.before_exec())) {
      execve(path.c_str(), argv.data(), envp.data());
    }
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", path.c_str(), strerror(errno));
    _exit(127);
  }
  if (pid_ < 0) {
    ADD_FAILURE() << "fork: " << strerror(errno);
  }
}

Program::~Program() {
  if (pid_ > 0) {
    Kill();
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Program::Kill(int signal) { kill(pid_, signal); }

Finished Program::Wait() {
  if (!EndsWithin(pid_, kDeadlineMs)) {
    ADD_FAILURE() << "the specimen did not end";
    Kill();
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  Finished finished;
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  finished.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  finished.out = ReadFile(folder_ + "/out");
  finished.err = ReadFile(folder_ + "/err");
  if (!report_.empty()) {
    finished.report = ReadFile(report_);
  }
  return finished;
}

Finished Execute(const Command& command) { return Program(command).Wait(); }

Finished ExecuteUntilTold(Command command, int tests, int signal) {
  int tell[2];
  EXPECT_EQ(pipe2(tell, O_CLOEXEC), 0);
  command.environment.emplace_back("TELL_FD", absl::StrCat(kTellDescriptor));
  command.before_exec = [&] { return dup2(tell[1], kTellDescriptor) == kTellDescriptor; };
  Program program(command);
  close(tell[1]);
  for (int test = 0; test < tests; ++test) {
    pollfd told = {tell[0], POLLIN, 0};
    char byte;
    if (poll(&told, 1, kDeadlineMs) != 1 || read(tell[0], &byte, 1) != 1) {
      ADD_FAILURE() << "only " << test << " tests have told";
      break;
    }
  }
  program.Kill(signal);
  Finished finished = program.Wait();
  pollfd ended = {tell[0], POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, kOrphanDeadlineMs), 1) << "somebody still holds the pipe";
  close(tell[0]);
  return finished;
}

std::string PathOf(const Command& command) {
  if (!command.program.empty()) {
    return Root() / command.program;
  }
  return Root() / command.folder / (command.build == Build::kPlain ? "plain" : "isolated") /
         command.specimen;
}

void AdoptOrphans() { ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0); }

std::vector<std::string> Children() {
  std::vector<std::string> commands;
  for (const pid_t child : ChildPids()) {
    std::string command = ReadFile(absl::StrCat("/proc/", child, "/cmdline"));
    std::replace(command.begin(), command.end(), '\0', ' ');
    commands.push_back(absl::StrCat(child, " ", command));
  }
  return commands;
}

std::vector<std::string> WaitForOrphans() {
  for (;;) {
    const std::vector<pid_t> children = ChildPids();
    if (children.empty()) {
      return {};
    }
    // All at once: the init of a pid namespace cannot end before all others that
    // were in it have been waited for.
    std::vector<pollfd> ends;
    for (const pid_t child : children) {
      ends.push_back({static_cast<int>(syscall(SYS_pidfd_open, child, 0)), POLLIN, 0});
    }
    const bool in_time = poll(ends.data(), ends.size(), kOrphanDeadlineMs) > 0;
    for (size_t i = 0; i < ends.size(); ++i) {
      close(ends[i].fd);
      if (ends[i].revents != 0) {
        // Its own children, if it has any, are ours now.
        waitpid(children[i], nullptr, 0);
      }
    }
    if (!in_time) {
      return Children();
    }
  }
}

}  // namespace isolate::plugin_tests
