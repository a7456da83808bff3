#include "tests/leaks/compare.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "isolate/leak.h"
#include "tests/leaks/catalogue.h"

namespace isolate {

LeakDifferences Compare(std::vector<ExpectedLeak> expected, const std::vector<Leak>& told) {
  LeakDifferences differences;
  for (const Leak& leak : told) {
    const auto match = std::find_if(expected.begin(), expected.end(), [&](const ExpectedLeak& e) {
      return e.kind == leak.kind && fnmatch(e.name.c_str(), leak.name.c_str(), 0) == 0;
    });
    if (match != expected.end()) {
      expected.erase(match);
    } else {
      differences.false_alarms.push_back(leak);
    }
  }
  differences.missed = std::move(expected);
  return differences;
}

std::string Text(const LeakDifferences& differences) {
  std::string text;
  for (const ExpectedLeak& leak : differences.missed) {
    absl::StrAppend(&text, "\n  missed: ", NameOf(leak.kind), " ", leak.name);
  }
  for (const Leak& leak : differences.false_alarms) {
    absl::StrAppend(&text, "\n  false alarm: ", NameOf(leak.kind), " ", Describe(leak));
  }
  return text;
}

}  // namespace isolate
