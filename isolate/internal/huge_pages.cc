#include "isolate/internal/huge_pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace isolate::internal {
namespace {

// From the kernel's <asm-generic/mman-common.h>; in glibc's headers since 2.37.
constexpr int kCollapse = 25;

constexpr size_t kHugePage = size_t{2} << 20;

// Of less memory the page tables are no matter.
constexpr size_t kLeastBytes = size_t{4} << 20;

// Fewer never pay for it.
constexpr size_t kLeastForks = 30;

constexpr double kMegabyte = 1 << 20;

// For each megabyte in huge pages; a little less than what was measured (18 us of the time of a
// run, 27 us of the processors': //benchmarks:report --only=heap).
absl::Duration Saved(size_t forks) { return static_cast<double>(forks) * absl::Microseconds(15); }

// A mapping, as far as smaps has told of it.
struct Mapping {
  AddressRange range;
  bool is_anonymous = false;
  uint64_t own_bytes = 0;     // in pages that only this process has
  uint64_t shared_bytes = 0;  // in pages that others have, too
  uint64_t huge_bytes = 0;    // in huge pages
  bool is_apart = false;      // kept from forks, or from huge pages
};

uint64_t Size(const AddressRange& range) { return range.end - range.begin; }

// "7f0000000000-7f0000200000 rw-p 00000000 00:00 0   [heap]"
absl::optional<Mapping> ParseHeader(absl::string_view line) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (fields.size() < 5 || absl::EndsWith(fields[0], ":")) {
    return absl::nullopt;
  }
  const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(fields[0], '-');
  uint64_t begin = 0;
  uint64_t end = 0;
  if (!absl::SimpleHexAtoi(ends.first, &begin) || !absl::SimpleHexAtoi(ends.second, &end)) {
    return absl::nullopt;
  }
  Mapping mapping;
  mapping.range = {static_cast<uintptr_t>(begin), static_cast<uintptr_t>(end)};
  mapping.is_anonymous =
      absl::StartsWith(fields[1], "rw") && absl::EndsWith(fields[1], "p") && fields[4] == "0" &&
      (fields.size() == 5 || fields[5] == "[heap]" || absl::StartsWith(fields[5], "[anon:"));
  return mapping;
}

// "Private_Dirty:       132 kB", "VmFlags: rd wr mr mw me ac"
void AddField(absl::string_view line, Mapping& mapping) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  uint64_t kilobytes = 0;
  if (words[0] == "VmFlags:") {
    mapping.is_apart = absl::c_any_of(
        words, [](absl::string_view flag) { return flag == "dc" || flag == "wf" || flag == "nh"; });
  } else if (words.size() > 1 && absl::SimpleAtoi(words[1], &kilobytes)) {
    if (words[0] == "Private_Clean:" || words[0] == "Private_Dirty:") {
      mapping.own_bytes += kilobytes * 1024;
    } else if (words[0] == "Shared_Clean:" || words[0] == "Shared_Dirty:") {
      mapping.shared_bytes += kilobytes * 1024;
    } else if (words[0] == "AnonHugePages:") {
      mapping.huge_bytes = kilobytes * 1024;
    }
  }
}

// A sanitizer maps terabytes, of which little is there, and which it would take long to look at.
bool IsWorthIt(const Mapping& mapping) {
  return mapping.is_anonymous && !mapping.is_apart &&
         mapping.own_bytes >= mapping.huge_bytes + kHugePage &&
         mapping.own_bytes / 3 >= mapping.shared_bytes &&
         mapping.own_bytes >= Size(mapping.range) / 16;
}

// Whether of the huge page that would be there three quarters are.
bool IsThere(uintptr_t page) {
  std::vector<unsigned char> present(kHugePage / static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  return mincore(reinterpret_cast<void*>(page), kHugePage, present.data()) == 0 &&
         static_cast<size_t>(absl::c_count(present, 1)) >= present.size() / 4 * 3;
}

// In private pages, nearly enough: statm (proc(5)) counts those of files apart.
size_t AnonymousBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0;
  size_t resident = 0;
  size_t of_files = 0;
  statm >> size >> resident >> of_files;
  return statm ? (resident - of_files) * static_cast<size_t>(sysconf(_SC_PAGESIZE)) : 0;
}

std::string ReadSmaps() {
  std::ifstream file("/proc/self/smaps");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Sets errno where it does not.  EAGAIN: at this moment the kernel moves some of it, for another
// process that wants a huge page, say.
bool Collapse(const AddressRange& range) {
  const auto collapse = [&] {
    return madvise(reinterpret_cast<void*>(range.begin), Size(range), kCollapse) == 0;
  };
  return collapse() || (errno == EAGAIN && collapse());
}

// Not by the clock on the wall: who else wants the processor is nothing that forks would change.
absl::Duration ProcessorTime() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

}  // namespace

std::vector<AddressRange> MappingsForHugePages(absl::string_view smaps) {
  std::vector<AddressRange> ranges;
  Mapping mapping;
  const auto finish = [&] {
    // Whole huge pages.
    const uintptr_t begin = (mapping.range.begin + kHugePage - 1) / kHugePage * kHugePage;
    const uintptr_t end = mapping.range.end / kHugePage * kHugePage;
    if (begin < end && IsWorthIt(mapping)) {
      ranges.push_back({begin, end});
    }
  };
  for (const absl::string_view line : absl::StrSplit(smaps, '\n', absl::SkipEmpty())) {
    if (const absl::optional<Mapping> next = ParseHeader(line)) {
      finish();
      mapping = *next;
    } else {
      AddField(line, mapping);
    }
  }
  finish();
  return ranges;
}

size_t HugePages::Use(size_t forks) {
  if (forks < kLeastForks || AnonymousBytes() < kLeastBytes) {
    return 0;
  }
  const std::vector<AddressRange> candidates = MappingsForHugePages(ReadSmaps());
  const absl::Duration begin = ProcessorTime();
  size_t bytes = 0;
  for (const AddressRange& candidate : candidates) {
    for (uintptr_t page = candidate.begin; page < candidate.end; page += kHugePage) {
      if (!IsThere(page)) {
        continue;
      }
      if (!Collapse({page, page + kHugePage})) {
        if (errno == EAGAIN) {
          continue;
        }
        break;
      }
      bytes += kHugePage;
      cost_ = (ProcessorTime() - begin) / (static_cast<double>(bytes) / kMegabyte);
      if (cost_ > Saved(forks)) {
        return bytes;
      }
    }
    ranges_.push_back(candidate);
  }
  return bytes;
}

void HugePages::Restore(size_t forks) {
  if (cost_ > Saved(forks)) {
    return;
  }
  for (const AddressRange& range : ranges_) {
    Collapse(range);
  }
}

}  // namespace isolate::internal
