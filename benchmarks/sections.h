#ifndef BENCHMARKS_SECTIONS_H_
#define BENCHMARKS_SECTIONS_H_

// What is measured.  To be run from a folder that has the programs as benchmarks/NAME.

#include <string>
#include <vector>

#include "benchmarks/samples.h"

namespace isolate::benchmarks {

// In the order in which they are shown.
std::vector<std::string> SectionNames();

// Those of a name, most often one.  `peers`: for "empty", others that run the same suite, as
// NAME=COMMAND: {binary} in the command stands for the program, {jobs} for 2; {test} for a test,
// and then the command is executed for each of 200 tests, two at once.
std::vector<Section> MakeSections(const std::string& name, const std::vector<std::string>& peers);

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_SECTIONS_H_
