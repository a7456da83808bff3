#ifndef BENCHMARKS_PEERS_H_
#define BENCHMARKS_PEERS_H_

// Other ways to run the suite of empty tests.

#include <string>
#include <vector>

#include "benchmarks/samples.h"

namespace isolate::benchmarks {

// A program executed for each test, plainly and by what is on PATH to isolate it; and `others`, as
// NAME=COMMAND: {binary} in the command stands for the program, {jobs} for 2; {test} for a test,
// and then the command is executed for each of 200 tests, two at once.  Microseconds a test;
// compared with the subject `base`.
std::vector<Subject> Peers(const std::vector<std::string>& others, const std::string& base);

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_PEERS_H_
