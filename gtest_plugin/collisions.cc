#include "gtest_plugin/collisions.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/variant.h"
#include "isolate/footprint.h"
#include "isolate/leak.h"

namespace isolate::gtest {
namespace {

bool IsV6(absl::string_view host) { return absl::StartsWith(host, "["); }

// An attribute of a leak as text; empty where it has none of that name.
std::string AttributeOf(const Leak& leak, absl::string_view name) {
  for (const Leak::Attribute& attribute : leak.attributes) {
    if (attribute.name == name) {
      const auto* number = absl::get_if<int64_t>(&attribute.value);
      return number != nullptr ? absl::StrCat(*number) : absl::get<std::string>(attribute.value);
    }
  }
  return "";
}

// As footprints have it: "[::1]", and 127.0.0.1 where that is mapped into IPv6.
std::string HostOf(absl::string_view address) {
  if (absl::StrContains(address, '.')) {
    return std::string(absl::StripPrefix(address, "::ffff:"));
  }
  return absl::StrCat("[", address, "]");
}

// A leak of these kinds has the name that it has in a footprint.
bool KindOfNameLeft(LeakKind leak, NameKind* kind) {
  switch (leak) {
    case LeakKind::kPort:
      *kind = NameKind::kPort;  // of no number: an abstract unix socket
      return true;
    case LeakKind::kSysv:
      *kind = NameKind::kSysv;
      return true;
    case LeakKind::kPosix:
      *kind = NameKind::kPosix;
      return true;
    case LeakKind::kFile:
      *kind = NameKind::kFile;
      return true;
    case LeakKind::kTimeWait:
    case LeakKind::kProcess:
    case LeakKind::kThread:
    case LeakKind::kDescriptor:
    case LeakKind::kState:
      break;
  }
  return false;
}

}  // namespace

absl::string_view NameOf(Prediction::Effect effect) {
  switch (effect) {
    case Prediction::Effect::kBreaks:
      return "breaks";
    case Prediction::Effect::kIsFound:
      return "is found";
  }
  return "";
}

size_t Collisions::NumberOf(const std::string& test) {
  const auto known = numbers_.emplace(test, tests_.size());
  if (known.second) {
    tests_.push_back(test);
  }
  return known.first->second;
}

void Collisions::Add(const std::string& test, const Footprint& footprint,
                     const std::vector<Leak>& leaks) {
  const size_t number = NumberOf(test);
  if (footprint.untold > 0) {
    untold_.insert(number);
  }
  for (const NameUse& name : footprint.names) {
    if (name.port.has_value()) {
      AddPort(number, name);
      continue;
    }
    Use& use = others_[{name.kind, name.name}][number];
    use.names.insert(name.name);
    use.deeds |= name.deeds;
  }
  for (const Leak& leak : leaks) {
    AddLeak(number, leak);
  }
}

// Nobody counts on a port that the kernel chose, and outside of a sandbox it would choose another.
void Collisions::AddPort(size_t test, const NameUse& name) {
  if (name.port->chosen) {
    return;
  }
  Port& port = ports_[absl::StrCat(name.port->protocol, " ", name.port->number)];
  if (name.port->wildcard) {
    port.any_v4 = port.any_v4 || !IsV6(name.port->host);
    port.any_v6 = port.any_v6 || IsV6(name.port->host);
    port.any = port.any || (IsV6(name.port->host) && !name.port->only_ipv6);
  }
  Use& use = port.by_host[name.port->host][test];
  use.names.insert(name.name);
  use.deeds |= name.deeds;
}

// Only what is known from the footprint, too: what a test left, it used.
void Collisions::AddLeak(size_t test, const Leak& leak) {
  if (leak.kind == LeakKind::kPort || leak.kind == LeakKind::kTimeWait) {
    const auto port =
        ports_.find(absl::StrCat(AttributeOf(leak, "protocol"), " ", AttributeOf(leak, "port")));
    if (port != ports_.end()) {
      const auto host = port->second.by_host.find(HostOf(AttributeOf(leak, "address")));
      const auto use =
          host != port->second.by_host.end() ? host->second.find(test) : Uses::iterator();
      if (host != port->second.by_host.end() && use != host->second.end()) {
        use->second.left = true;
      }
      return;
    }
  }
  NameKind kind;
  if (!KindOfNameLeft(leak.kind, &kind)) {
    return;
  }
  const auto uses = others_.find({kind, leak.name});
  if (uses == others_.end()) {
    return;
  }
  if (const auto use = uses->second.find(test); use != uses->second.end()) {
    use->second.left = true;
  }
}

// Those that meet one another, each under a name for it.
std::map<std::string, Collisions::Uses> Collisions::PartsOf(const Port& port) {
  std::map<std::string, Uses> parts;
  for (const auto& [host, uses] : port.by_host) {
    const bool meets_all = IsV6(host) ? port.any_v6 : port.any_v4;
    std::string part = host;
    if (port.any) {
      part = "all";
    } else if (meets_all) {
      part = IsV6(host) ? "all of IPv6" : "all of IPv4";
    }
    for (const auto& [test, use] : uses) {
      Use& sum = parts[part][test];
      sum.names.insert(use.names.begin(), use.names.end());
      sum.deeds |= use.deeds;
      sum.left = sum.left || use.left;
    }
  }
  return parts;
}

namespace {

constexpr uint32_t kChanges = kBound | kMade | kWritten | kSet;

bool IsPartOf(const Collision& collision, const Collision& other) {
  // Both are in the order in which the tests were added.
  auto next = other.parties.begin();
  return std::all_of(
      collision.parties.begin(), collision.parties.end(), [&](const Collision::Party& party) {
        next = std::find_if(next, other.parties.end(),
                            [&](const Collision::Party& one) { return one.test == party.test; });
        return next != other.parties.end();
      });
}

// Notes for each file below which folder it is met anyway.
void FindFolders(std::vector<Collision>& collisions) {
  absl::flat_hash_map<std::string, const Collision*> files;
  for (const Collision& collision : collisions) {
    if (collision.kind == NameKind::kFile) {
      files.emplace(collision.name, &collision);
    }
  }
  for (Collision& collision : collisions) {
    if (collision.kind != NameKind::kFile) {
      continue;
    }
    for (size_t slash = collision.name.find('/', 1);
         slash != std::string::npos && collision.below.empty();
         slash = collision.name.find('/', slash + 1)) {
      const auto folder = files.find(collision.name.substr(0, slash));
      if (folder != files.end() && IsPartOf(collision, *folder->second)) {
        collision.below = folder->first;
      }
    }
  }
}

}  // namespace

Encounters Collisions::Find() const {
  Encounters found;
  std::set<size_t> colliding;

  const auto predict = [&](NameKind kind, const std::string& name, const Uses& uses,
                           Prediction::Effect effect) {
    Prediction prediction;
    prediction.kind = kind;
    prediction.name = name;
    prediction.effect = effect;
    for (const auto& [test, use] : uses) {
      const bool breaks = (use.deeds & (kBound | kExclusive)) != 0;
      if (use.left) {
        prediction.polluters.push_back(tests_[test]);
      }
      if ((use.deeds & (kBound | kMade)) != 0 &&
          breaks == (effect == Prediction::Effect::kBreaks)) {
        prediction.victims.push_back(tests_[test]);
      }
    }
    if (prediction.polluters.size() == 1) {
      // It does not meet itself.
      auto& victims = prediction.victims;
      victims.erase(std::remove(victims.begin(), victims.end(), prediction.polluters.front()),
                    victims.end());
    }
    if (!prediction.polluters.empty() && !prediction.victims.empty()) {
      found.predictions.push_back(std::move(prediction));
    }
  };
  const auto look = [&](NameKind kind, const std::string& name, const Uses& uses) {
    bool changes = false;
    size_t locks = 0;
    for (const auto& [test, use] : uses) {
      changes = changes || (use.deeds & kChanges) != 0;
      locks += (use.deeds & kLocked) != 0 ? 1 : 0;
    }
    // Who only locks meets others who do; who only removes what nobody makes meets nobody.
    if (uses.size() < 2 || (!changes && locks < 2)) {
      return;
    }
    Collision collision;
    collision.kind = kind;
    collision.name = name;
    for (const auto& [test, use] : uses) {
      colliding.insert(test);
      collision.parties.push_back(
          {tests_[test], std::vector<std::string>(use.names.begin(), use.names.end()), use.deeds});
    }
    found.collisions.push_back(std::move(collision));
    predict(kind, name, uses, Prediction::Effect::kBreaks);
    predict(kind, name, uses, Prediction::Effect::kIsFound);
  };

  for (const auto& [name, port] : ports_) {
    for (const auto& [part, uses] : PartsOf(port)) {
      look(NameKind::kPort, name, uses);
    }
  }
  for (const auto& [name, uses] : others_) {
    look(name.first, name.second, uses);
  }
  FindFolders(found.collisions);
  std::stable_sort(
      found.collisions.begin(), found.collisions.end(), [](const Collision& a, const Collision& b) {
        return a.below.empty() != b.below.empty() ? a.below.empty()
                                                  : a.parties.size() > b.parties.size();
      });
  for (size_t test = 0; test < tests_.size(); ++test) {
    auto& list = colliding.count(test) > 0 ? found.unsafe
                 : untold_.count(test) > 0 ? found.unknown
                                           : found.safe;
    list.push_back(tests_[test]);
  }
  return found;
}

}  // namespace isolate::gtest
