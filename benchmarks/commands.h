#ifndef BENCHMARKS_COMMANDS_H_
#define BENCHMARKS_COMMANDS_H_

// Ways to execute one command in namespaces of its own.

#include <vector>

#include "benchmarks/samples.h"

namespace isolate::benchmarks {

// true(1), executed plainly, by the program isolate, and by what is on PATH to isolate it;
// microseconds an execution.
std::vector<Subject> Commands();

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_COMMANDS_H_
