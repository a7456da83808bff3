#ifndef ISOLATE_INTERNAL_FOOTPRINTS_H_
#define ISOLATE_INTERNAL_FOOTPRINTS_H_

// Makes a footprint of what an auditor told (name_record.h).  Lives in the runner; takes the writer
// for hostile.  Pure code: no system call.

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "isolate/footprint.h"
#include "isolate/internal/wire.h"

namespace isolate::internal {

class FootprintBuilder {
 public:
  // Files in `passed_over` and below are nobody's: what the harness has for itself.
  explicit FootprintBuilder(std::vector<std::string> passed_over)
      : passed_over_(std::move(passed_over)) {}

  // Takes a record; false where it cannot be read.  Costs O(log names).
  bool Add(absl::string_view record);

  // All of them, by stretch, kind and name.
  Footprint Take();

 private:
  using Key = std::tuple<uint32_t, NameKind, std::string>;

  bool Read(Decoder& decoder, NameUse& use);
  bool IsPassedOver(absl::string_view path) const;

  const std::vector<std::string> passed_over_;
  std::map<Key, NameUse> uses_;
  int64_t untold_ = 0;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_FOOTPRINTS_H_
