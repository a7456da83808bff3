#ifndef ISOLATE_INTERNAL_HUGE_PAGES_H_
#define ISOLATE_INTERNAL_HUGE_PAGES_H_

// A fork copies the page tables of what the process has in memory.  Of huge pages these are some
// hundred times smaller.

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

// Where it would be worth it among the mappings of /proc/PID/smaps (proc(5)): whole huge pages of
// anonymous memory that may be written, and that this process alone has, so that no memory is taken
// that was not before; that is not in huge pages yet, nor kept from them or from forks by
// madvise(2). Of a mapping that is nearly empty, none.  Pure.
std::vector<AddressRange> MappingsForHugePages(absl::string_view smaps);

// Puts the calling process's memory into huge pages (MADV_COLLAPSE, Linux 6.1), for as long as that
// takes less processor time than the forks to come will save.  Addresses and contents stay.  To be
// used in the process that forks.
class HugePages {
 public:
  // Of memory that this process alone has; a huge page of which a quarter is not there would take
  // more.  Once, before so many forks.  Gives how many bytes.
  // Costs 5 us where there is little memory; otherwise 10 us for each MB, and 0.3 to 2 ms for each
  // that it puts into huge pages.  Does nothing on a kernel that cannot, or where
  // prctl(PR_SET_THP_DISABLE) is set.
  size_t Use(size_t forks);

  // The same for what is in small pages again: where this process has written to a page while a
  // fork had it, too, the kernel has taken the huge page apart.  So many forks are still to come.
  // Costs 1 ms for each GB that is as it was.
  void Restore(size_t forks);

 private:
  std::vector<AddressRange> ranges_;
  absl::Duration cost_;  // of each megabyte in them
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_HUGE_PAGES_H_
