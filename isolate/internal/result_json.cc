#include "isolate/internal/result_json.h"

#include <string.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/variant.h"
#include "isolate/executor.h"
#include "isolate/footprint.h"
#include "isolate/isolation.h"
#include "isolate/leak.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

constexpr struct {
  const char* name;  // as in /proc/self/ns
  ino_t Namespaces::*number;
} kKinds[] = {
    {"pid", &Namespaces::pid},       {"net", &Namespaces::net},   {"ipc", &Namespaces::ipc},
    {"uts", &Namespaces::uts},       {"mnt", &Namespaces::mnt},   {"user", &Namespaces::user},
    {"cgroup", &Namespaces::cgroup}, {"time", &Namespaces::time},
};

}  // namespace

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

double Milliseconds(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

Json ToJson(const Usage& usage) {
  return {{"wall_ms", Milliseconds(usage.wall)},
          {"user_ms", Milliseconds(usage.user)},
          {"system_ms", Milliseconds(usage.system)},
          {"peak_memory_bytes", usage.peak_memory_bytes}};
}

Json ToJson(const std::vector<Leak>& leaks) {
  Json list = Json::array();
  for (const Leak& leak : leaks) {
    Json json = {{"kind", NameOf(leak.kind)}, {"leak", leak.name}, {"detail", leak.detail}};
    if (leak.count > 1) {
      json["count"] = leak.count;
    }
    if (!leak.consequence.empty()) {
      json["consequence"] = leak.consequence;
    }
    for (const Leak::Attribute& attribute : leak.attributes) {
      if (const auto* number = absl::get_if<int64_t>(&attribute.value)) {
        json[attribute.name] = *number;
      } else {
        json[attribute.name] = absl::get<std::string>(attribute.value);
      }
    }
    list.push_back(std::move(json));
  }
  return list;
}

Json ToJson(const Footprint& footprint) {
  Json list = Json::array();
  for (const NameUse& use : footprint.names) {
    list.push_back({{"kind", NameOf(use.kind)}, {"name", use.name}, {"how", Words(use.deeds)}});
  }
  return list;
}

Json ToJson(const Namespaces& namespaces) {
  Json json = Json::object();
  for (const auto& kind : kKinds) {
    json[kind.name] = namespaces.*kind.number;
  }
  return json;
}

Namespaces OwnNamespaces() { return NamespacesOf("/proc/self"); }

Namespaces NamespacesOf(const std::string& folder_in_proc) {
  Namespaces namespaces;
  for (const auto& kind : kKinds) {
    struct stat now;
    if (stat(absl::StrCat(folder_in_proc, "/ns/", kind.name).c_str(), &now) == 0) {
      namespaces.*kind.number = now.st_ino;
    }
  }
  return namespaces;
}

Json ToJson(const Isolations& kinds) {
  Json list = Json::array();
  for (const Isolation kind : kIsolationKinds) {
    if (Has(kinds, kind)) {
      list.push_back(NameOf(kind));
    }
  }
  return list;
}

Json ToJson(const std::vector<Executor::Loss>& losses) {
  Json list = Json::array();
  for (const Executor::Loss& loss : losses) {
    const char* error = strerrorname_np(loss.why.error);
    list.push_back({{"kinds", ToJson(loss.kinds)},
                    {"step", StepName(loss.why.step)},
                    {"detail", loss.why.detail},
                    {"errno", error != nullptr ? error : absl::StrCat(loss.why.error)},
                    {"meaning", loss.explanation.meaning},
                    {"remedy", loss.explanation.remedy}});
  }
  return list;
}

std::vector<std::string> KindsThatDiffer(const Namespaces& inside, const Namespaces& outside) {
  std::vector<std::string> kinds;
  for (const auto& kind : kKinds) {
    if (inside.*kind.number != 0 && inside.*kind.number != outside.*kind.number) {
      kinds.emplace_back(kind.name);
    }
  }
  return kinds;
}

}  // namespace isolate::internal
