#ifndef ISOLATE_COMMAND_ALIVE_SANDBOXES_H_
#define ISOLATE_COMMAND_ALIVE_SANDBOXES_H_

// The sandboxes that are alive on this machine, as /proc shows them: who made them does not matter.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "isolate/result.h"

namespace isolate::command {

struct AliveProcess {
  pid_t pid = 0;     // as the caller sees it
  pid_t inside = 0;  // as the sandbox does
  std::string command;
  // The test that it runs, Suite.Test, as its runner says or its command line,
  // --gtest_filter=Suite.Test; empty: none that is known.
  std::string test;
  std::string suite;  // of which it runs several tests, as its runner says; empty: of none
};

inline constexpr uint32_t kNoId = static_cast<uint32_t>(-1);

struct AliveSandbox {
  pid_t init = 0;    // as the caller sees it, as all below
  pid_t runner = 0;  // the process that had it made; 0: it cannot be seen
  std::string runner_command;
  uid_t uid = kNoId;  // of the init, and so of who runs it; kNoId: it has ended
  gid_t gid = kNoId;
  absl::Time since;
  Namespaces namespaces;
  std::vector<std::string> kinds;  // of namespaces that are its own
  // What runs in it, but for its init; of a sandbox with no namespace of its own, nothing, as
  // nothing tells it.
  std::vector<AliveProcess> processes;
};

struct AliveSandboxes {
  std::vector<AliveSandbox> sandboxes;  // the oldest first
  size_t hidden = 0;                    // how many more there are that the caller may not look into
};

// Costs a few files of /proc for each process of the machine.
AliveSandboxes FindAliveSandboxes();

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_ALIVE_SANDBOXES_H_
