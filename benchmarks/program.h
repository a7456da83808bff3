#ifndef BENCHMARKS_PROGRAM_H_
#define BENCHMARKS_PROGRAM_H_

// Programs, timed from outside.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace isolate::benchmarks {

struct Program {
  std::vector<std::string> argv;  // found by PATH
  // Over the caller's environment, from which what is meant for gtest, Bazel's tests or the plugin
  // is taken out.
  std::vector<std::pair<std::string, std::string>> environment = {};
};

struct Ran {
  absl::Duration wall;
  int exit_code = -1;  // -1: it died of a signal
  int64_t peak_memory_bytes = 0;
  std::string out;  // both of its streams
};

// Runs it to its end.  An error where it cannot be executed.
absl::StatusOr<Ran> Run(const Program& program);

// Runs them all, up to `in_flight` at once; how long all take together.  An error where one does
// not exit with 0.
absl::StatusOr<absl::Duration> RunAll(const std::vector<Program>& programs, int in_flight);

// Whether PATH has a program of that name.
bool IsOnPath(const std::string& name);

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_PROGRAM_H_
