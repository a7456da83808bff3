#include "isolate/internal/posix_object.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"

namespace isolate::internal {

absl::optional<PosixObject> PosixObjectAt(absl::string_view path) {
  if (!absl::ConsumePrefix(&path, "/dev/shm/") || absl::StrContains(path, '/')) {
    return absl::nullopt;
  }
  const bool semaphore = absl::ConsumePrefix(&path, "sem.");
  return PosixObject{semaphore ? "sem" : "shm", absl::StrCat("/", path)};
}

}  // namespace isolate::internal
