#ifndef ISOLATE_INTERNAL_HELPER_H_
#define ISOLATE_INTERNAL_HELPER_H_

// The helper: a process that the runner forks early, while it is small, and
// that makes sandboxes from then on.  It stays in a user namespace and a mount
// namespace of its own where those are needed, so that what all sandboxes have
// in common is made once.

#include <sys/types.h>

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/sandbox_plan.h"

namespace isolate::internal {

// The runner's hold on its helper.  Lives in the runner.
class Helper {
 public:
  // Forks the helper.  `plan` and what it points at must stay as they are
  // until then.  `own_program`: it is to have a program of its own (maker_program.h) where that can
  // be had.  Unavailable or ResourceExhausted, with a SetupFailure, where
  // the process cannot be had; what fails in the helper comes as a
  // ControlMessage.
  static absl::StatusOr<Helper> Start(const HelperPlan& plan, bool own_program);

  Helper(Helper&&) = default;
  Helper& operator=(Helper&&) = delete;

  ~Helper() { Stop({}); }

  // Ends the helper and every sandbox that it made, and waits until they are
  // gone.  `pid_namespaces` are those of the sandboxes: children of the caller in
  // one of them would keep its init from ending, and are waited for, too.
  void Stop(const absl::flat_hash_set<ino_t>& pid_namespaces);

  // The runner's end of the control socket.
  int control() const { return control_.get(); }

  // Whether it has let go of its end of the socket: it has ended, or is about to, and every sandbox
  // that it made with it.
  bool IsGone() const;

  // Asks for one more sandbox, which comes as a ControlMessage, or the end of the stream if the
  // helper is gone.
  void Request();

 private:
  Helper(pid_t pid, Fd process, Fd control, Fd requests)
      : pid_(pid),
        process_(std::move(process)),
        control_(std::move(control)),
        requests_(std::move(requests)) {}

  pid_t pid_;
  Fd process_;  // pidfd
  Fd control_;
  Fd requests_;  // an eventfd: how many sandboxes to make
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_HELPER_H_
