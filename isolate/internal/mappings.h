#ifndef ISOLATE_INTERNAL_MAPPINGS_H_
#define ISOLATE_INTERNAL_MAPPINGS_H_

// Shared memory that has no name any more and is there as long as somebody has mapped it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace isolate::internal {

struct Mapping {
  std::string identity;  // device and inode, as /proc/PID/maps has them
  std::string path;      // "/memfd:name", "/dev/shm/name"
  uint64_t size = 0;     // of all its parts that are mapped
};

// The shared mappings of files that were removed, and of memfd_create(2)'s, among the lines of
// /proc/PID/maps (proc(5)).  Neither System V segments, which have a list of their own, nor memory
// that only forks share.  Pure.
std::vector<Mapping> NamelessMappings(absl::string_view maps);

// Those of the calling process.  Costs 5 us where it has no shared mapping (PROCMAP_QUERY, Linux
// 6.11); otherwise 20 us, and more in a program of many libraries.
std::vector<Mapping> NamelessMappings();

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_MAPPINGS_H_
