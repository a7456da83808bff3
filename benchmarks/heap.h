#ifndef BENCHMARKS_HEAP_H_
#define BENCHMARKS_HEAP_H_

namespace isolate::benchmarks {

// Touches as many megabytes as BENCHMARK_HEAP_MB says, with BENCHMARK_HUGE_PAGES in huge pages as
// far as the kernel has them, and keeps them.  False where there is not as much.
bool FillHeap();

}  // namespace isolate::benchmarks

#endif  // BENCHMARKS_HEAP_H_
