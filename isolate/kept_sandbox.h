#ifndef ISOLATE_KEPT_SANDBOX_H_
#define ISOLATE_KEPT_SANDBOX_H_

// The sandbox of something that failed, kept to be looked at (Options::keep_failed):
//
//   isolate::Executor::Finished finished = executor->WaitAny();
//   if (finished.sandbox != nullptr) {
//     std::cout << "look around with\n  " << finished.sandbox->EnterCommand() << "\n";
//     WaitForEnter();
//   }
//
// What it left running runs on, its files and its network are there, until this is destroyed.
// Lives in the process of the Executor, which must outlive it.

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/sandbox_supply.h"

namespace isolate {

class KeptSandbox {
 public:
  // For the Executor.  `pipes` are the reading ends of what is written in it.
  KeptSandbox(internal::Sandbox sandbox, std::vector<internal::Fd> pipes);

  // Kills all that is in the sandbox.
  ~KeptSandbox() = default;
  KeptSandbox(const KeptSandbox&) = delete;
  KeptSandbox& operator=(const KeptSandbox&) = delete;

  // A command line that starts a shell in it, as the caller's user (nsenter(1), util-linux 2.30).
  // Costs a few reads of /proc.
  std::string EnterCommand() const;

  // Copies what is in its private folders to `folder`, which is made if it is missing: what was in
  // /tmp to FOLDER/tmp.  Files with their holes, folders and symbolic links, with their
  // permissions; nothing that is mounted there.  All that can be copied is; the error is that of
  // the first that could not, and names it.  Costs reading and writing all of it.
  absl::Status CopyFilesTo(const std::string& folder) const;

 private:
  internal::Sandbox sandbox_;
  const std::vector<internal::Fd> pipes_;  // without them, who writes would die of SIGPIPE
};

}  // namespace isolate

#endif  // ISOLATE_KEPT_SANDBOX_H_
