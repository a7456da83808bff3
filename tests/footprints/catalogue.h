#ifndef TESTS_FOOTPRINTS_CATALOGUE_H_
#define TESTS_FOOTPRINTS_CATALOGUE_H_

// Everything that a test can use a shared name by, and twins that use none.

#include <string>
#include <vector>

namespace isolate {

struct FootprintCase {
  std::string name;
  // Runs in a sandbox of its own; false where the host does not let it: then nothing is expected.
  bool (*run)();
  // As Describe(NameUse) has it, sorted; a pattern (fnmatch(3)) each.
  std::vector<std::string> names;
};

const std::vector<FootprintCase>& Catalogue();

// "" or how the footprint of a case differs from what was expected.
std::string Differences(const FootprintCase& footprint_case, const std::vector<std::string>& told);

}  // namespace isolate

#endif  // TESTS_FOOTPRINTS_CATALOGUE_H_
