#ifndef ISOLATE_INTERNAL_CENSUS_H_
#define ISOLATE_INTERNAL_CENSUS_H_

// Who is in a sandbox, as its runner sees it in /proc.

#include <sys/types.h>

#include <vector>

#include "isolate/result.h"

namespace isolate::internal {

// The processes of a pid namespace, given by its inode, but for its init.  A process
// that ends meanwhile may be missing, or be there in part.  Costs a few files of /proc for each
// process of the machine that the caller may look at, and some more for each that is found.
std::vector<Process> TakeCensus(ino_t pid_namespace);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_CENSUS_H_
