#include "isolate/internal/left_outside.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "isolate/footprint.h"
#include "isolate/internal/leaks.h"
#include "isolate/internal/mount_info.h"
#include "isolate/leak.h"

namespace isolate::internal {
namespace {

std::vector<std::string> FoldersToStay() {
  std::vector<std::string> folders;
  if (const char* outputs = getenv("TEST_UNDECLARED_OUTPUTS_DIR"); outputs != nullptr) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::canonical(outputs, error);
    if (!error) {
      folders.push_back(path.string());
    }
  }
  return folders;
}

}  // namespace

std::vector<Leak> FilesLeftOutside(const Footprint& footprint,
                                   const std::vector<std::string>& private_folders) {
  std::vector<std::string> passed_over = FoldersToStay();
  passed_over.insert(passed_over.end(), private_folders.begin(), private_folders.end());
  std::vector<Leak> leaks;
  for (const NameUse& use : footprint.names) {
    struct stat status;
    if (use.kind != NameKind::kFile || (use.deeds & kMade) == 0 ||
        std::any_of(passed_over.begin(), passed_over.end(),
                    [&](const std::string& folder) { return IsUnder(use.name, folder); }) ||
        lstat(use.name.c_str(), &status) != 0) {
      continue;
    }
    Leak leak = LeakOfFile(use.name, status.st_mode, static_cast<uint64_t>(status.st_size),
                           status.st_uid, status.st_gid);
    leak.detail += ", outside of the private folders";
    leak.consequence = "the next test that makes it would have met it, and so will the next run";
    leak.stretch = use.stretch;
    leaks.push_back(std::move(leak));
  }
  return leaks;
}

}  // namespace isolate::internal
