#ifndef ISOLATE_INTERNAL_LEFT_OUTSIDE_H_
#define ISOLATE_INTERNAL_LEFT_OUTSIDE_H_

// What a test made outside of its private folders, and left there.  Those files are everybody's, so
// that only the footprint tells whose they are.

#include <string>
#include <vector>

#include "isolate/footprint.h"
#include "isolate/leak.h"

namespace isolate::internal {

// The files of the footprint that are there now and were not, but those in `private_folders`, of
// which an init tells, and in the folder of outputs (TEST_UNDECLARED_OUTPUTS_DIR), which are to
// stay.  In the runner; looks at each.
std::vector<Leak> FilesLeftOutside(const Footprint& footprint,
                                   const std::vector<std::string>& private_folders);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_LEFT_OUTSIDE_H_
