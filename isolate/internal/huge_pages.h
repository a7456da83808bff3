#ifndef ISOLATE_INTERNAL_HUGE_PAGES_H_
#define ISOLATE_INTERNAL_HUGE_PAGES_H_

// A fork copies the page tables of what the process has in memory, and the end of the copy empties
// them again; both are done some twenty times as fast where the memory is in huge pages.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace isolate::internal {

struct AddressRange {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};

// Where huge pages can be among the mappings of /proc/PID/smaps (proc(5)): whole ones of anonymous
// memory that may be written and is not shared, and that madvise(2) has kept neither from them nor
// from forks.  None of a mapping of which all is in huge pages, or of which next to nothing is
// there. Pure.
std::vector<AddressRange> MappingsForHugePages(absl::string_view smaps);

// Puts the calling process's memory into huge pages (MADV_COLLAPSE, Linux 6.1), for as long as that
// takes less processor time than the forks to come will save.  Addresses and contents stay.  To be
// used in the process that forks.  Does nothing on a kernel that cannot, where its huge pages are
// not of 2 MB or switched off (/sys/kernel/mm/transparent_hugepage), or with
// prctl(PR_SET_THP_DISABLE).
class HugePages {
 public:
  // Of memory that this process alone has, and of which at least three quarters are there, as the
  // rest would be taken from the system; once, before so many forks.  Gives how many bytes.
  // Costs 5 us where there is little memory; otherwise 10 us for each MB, and 0.25 ms for each that
  // it puts into huge pages, 2 ms where a virtual machine's host has to find the memory first.
  // Takes five seconds at most.
  size_t Use(size_t forks);

  // The same for what was put there, and is in small pages again: where this process has written to
  // a page while a fork had it, too, the kernel has taken the huge page apart.  So many forks are
  // still to come.  Costs 10 us for each MB; takes a tenth of a second at most.
  void Restore(size_t forks);

 private:
  std::vector<uintptr_t> pages_;  // sorted
  absl::Duration cost_;           // of one of them
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_HUGE_PAGES_H_
