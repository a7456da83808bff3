#include "isolate/isolation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate {

absl::string_view NameOf(Isolation kind) {
  switch (kind) {
    case Isolation::kPid:
      return "pid";
    case Isolation::kNetwork:
      return "network";
    case Isolation::kSys:
      return "sys";
    case Isolation::kIpc:
      return "ipc";
    case Isolation::kMqueue:
      return "mqueue";
    case Isolation::kUts:
      return "uts";
    case Isolation::kMount:
      return "mount";
    case Isolation::kCgroup:
      return "cgroup";
  }
  return "";
}

absl::optional<Isolation> IsolationNamed(absl::string_view name) {
  for (const Isolation kind : kIsolationKinds) {
    if (NameOf(kind) == name) {
      return kind;
    }
  }
  return absl::nullopt;
}

Isolations WithDependents(Isolations kinds) {
  if (Has(kinds, Isolation::kMount)) {
    Add(Isolation::kPid, kinds);
    Add(Isolation::kSys, kinds);
    Add(Isolation::kMqueue, kinds);
  }
  if (Has(kinds, Isolation::kNetwork)) {
    Add(Isolation::kSys, kinds);
  }
  if (Has(kinds, Isolation::kIpc)) {
    Add(Isolation::kMqueue, kinds);
  }
  return kinds;
}

std::string NamesOf(const Isolations& kinds) {
  std::vector<absl::string_view> names;
  for (const Isolation kind : kIsolationKinds) {
    if (Has(kinds, kind)) {
      names.push_back(NameOf(kind));
    }
  }
  return names.empty() ? "none" : absl::StrJoin(names, ",");
}

absl::optional<Isolations> IsolationsNamed(absl::string_view names) {
  Isolations kinds;
  if (names == "none") {
    return kinds;
  }
  if (names == "all") {
    return AllIsolations();
  }
  for (const absl::string_view name : absl::StrSplit(names, ',')) {
    const absl::optional<Isolation> kind = IsolationNamed(name);
    if (!kind.has_value()) {
      return absl::nullopt;
    }
    Add(*kind, kinds);
  }
  return kinds;
}

std::string RightIsolations() {
  return absl::StrCat("none, all, or some of ",
                      absl::StrJoin(kIsolationKinds, ", ", [](std::string* out, Isolation kind) {
                        absl::StrAppend(out, NameOf(kind));
                      }));
}

}  // namespace isolate
