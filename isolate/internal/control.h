#ifndef ISOLATE_INTERNAL_CONTROL_H_
#define ISOLATE_INTERNAL_CONTROL_H_

// The control socket between the runner and its helper with the helper's inits:
// one SOCK_SEQPACKET pair, whose far end the helper and the inits that are not
// ready yet share.  The runner sends requests; a request is answered by one
// ControlMessage, in any order.

#include <cstdint>
#include <type_traits>

#include "isolate/internal/step_log.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {

// Helper or init to runner.
struct ControlMessage {
  bool ready = false;
  // If ready: the message carries Handles (SCM_RIGHTS).
  Namespaces namespaces;
  bool in_user_namespace = false;
  int64_t files = -1;  // how many it begins with (PostMortem::Begin)
  StepLog steps;
  // If not ready: what failed, and on which mount operation (-1: none).
  Step step = Step::kForkHelper;
  int error = 0;
  int mount_op = -1;
  int namespaces_refused = 0;  // of kCloneInit: CLONE_NEW*, each of which alone is refused, too
};
static_assert(std::is_trivially_copyable<ControlMessage>::value, "it is sent as bytes");

// What a sandbox is reached by; the first two are valid, or all are -1.
struct Handles {
  int init = -1;         // pidfd
  int root = -1;         // O_PATH: the init's root directory
  int post_mortem = -1;  // a stream socket to the init; not where it has nothing to look for
  int queues = -1;  // the folder of the POSIX message queues; with post_mortem alone, if at all
};

// Sends `message`, with `handles` if they are valid.  Fit for the helper and the
// inits.  Returns 0, or -1 and errno.
int SendControl(int socket, const ControlMessage& message, const Handles& handles);

// Takes the next message, without waiting; `handles` are -1 where none came.
// Returns 1, or 0 at the end of the stream, or -1 and errno.
int ReceiveControl(int socket, ControlMessage* message, Handles* handles);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_CONTROL_H_
