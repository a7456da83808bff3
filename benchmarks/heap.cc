#include "benchmarks/heap.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace isolate::benchmarks {

bool FillHeap() {
  constexpr size_t kHugePage = size_t{2} << 20;
  const char* const megabytes = getenv("BENCHMARK_HEAP_MB");
  const size_t size = megabytes != nullptr ? strtoul(megabytes, nullptr, 10) << 20 : 0;
  void* heap = nullptr;
  if (size == 0) {
    return true;
  }
  if (posix_memalign(&heap, kHugePage, size) != 0) {
    return false;
  }
  if (getenv("BENCHMARK_HUGE_PAGES") != nullptr) {
    madvise(heap, size, MADV_HUGEPAGE);
  }
  memset(heap, 1, size);
  // Not to be optimised away, nor freed.
  static void* volatile kept;
  kept = heap;
  return kept != nullptr;
}

}  // namespace isolate::benchmarks
