#ifndef ISOLATE_LEAK_H_
#define ISOLATE_LEAK_H_

// What something that ran in a sandbox left behind.  A sandbox starts empty, so what is there at
// the end is what was left: nothing is compared over time, and nothing is guessed.  Plain values;
// usable in any process, by any thread.
//
// docs/leaks.md says what is seen of each kind, with which attributes, and what is not seen.

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"

namespace isolate {

enum class LeakKind : uint8_t {
  kPort,        // a socket that is bound or listens, of any family
  kTimeWait,    // a TCP port that the kernel holds on to, so that it cannot be bound again
  kSysv,        // a System V shared memory segment, semaphore set or message queue
  kPosix,       // a POSIX message queue, shared memory object or named semaphore
  kProcess,     // a process that lives on, or a child that nobody waited for
  kThread,      // a thread that still runs
  kDescriptor,  // a descriptor that was opened and not closed
  kFile,        // a file in a private folder
  kState,       // something of the process itself that is not as it was, as its working directory
};
inline constexpr LeakKind kLeakKinds[] = {
    LeakKind::kPort,   LeakKind::kTimeWait,   LeakKind::kSysv, LeakKind::kPosix, LeakKind::kProcess,
    LeakKind::kThread, LeakKind::kDescriptor, LeakKind::kFile, LeakKind::kState,
};
inline constexpr size_t kLeakKindCount = sizeof(kLeakKinds) / sizeof(kLeakKinds[0]);

// "ports", "time_wait", "sysv", "posix", "processes", "threads", "fds", "files", "state".
absl::string_view NameOf(LeakKind kind);
absl::optional<LeakKind> LeakKindNamed(absl::string_view name);

// A set of kinds, by their numbers.
using LeakKinds = std::bitset<kLeakKindCount>;
inline LeakKinds AllLeakKinds() { return LeakKinds().set(); }
inline bool Has(const LeakKinds& kinds, LeakKind kind) { return kinds[static_cast<size_t>(kind)]; }

struct Leak {
  struct Attribute {
    std::string name;
    absl::variant<int64_t, std::string> value;
  };

  LeakKind kind = LeakKind::kFile;
  // What it is, in the words of the field: "tcp 127.0.0.1:8080", "/tmp/x", "shm 0x1234".
  std::string name;
  // What helps to mend it: "listening; descriptor 5 of process 2 (server_test)".
  std::string detail;
  // What it would have done to others without the sandbox; empty where that is not known.
  std::string consequence;
  // How many it stands for: more than 1 only where there are too many of a kind to tell of each;
  // the name is "(and more)" then.
  int64_t count = 1;
  // The same as values, for programs.
  std::vector<Attribute> attributes;
  // In which stretch it appeared (Reporter::NextStretch); nothing: that is not known, as the
  // process died.
  absl::optional<uint32_t> stretch;
};

// "tcp 127.0.0.1:8080 (listening; descriptor 5 of process 2 (server_test))"
std::string Describe(const Leak& leak);

}  // namespace isolate

#endif  // ISOLATE_LEAK_H_
