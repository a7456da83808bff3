#include "isolate/leak.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate {

absl::string_view NameOf(LeakKind kind) {
  switch (kind) {
    case LeakKind::kPort:
      return "ports";
    case LeakKind::kTimeWait:
      return "time_wait";
    case LeakKind::kSysv:
      return "sysv";
    case LeakKind::kPosix:
      return "posix";
    case LeakKind::kProcess:
      return "processes";
    case LeakKind::kThread:
      return "threads";
    case LeakKind::kDescriptor:
      return "fds";
    case LeakKind::kFile:
      return "files";
    case LeakKind::kState:
      return "state";
  }
  return "";
}

absl::optional<LeakKind> LeakKindNamed(absl::string_view name) {
  for (const LeakKind kind : kLeakKinds) {
    if (NameOf(kind) == name) {
      return kind;
    }
  }
  return absl::nullopt;
}

std::string Describe(const Leak& leak) {
  return leak.detail.empty() ? leak.name : absl::StrCat(leak.name, " (", leak.detail, ")");
}

}  // namespace isolate
