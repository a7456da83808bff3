#ifndef GTEST_PLUGIN_TRAITS_OF_TESTS_H_
#define GTEST_PLUGIN_TRAITS_OF_TESTS_H_

// The traits that were set, as the plugin reads them.

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "gtest_plugin/traits.h"

namespace isolate::gtest {

// InvalidArgument that names a pattern or a fixture without a test.  Costs O(tests) for each.
absl::Status CheckTraits(const ::testing::UnitTest& unit_test);

// All that was set for a test, in order.  Costs a match with each pattern.
Traits TraitsOf(const ::testing::TestInfo& test);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TRAITS_OF_TESTS_H_
