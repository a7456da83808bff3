#include "gtest_plugin/traits.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "gtest_plugin/gtest_private.h"
#include "gtest_plugin/test_filter.h"
#include "gtest_plugin/traits_of_tests.h"

namespace isolate::gtest {
namespace {

using ::testing::TestInfo;

struct Entry {
  std::string name;  // for messages
  std::function<bool(const TestInfo&)> means;
  ChangeTraits change;
};

// Set while static variables are initialised, in any order.
std::vector<Entry>& Entries() {
  static auto* entries = new std::vector<Entry>;
  return *entries;
}

// As --gtest_filter.
bool Matches(const std::string& filter, const TestInfo& test) {
  return FilterMatches(filter, absl::StrCat(test.test_suite_name(), ".", test.name()));
}

bool HasTest(const ::testing::UnitTest& unit_test, const Entry& entry) {
  for (int i = 0; i < unit_test.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *unit_test.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      if (entry.means(*suite.GetTestInfo(j))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

bool SetTraits(absl::string_view pattern, const ChangeTraits& change) {
  std::string filter(pattern);
  Entries().push_back({absl::StrCat("\"", filter, "\""),
                       [filter](const TestInfo& test) { return Matches(filter, test); }, change});
  return true;
}

bool internal::SetTraitsOfFixture(::testing::internal::TypeId fixture, const std::string& name,
                                  const ChangeTraits& change) {
  Entries().push_back(
      {name, [fixture](const TestInfo& test) { return test.*MemberOf(FixtureClass{}) == fixture; },
       change});
  return true;
}

absl::Status CheckTraits(const ::testing::UnitTest& unit_test) {
  for (const Entry& entry : Entries()) {
    if (!HasTest(unit_test, entry)) {
      return absl::InvalidArgumentError(
          absl::StrCat("traits are set for ", entry.name, ", and no test of the program is that"));
    }
  }
  return absl::OkStatus();
}

Traits TraitsOf(const TestInfo& test) {
  Traits traits;
  for (const Entry& entry : Entries()) {
    if (entry.means(test)) {
      entry.change(traits);
    }
  }
  return traits;
}

}  // namespace isolate::gtest
