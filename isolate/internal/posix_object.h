#ifndef ISOLATE_INTERNAL_POSIX_OBJECT_H_
#define ISOLATE_INTERNAL_POSIX_OBJECT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate::internal {

// POSIX shared memory or a named semaphore.
struct PosixObject {
  std::string type;  // "shm" or "sem"
  std::string name;  // with its slash, as shm_open and sem_open take it
};

// What the file at this path is, if it is one: glibc keeps them in /dev/shm (shm_overview(7),
// sem_overview(7)).  Pure.
absl::optional<PosixObject> PosixObjectAt(absl::string_view path);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_POSIX_OBJECT_H_
