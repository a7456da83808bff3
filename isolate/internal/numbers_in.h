#ifndef ISOLATE_INTERNAL_NUMBERS_IN_H_
#define ISOLATE_INTERNAL_NUMBERS_IN_H_

#include <string>
#include <vector>

namespace isolate::internal {

// The numbers among the names in a folder of /proc, in ascending order: processes, threads,
// descriptors.  Empty where the folder cannot be read.
std::vector<int> NumbersIn(const std::string& folder);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_NUMBERS_IN_H_
