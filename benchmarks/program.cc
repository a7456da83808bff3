#include "benchmarks/program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace isolate::benchmarks {
namespace {

bool IsMeantForATest(absl::string_view variable) {
  return absl::StartsWith(variable, "GTEST_") || absl::StartsWith(variable, "TEST_") ||
         absl::StartsWith(variable, "BAZEL_") || absl::StartsWith(variable, "ISOLATE_") ||
         absl::StartsWith(variable, "XML_OUTPUT_FILE=");
}

std::vector<std::string> EnvironmentOf(const Program& program) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : program.environment) {
    variables.push_back(absl::StrCat(name, "=", value));
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!IsMeantForATest(*variable)) {
      variables.emplace_back(*variable);
    }
  }
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Its streams go to `out`, or nowhere where that is negative.
absl::StatusOr<pid_t> Spawn(const Program& program, int out) {
  std::vector<std::string> arguments = program.argv;
  std::vector<std::string> variables = EnvironmentOf(program);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const auto destroy = absl::MakeCleanup([&] { posix_spawn_file_actions_destroy(&actions); });
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (out >= 0) {
    posix_spawn_file_actions_adddup2(&actions, out, 1);
  } else {
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments.front().c_str(), &actions, nullptr,
                                 Pointers(arguments).data(), Pointers(variables).data());
  if (error != 0) {
    return absl::ErrnoToStatus(error, absl::StrCat("cannot execute ", arguments.front()));
  }
  return pid;
}

}  // namespace

absl::StatusOr<Ran> Run(const Program& program) {
  int pipe[2];
  if (pipe2(pipe, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a pipe");
  }
  const absl::Time begin = absl::Now();
  const absl::StatusOr<pid_t> pid = Spawn(program, pipe[1]);
  close(pipe[1]);
  Ran ran;
  char buffer[65536];
  for (ssize_t size; (size = read(pipe[0], buffer, sizeof(buffer))) > 0;) {
    ran.out.append(buffer, static_cast<size_t>(size));
  }
  close(pipe[0]);
  if (!pid.ok()) {
    return pid.status();
  }
  int status = 0;
  rusage usage = {};
  wait4(*pid, &status, 0, &usage);
  ran.wall = absl::Now() - begin;
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ran.peak_memory_bytes = int64_t{usage.ru_maxrss} * 1024;
  return ran;
}

absl::StatusOr<absl::Duration> RunAll(const std::vector<Program>& programs, int in_flight) {
  const absl::Time begin = absl::Now();
  int running = 0;
  int failures = 0;
  const auto wait_for_one = [&] {
    int status = 0;
    wait(&status);
    --running;
    failures += status != 0 ? 1 : 0;
  };
  absl::Status status;
  for (const Program& program : programs) {
    if (running == in_flight) {
      wait_for_one();
    }
    const absl::StatusOr<pid_t> pid = Spawn(program, /*out=*/-1);
    if (!pid.ok()) {
      status = pid.status();
      break;
    }
    ++running;
  }
  while (running > 0) {
    wait_for_one();
  }
  if (!status.ok()) {
    return status;
  }
  if (failures > 0) {
    return absl::UnknownError(absl::StrCat(failures, " of ", programs.size(), " failed"));
  }
  return absl::Now() - begin;
}

bool IsOnPath(const std::string& name) {
  const char* path = getenv("PATH");
  for (const absl::string_view folder : absl::StrSplit(path != nullptr ? path : "", ':')) {
    if (access(absl::StrCat(folder, "/", name).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace isolate::benchmarks
