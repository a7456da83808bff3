#ifndef ISOLATE_FOOTPRINT_H_
#define ISOLATE_FOOTPRINT_H_

// The footprint of something that ran in a sandbox: every shared name that it used, cleaned up or
// not, with which it would meet others outside of one (Options::audit_names).  Plain values; usable
// in any process, by any thread.
//
// docs/footprints.md says which names are seen, how, and which are not.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate {

enum class NameKind : uint8_t {
  kPort,      // an address that a socket was bound to: TCP, UDP and the like, abstract unix, vsock
  kSysv,      // a key of a System V object
  kPosix,     // a POSIX message queue, shared memory object or named semaphore
  kFile,      // the path of a file, folder, FIFO, link or unix socket
  kHostname,  // the host name, or the domain name
};

// "ports", "sysv", "posix", "files", "hostname": where leaks have such a kind, theirs.
absl::string_view NameOf(NameKind kind);

// What was done with a name; several, as bits.
enum NameDeeds : uint32_t {
  kBound = 1,    // a socket got it
  kMade = 2,     // it was not there, and then it was
  kWritten = 4,  // it was there, and opened for writing, truncated or replaced
  kRemoved = 8,  // removed or renamed, or that was tried
  kLocked = 16,  // flock(2), fcntl(2)
  kUsed = 32,    // it was there, made by somebody else, and opened
  kSet = 64,     // of the host name
  // Beside kMade: in a way that fails where it is there, and is meant to (O_EXCL, IPC_EXCL, link(2)
  // and the like; not of folders).
  kExclusive = 128,
};

// "bound", "made", ... without kExclusive.
std::vector<absl::string_view> Words(uint32_t deeds);

struct NameUse {
  // Of kPort, but for unix sockets: what decides whether two of them meet.
  struct Port {
    std::string protocol;    // "tcp"
    std::string host;        // "127.0.0.1", "[::1]"
    int number = 0;          // in the host's order
    bool wildcard = false;   // 0.0.0.0 or ::
    bool only_ipv6 = false;  // IPV6_V6ONLY
    bool chosen = false;     // by the kernel: port 0 was asked for
  };

  NameKind kind = NameKind::kFile;
  std::string name;    // as leaks have it: "tcp 127.0.0.1:8080", "shm 0x1234", "mq /x", "/tmp/x"
  uint32_t deeds = 0;  // of NameDeeds
  absl::optional<Port> port;
  // In which stretch (Reporter::NextStretch).
  uint32_t stretch = 0;
};

// "tcp 127.0.0.1:8080 (bound)"
std::string Describe(const NameUse& use);

struct Footprint {
  std::vector<NameUse> names;  // by stretch, kind and name; each once in a stretch
  // How many calls used names that could not be told: a process hid its memory, or there were too
  // many.
  int64_t untold = 0;
};

}  // namespace isolate

#endif  // ISOLATE_FOOTPRINT_H_
