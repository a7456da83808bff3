#include "isolate/internal/id_map.h"

#include <cstdint>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace isolate::internal {

bool HasId(absl::string_view map, uint32_t id) {
  for (const absl::string_view line : absl::StrSplit(map, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint32_t first = 0;
    uint32_t count = 0;
    if (fields.size() == 3 && absl::SimpleAtoi(fields[0], &first) &&
        absl::SimpleAtoi(fields[2], &count) && id >= first && id - first < count) {
      return true;
    }
  }
  return false;
}

}  // namespace isolate::internal
