#ifndef ISOLATE_ISOLATION_H_
#define ISOLATE_ISOLATION_H_

// From what a sandbox keeps apart: the kinds of isolation, by which Options::preferred says which
// of them may be done without, and Result::isolation which of them there were.  Plain values;
// usable in any process, by any thread.

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate {

enum class Isolation : uint8_t {
  kPid,      // processes, with a fresh /proc
  kNetwork,  // ports, interfaces, abstract unix sockets; a loopback interface, if one is wanted
  kSys,      // a fresh /sys, which shows the sandbox's network
  kIpc,      // System V objects and POSIX message queues
  kMqueue,   // a fresh /dev/mqueue, which shows the sandbox's queues
  kUts,      // the host name
  kMount,    // private folders, and mounts
  kCgroup,   // what /proc/PID/cgroup shows
};
inline constexpr Isolation kIsolationKinds[] = {
    Isolation::kPid,    Isolation::kNetwork, Isolation::kSys,   Isolation::kIpc,
    Isolation::kMqueue, Isolation::kUts,     Isolation::kMount, Isolation::kCgroup,
};
inline constexpr size_t kIsolationCount = sizeof(kIsolationKinds) / sizeof(kIsolationKinds[0]);

// "pid", "network", "sys", "ipc", "mqueue", "uts", "mount", "cgroup".
absl::string_view NameOf(Isolation kind);
absl::optional<Isolation> IsolationNamed(absl::string_view name);

// A set of kinds, by their numbers.
using Isolations = std::bitset<kIsolationCount>;
inline Isolations AllIsolations() { return Isolations().set(); }
inline bool Has(const Isolations& kinds, Isolation kind) {
  return kinds[static_cast<size_t>(kind)];
}
inline void Add(Isolation kind, Isolations& kinds) { kinds[static_cast<size_t>(kind)] = true; }
inline void Remove(Isolation kind, Isolations& kinds) { kinds[static_cast<size_t>(kind)] = false; }

// The kinds, and those that cannot be had without them: without "mount" there is no "pid", "sys" or
// "mqueue", without "network" no "sys", without "ipc" no "mqueue".
Isolations WithDependents(Isolations kinds);

// "pid,network", in the enum's order; "none" where there is none.
std::string NamesOf(const Isolations& kinds);

// The reverse of it, with "all" for all of them.  Nothing for what names something else.
absl::optional<Isolations> IsolationsNamed(absl::string_view names);

// "none, all, or some of pid, network, ...": what is right where IsolationsNamed gives nothing.
std::string RightIsolations();

}  // namespace isolate

#endif  // ISOLATE_ISOLATION_H_
