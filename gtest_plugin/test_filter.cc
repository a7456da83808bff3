#include "gtest_plugin/test_filter.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace isolate::gtest {
namespace {

bool MatchesOne(absl::string_view patterns, const std::string& name) {
  const std::vector<std::string> each = absl::StrSplit(patterns, ':');
  return std::any_of(each.begin(), each.end(),
                     [&](const std::string& pattern) { return GlobMatches(pattern, name); });
}

}  // namespace

bool GlobMatches(absl::string_view pattern, const std::string& text) {
  const std::string escaped = absl::StrReplaceAll(pattern, {{"[", "\\["}, {"\\", "\\\\"}});
  return fnmatch(escaped.c_str(), text.c_str(), 0) == 0;
}

bool FilterMatches(absl::string_view filter, const std::string& name) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(filter, absl::MaxSplits('-', 1));
  return MatchesOne(parts.first.empty() ? "*" : parts.first, name) &&
         !MatchesOne(parts.second, name);
}

}  // namespace isolate::gtest
