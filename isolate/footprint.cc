#include "isolate/footprint.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace isolate {

absl::string_view NameOf(NameKind kind) {
  switch (kind) {
    case NameKind::kPort:
      return "ports";
    case NameKind::kSysv:
      return "sysv";
    case NameKind::kPosix:
      return "posix";
    case NameKind::kFile:
      return "files";
    case NameKind::kHostname:
      return "hostname";
  }
  return "";
}

std::vector<absl::string_view> Words(uint32_t deeds) {
  static constexpr struct {
    NameDeeds deed;
    absl::string_view word;
  } kWords[] = {
      {kBound, "bound"},   {kMade, "made"}, {kWritten, "written"}, {kRemoved, "removed"},
      {kLocked, "locked"}, {kUsed, "used"}, {kSet, "set"},
  };
  std::vector<absl::string_view> words;
  for (const auto& word : kWords) {
    if ((deeds & word.deed) != 0) {
      words.push_back(word.word);
    }
  }
  return words;
}

std::string Describe(const NameUse& use) {
  return absl::StrCat(use.name, " (", absl::StrJoin(Words(use.deeds), ", "), ")");
}

}  // namespace isolate
