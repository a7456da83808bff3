#ifndef ISOLATE_INTERNAL_AUDITOR_H_
#define ISOLATE_INTERNAL_AUDITOR_H_

// Records the shared names that the processes of a sandbox use.  The kernel asks it before each
// call that may use one (audit_filter.h), in whichever process, statically linked ones, too; it
// looks, and lets the call go on.  Lives in an init.  Raw system calls only.

#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/types.h>

#include <cstdint>

#include "isolate/internal/audited_call.h"
#include "isolate/internal/caller.h"
#include "isolate/internal/frame_channel.h"
#include "isolate/internal/name_teller.h"

namespace isolate::internal {

// What a test process sends to its init, with the listener of its filter (pass_descriptor.h): which
// says whether a call that is being answered can be made a second time (AuditFilter::calls_once).
enum AuditRequest : char { kAudit = 'a', kAuditOnce = 'o' };

class Auditor {
 public:
  // Writes to `channel`, which must outlive it.
  Auditor(uint64_t token, FrameChannel& channel) : token_(token), names_(channel) {}

  // Takes the listener over.
  void Begin(int listener, bool calls_once);

  // Readable when the kernel asks; -1 where it does not.
  int listener() const { return listener_; }

  // Answers the kernel once.  Costs about 8 us, and the caller as much.
  void Answer();

  // Nobody is left who could call.
  void End();

  // Tells what has not been told yet.
  void TellRest() { names_.TellRest(); }

 private:
  struct Stretch {
    ino_t pid_namespace = 0;
    uint32_t number = 0;
  };
  // Of each kind of marks, the last ones are remembered.
  static constexpr size_t kMaxMarks = 64;

  bool TakeMark(const seccomp_data& call, pid_t thread, const Caller& caller);
  uint32_t StretchOf(pid_t thread, const Caller& caller);

  const uint64_t token_;
  NameTeller names_;
  AuditedCall::Rules rules_;
  int listener_ = -1;
  ino_t pid_namespace_ = 0;

  uint32_t own_stretch_ = 0;
  Stretch stretches_[kMaxMarks];  // of pid namespaces within
  size_t stretch_count_ = 0;
  pid_t aside_[kMaxMarks];
  size_t aside_count_ = 0;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_AUDITOR_H_
