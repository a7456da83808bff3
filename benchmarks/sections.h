#ifndef BENCHMARKS_SECTIONS_H_
#define BENCHMARKS_SECTIONS_H_

// What is measured.  To be run from a folder that has the programs as benchmarks/NAME.

#include <string>
#include <vector>

#include "benchmarks/samples.h"

namespace isolate::benchmarks {

// In the order in which they are shown.
std::vector<std::string> SectionNames();

// The one of that name.  `peers`: for "empty" (peers.h).
Section MakeSection(const std::string& name, const std::vector<std::string>& peers);

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_SECTIONS_H_
