// The library without gtest: a function and a command in sandboxes.
//
//   tools/bazel run //examples:library

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "isolate/isolate.h"

namespace {

// Prints what became of it; false where there was no sandbox, or it failed.
bool Print(const absl::StatusOr<isolate::Result>& result) {
  if (!result.ok()) {
    // The step that failed, why, and what to do about it.
    std::cerr << result.status().message() << "\n";
    return false;
  }
  std::cout << result->out << "  -> " << isolate::Describe(result->outcome, result->code)
            << " in network namespace " << result->namespaces.net << "\n";
  return result->ok();
}

}  // namespace

int main() {
  isolate::Options options;
  options.hostname = "node-1";
  options.timeout = absl::Seconds(10);

  // A function runs in a fork: it sees this process's memory, and changes none.
  int calls = 0;
  const bool function_ok = Print(isolate::Run(options, [&](isolate::Reporter&) {
    ++calls;
    char hostname[65] = "";
    gethostname(hostname, sizeof(hostname));
    printf("function: pid %d on %s, %d call\n", getpid(), hostname, calls);
    return 0;
  }));
  std::cout << "outside: " << calls << " calls\n";

  const bool command_ok =
      Print(isolate::RunCommand(options, {"sh", "-c", "echo command: pid $$ on $(uname -n)"}));
  return function_ok && command_ok ? 0 : 1;
}
