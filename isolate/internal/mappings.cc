#include "isolate/internal/mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "isolate/internal/fd.h"

namespace isolate::internal {
namespace {

constexpr absl::string_view kDeleted = " (deleted)";

uint64_t SizeOf(absl::string_view range) {
  const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(range, '-');
  uint64_t begin = 0;
  uint64_t end = 0;
  return absl::SimpleHexAtoi(ends.first, &begin) && absl::SimpleHexAtoi(ends.second, &end)
             ? end - begin
             : 0;
}

// From the kernel's <linux/fs.h>, Linux 6.11: what it tells of the mapping that was asked for.
struct MappingQuery {
  uint64_t size = sizeof(MappingQuery);
  uint64_t flags = 0;
  uint64_t address = 0;
  uint64_t answer[7] = {};
  uint32_t name_size = 0;
  uint32_t build_id_size = 0;
  uint64_t name = 0;
  uint64_t build_id = 0;
};
constexpr uint64_t kShared = 0x08;
constexpr uint64_t kCoveringOrNext = 0x10;
constexpr unsigned long kQuery = _IOWR('f', 17, MappingQuery);

// Whether the process has no shared mapping at all, which is soon said; false where this kernel
// does not say it.
bool HasNoSharedMapping(int maps) {
  MappingQuery query;
  query.flags = kShared | kCoveringOrNext;
  return ioctl(maps, kQuery, &query) != 0 && errno == ENOENT;
}

}  // namespace

// "7f0-7f1 rw-s 00000000 00:01 2054   /memfd:name (deleted)"
std::vector<Mapping> NamelessMappings(absl::string_view maps) {
  std::vector<Mapping> mappings;
  for (const absl::string_view line : absl::StrSplit(maps, '\n', absl::SkipEmpty())) {
    if (!absl::EndsWith(line, kDeleted)) {
      continue;
    }
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(' ', 5));
    if (fields.size() < 6 || !absl::EndsWith(fields[1], "s")) {
      continue;
    }
    absl::string_view path = absl::StripLeadingAsciiWhitespace(fields[5]);
    path = absl::StripSuffix(path, kDeleted);
    if (path == "/dev/zero" || path == "/anon_hugepage" || path == "/[aio]" ||
        absl::StartsWith(path, "/SYSV")) {
      continue;
    }
    const std::string identity = absl::StrCat(fields[3], " ", fields[4]);
    const auto same = std::find_if(mappings.begin(), mappings.end(), [&](const Mapping& mapping) {
      return mapping.identity == identity;
    });
    if (same != mappings.end()) {
      same->size += SizeOf(fields[0]);
    } else {
      mappings.push_back({identity, std::string(path), SizeOf(fields[0])});
    }
  }
  return mappings;
}

std::vector<Mapping> NamelessMappings() {
  const Fd file(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  if (HasNoSharedMapping(file.get())) {
    return {};
  }
  std::string text;
  char buffer[16384];
  for (ssize_t size; (size = read(file.get(), buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(size));
  }
  return NamelessMappings(text);
}

}  // namespace isolate::internal
