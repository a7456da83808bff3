#include "isolate/internal/strays.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace isolate::internal {

void ReapStrays(const absl::flat_hash_set<ino_t>& pid_namespaces) {
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/self/task", error);
  for (; !error && tasks != std::filesystem::directory_iterator(); tasks.increment(error)) {
    std::ifstream children(tasks->path() / "children");
    pid_t child = 0;
    while (children >> child) {
      struct stat pid_namespace;
      if (stat(absl::StrCat("/proc/", child, "/ns/pid").c_str(), &pid_namespace) == 0 &&
          pid_namespaces.contains(pid_namespace.st_ino)) {
        waitpid(child, nullptr, WNOHANG);
      }
    }
  }
}

}  // namespace isolate::internal
