// Prints, for each of the hosts that refuse something, what a command says that is executed there.
//
//   tools/bazel run //tests/hosts:show                      # isolate doctor
//   tools/bazel run //tests/hosts:show -- COMMAND [ARGUMENTS]   # COMMAND from PATH, or absolute

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

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
  // Where the hosts, some of them as another user, make their folders.
  std::string folder = "/tmp/isolate-hosts-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr || chmod(folder.c_str(), 01777) != 0 ||
      setenv("TEST_TMPDIR", folder.c_str(), 1) != 0) {
    std::cerr << "cannot make a folder in /tmp: " << strerrordesc_np(errno) << "\n";
    return 1;
  }
  for (const Host& host : Hosts()) {
    Show(host, argv[1] != nullptr ? argv + 1 : usual);
  }
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  return 0;
}

}  // namespace
}  // namespace isolate::hosts

int main(int /*argc*/, char** argv) { return isolate::hosts::Main(argv); }
