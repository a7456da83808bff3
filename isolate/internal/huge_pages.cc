#include "isolate/internal/huge_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
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
#include "isolate/internal/fd.h"
#include "isolate/internal/monotonic.h"

namespace isolate::internal {
namespace {

// From the kernel's <asm-generic/mman-common.h>; in glibc's headers since 2.37.
constexpr int kCollapse = 25;

constexpr size_t kHugePage = size_t{2} << 20;

// Of less memory the page tables are no matter.
constexpr size_t kLeastBytes = size_t{4} << 20;

// Fewer do not even pay for the first one.
constexpr size_t kLeastForks = 20;

// What a huge page saves; a little less than what was measured (18 us for each megabyte of the time
// of a run, 27 us of the processors': //benchmarks:report --only=heap).
absl::Duration Saved(size_t forks) { return static_cast<double>(forks) * absl::Microseconds(30); }

// How long nobody looks at what else happens: before the first fork, and while forks run.
constexpr absl::Duration kMostToUse = absl::Seconds(5);
constexpr absl::Duration kMostToRestore = absl::Milliseconds(100);

// A mapping, as far as smaps has told of it.
struct Mapping {
  AddressRange range;
  bool is_anonymous = false;
  uint64_t anonymous_bytes = 0;  // that are there
  uint64_t huge_bytes = 0;       // in huge pages
  bool is_apart = false;         // kept from forks, or from huge pages
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

// "Anonymous:           132 kB", "VmFlags: rd wr mr mw me ac"
void AddField(absl::string_view line, Mapping& mapping) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  uint64_t kilobytes = 0;
  if (words.size() < 2) {
    return;
  }
  if (words[0] == "VmFlags:") {
    mapping.is_apart = absl::c_any_of(
        words, [](absl::string_view flag) { return flag == "dc" || flag == "wf" || flag == "nh"; });
  } else if (absl::SimpleAtoi(words[1], &kilobytes)) {
    if (words[0] == "Anonymous:") {
      mapping.anonymous_bytes = kilobytes * 1024;
    } else if (words[0] == "AnonHugePages:") {
      mapping.huge_bytes = kilobytes * 1024;
    }
  }
}

// A sanitizer maps terabytes, of which little is there, and which it would take long to look at.
bool CanHaveMore(const Mapping& mapping) {
  return mapping.is_anonymous && !mapping.is_apart &&
         mapping.anonymous_bytes >= mapping.huge_bytes + kHugePage / 4 * 3 &&
         mapping.anonymous_bytes >= Size(mapping.range) / 16;
}

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// MADV_COLLAPSE does not ask whether they are switched off.
bool HostHasHugePages() {
  size_t size = 0;
  return absl::SimpleAtoi(ReadAll("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), &size) &&
         size == kHugePage &&
         !absl::StrContains(ReadAll("/sys/kernel/mm/transparent_hugepage/enabled"), "[never]");
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

// What is there of a huge page that would be.
class PageMap {
 public:
  // proc_pid_pagemap(5).
  static constexpr uint64_t kPresent = uint64_t{1} << 63;
  static constexpr uint64_t kOnlyHere = uint64_t{1} << 56;  // no page of zeros either

  PageMap()
      : file_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)),
        page_size_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        entries_(kHugePage / page_size_) {}

  // Whether three quarters of it have all of these bits.
  bool HasMost(uintptr_t page, uint64_t bits) {
    const size_t size = entries_.size() * sizeof(uint64_t);
    const auto offset = static_cast<off_t>(page / page_size_ * sizeof(uint64_t));
    if (pread(file_.get(), entries_.data(), size, offset) != static_cast<ssize_t>(size)) {
      return false;
    }
    const auto count = static_cast<size_t>(
        absl::c_count_if(entries_, [bits](uint64_t entry) { return (entry & bits) == bits; }));
    return count >= entries_.size() / 4 * 3;
  }

 private:
  const Fd file_;
  const size_t page_size_;
  std::vector<uint64_t> entries_;
};

// 0, or the errno.  EAGAIN: at this moment the kernel moves some of it, for another process that
// wants a huge page, say.
int Collapse(uintptr_t page) {
  const auto collapse = [page] {
    return madvise(reinterpret_cast<void*>(page), kHugePage, kCollapse) == 0 ? 0 : errno;
  };
  const int error = collapse();
  return error == EAGAIN ? collapse() : error;
}

// The next one may do better.
bool IsOfOnePage(int error) { return error == EAGAIN || error == EINVAL; }

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
    const uintptr_t begin = (mapping.range.begin + kHugePage - 1) / kHugePage * kHugePage;
    const uintptr_t end = mapping.range.end / kHugePage * kHugePage;
    if (begin < end && CanHaveMore(mapping)) {
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
  if (forks < kLeastForks || AnonymousBytes() < kLeastBytes || !HostHasHugePages()) {
    return 0;
  }
  PageMap page_map;
  const absl::Time end = MonotonicNow() + kMostToUse;
  for (const AddressRange& range : MappingsForHugePages(ReadAll("/proc/self/smaps"))) {
    for (uintptr_t page = range.begin; page < range.end; page += kHugePage) {
      if (!page_map.HasMost(page, PageMap::kPresent | PageMap::kOnlyHere)) {
        continue;
      }
      const absl::Duration begin = ProcessorTime();
      const int error = Collapse(page);
      // Of the last few, as they become dearer where there is less memory; at first, of one.
      cost_ += (ProcessorTime() - begin - cost_) / (pages_.size() < 8 ? pages_.size() + 1.0 : 8.0);
      if (error == 0) {
        pages_.push_back(page);
      }
      const bool may_go_on = error == 0 || (IsOfOnePage(error) && !pages_.empty());
      if (!may_go_on || cost_ > Saved(forks) || MonotonicNow() > end) {
        return pages_.size() * kHugePage;
      }
    }
  }
  return pages_.size() * kHugePage;
}

// What has come into the place of a mapping meanwhile is looked at like any other; but pages that
// running forks have, too, are no others': those are soon gone.
void HugePages::Restore(size_t forks) {
  if (pages_.empty() || cost_ > Saved(forks)) {
    return;
  }
  PageMap page_map;
  const absl::Time end = MonotonicNow() + kMostToRestore;
  for (const AddressRange& range : MappingsForHugePages(ReadAll("/proc/self/smaps"))) {
    for (auto page = absl::c_lower_bound(pages_, range.begin);
         page != pages_.end() && *page < range.end; ++page) {
      if (!page_map.HasMost(*page, PageMap::kPresent)) {
        continue;
      }
      const int error = Collapse(*page);
      if ((error != 0 && !IsOfOnePage(error)) || MonotonicNow() > end) {
        return;
      }
    }
  }
}

}  // namespace isolate::internal
