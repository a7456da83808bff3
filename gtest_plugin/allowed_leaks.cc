#include "gtest_plugin/allowed_leaks.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "gtest_plugin/leak_policy.h"
#include "gtest_plugin/test_filter.h"
#include "isolate/leak.h"

namespace isolate::gtest {

bool AllowedLeak::Matches(const Leak& leak, const std::string& test) const {
  return Has(kinds, leak.kind) && FilterMatches(tests, test) && GlobMatches(pattern, leak.name);
}

absl::StatusOr<AllowedLeak> ParseAllowedLeak(absl::string_view text) {
  AllowedLeak allowed;
  allowed.text = std::string(text);
  allowed.tests = "*";
  // The kind has neither of the two in its name.
  const size_t end = text.find_first_of(":[");
  const absl::optional<LeakKinds> kinds = LeakKindsNamed(text.substr(0, end));
  absl::string_view rest = end != absl::string_view::npos ? text.substr(end) : "";
  if (absl::ConsumePrefix(&rest, "[")) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(rest, absl::MaxSplits(']', 1));
    allowed.tests = std::string(parts.first);
    rest = parts.second;
  }
  if (!kinds.has_value() || !absl::ConsumePrefix(&rest, ":") || rest.empty() ||
      allowed.tests.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\": expected KIND:PATTERN or KIND[TESTS]:PATTERN, as fds:*/app.log or "
                     "ports[Server*.*]:tcp *:8080, or @FILE; the kinds are ",
                     NamesOfLeakKinds()));
  }
  allowed.kinds = *kinds;
  allowed.pattern = std::string(rest);
  return allowed;
}

absl::Status AllowedLeaks::Add(absl::string_view value) {
  for (absl::string_view entry : absl::StrSplit(value, ',', absl::SkipEmpty())) {
    if (absl::ConsumePrefix(&entry, "@")) {
      if (absl::Status status = AddFile(std::string(entry)); !status.ok()) {
        return status;
      }
      continue;
    }
    absl::StatusOr<AllowedLeak> allowed = ParseAllowedLeak(entry);
    if (!allowed.ok()) {
      return allowed.status();
    }
    entries_.push_back({*std::move(allowed)});
  }
  return absl::OkStatus();
}

absl::Status AllowedLeaks::AddFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ", path, " cannot be read: ", strerrordesc_np(errno)));
  }
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    // A "#" within a word is part of it.
    absl::string_view entry = line;
    for (size_t sign = entry.find('#'); sign != absl::string_view::npos;
         sign = entry.find('#', sign + 1)) {
      if (sign == 0 || absl::ascii_isspace(static_cast<unsigned char>(entry[sign - 1]))) {
        entry = entry.substr(0, sign);
        break;
      }
    }
    entry = absl::StripAsciiWhitespace(entry);
    if (entry.empty()) {
      continue;
    }
    absl::StatusOr<AllowedLeak> allowed = ParseAllowedLeak(entry);
    if (!allowed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": ", allowed.status().message()));
    }
    allowed->text = absl::StrCat(entry, " (", path, ":", number, ")");
    entries_.push_back({*std::move(allowed)});
  }
  return absl::OkStatus();
}

void AllowedLeaks::AddOfTraits(const std::string& text) {
  const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.of_traits && entry.allowed.text == text;
  });
  if (absl::StatusOr<AllowedLeak> allowed = ParseAllowedLeak(text); !known && allowed.ok()) {
    entries_.push_back({*std::move(allowed), /*of_traits=*/true});
  }
}

bool AllowedLeaks::Allow(const Leak& leak, const std::string& test,
                         const std::vector<std::string>& traits) {
  bool allowed = false;
  for (Entry& entry : entries_) {
    const bool applies = !entry.of_traits || std::find(traits.begin(), traits.end(),
                                                       entry.allowed.text) != traits.end();
    if (applies && entry.allowed.Matches(leak, test)) {
      entry.used = true;
      allowed = true;
    }
  }
  return allowed;
}

std::vector<std::string> AllowedLeaks::Unused(const LeakKinds& kinds) const {
  std::vector<std::string> unused;
  for (const Entry& entry : entries_) {
    if (!entry.used && (entry.allowed.kinds & kinds).any()) {
      unused.push_back(entry.allowed.text);
    }
  }
  return unused;
}

}  // namespace isolate::gtest
