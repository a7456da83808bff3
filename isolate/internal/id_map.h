#ifndef ISOLATE_INTERNAL_ID_MAP_H_
#define ISOLATE_INTERNAL_ID_MAP_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace isolate::internal {

// Whether a user namespace has an id: `map` is a uid_map or gid_map (user_namespaces(7)), ranges of
// "first first count", one a line.  Pure.
bool HasId(absl::string_view map, uint32_t id);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_ID_MAP_H_
