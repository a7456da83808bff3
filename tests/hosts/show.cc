// Prints, for each of the hosts that refuse something, what a command says that is executed there.
//
//   tools/bazel run //tests/hosts:show                      # isolate doctor
//   tools/bazel run //tests/hosts:show -- COMMAND [ARGUMENTS]   # COMMAND from PATH, or absolute

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "tests/hosts/host.h"

namespace isolate::hosts {
namespace {

// Executes the command there, and gives its wait status.
int StatusOn(const Host& host, char* const* command) {
  const pid_t child = fork();
  if (child == 0) {
    host.live();
    execvp(command[0], command);
    std::cerr << "cannot execute " << command[0] << ": " << strerrordesc_np(errno) << std::endl;
    _exit(127);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

void Show(const Host& host, char* const* command) {
  std::cout << "=== " << host.name << std::endl;
  if (!CanBeMadeReal(host)) {
    std::cout << "this machine cannot be made to look so" << std::endl;
    return;
  }
  const int status = StatusOn(host, command);
  if (WIFEXITED(status)) {
    std::cout << "exit code " << WEXITSTATUS(status) << std::endl;
  } else {
    std::cout << "ended by signal " << WTERMSIG(status) << std::endl;
  }
}

int Main(char** argv) {
  std::string program = "isolate/command/isolate";  // of the runfiles
  std::string doctor = "doctor";
  char* const usual[] = {program.data(), doctor.data(), nullptr};
  for (const Host& host : Hosts()) {
    Show(host, argv[1] != nullptr ? argv + 1 : usual);
  }
  return 0;
}

}  // namespace
}  // namespace isolate::hosts

int main(int /*argc*/, char** argv) { return isolate::hosts::Main(argv); }
