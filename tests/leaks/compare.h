#ifndef TESTS_LEAKS_COMPARE_H_
#define TESTS_LEAKS_COMPARE_H_

// What was told of a case of the catalogue, against what should have been.  Pure.

#include <string>
#include <vector>

#include "isolate/leak.h"
#include "tests/leaks/catalogue.h"

namespace isolate {

struct LeakDifferences {
  std::vector<ExpectedLeak> missed;
  std::vector<Leak> false_alarms;
};

LeakDifferences Compare(std::vector<ExpectedLeak> expected, const std::vector<Leak>& told);

// A line for each; empty where there is none.
std::string Text(const LeakDifferences& differences);

}  // namespace isolate

#endif  // TESTS_LEAKS_COMPARE_H_
