#ifndef GTEST_PLUGIN_TEST_FILTER_H_
#define GTEST_PLUGIN_TEST_FILTER_H_

// Whether a pattern means a test, as --gtest_filter does.  Pure.

#include <string>

#include "absl/strings/string_view.h"

namespace isolate::gtest {

// "*" and "?" alone are special.
bool GlobMatches(absl::string_view pattern, const std::string& text);

// `filter`: "*" and "?", ":" between several, and behind a "-" those that are not meant.  `name`:
// "Suite.Test".
bool FilterMatches(absl::string_view filter, const std::string& name);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_TEST_FILTER_H_
