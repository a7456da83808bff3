#ifndef TESTS_LEAKS_CATALOGUE_H_
#define TESTS_LEAKS_CATALOGUE_H_

// Everything that a test can leave behind, and for each its twin, who cleans up.

#include <string>
#include <vector>

#include "isolate/leak.h"

namespace isolate {

// What is to be told of: a kind, and a pattern (fnmatch(3)) for the name.
struct ExpectedLeak {
  LeakKind kind;
  std::string name;
};

struct LeakCase {
  std::string name;
  // Runs in a sandbox of its own; false where the host does not let it (no raw sockets without
  // rights, for one): then nothing is expected.
  bool (*run)();
  std::vector<ExpectedLeak> leaks;  // none: a clean one
};

const std::vector<LeakCase>& Catalogue();

}  // namespace isolate

#endif  // TESTS_LEAKS_CATALOGUE_H_
