#ifndef ISOLATE_INTERNAL_AUDITOR_H_
#define ISOLATE_INTERNAL_AUDITOR_H_

// Records the shared names that the processes of a sandbox use.  The kernel asks it before each
// call that may use one (audit_filter.h), in whichever process, statically linked ones, too; it
// looks, and lets the call go on.  Lives in an init.  Raw system calls only.
//
// What it cannot know is whether a call that goes on will succeed: so it tells of those that have
// no reason to fail.  bind(2) of IPv4 and IPv6 it makes itself, on a copy of the socket, and so
// knows how that went, and which port the kernel chose.

#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/types.h>

#include <cstdint>

#include "isolate/internal/caller.h"
#include "isolate/internal/frame_channel.h"
#include "isolate/internal/name_record.h"
#include "isolate/internal/record_writer.h"

namespace isolate::internal {

// What a test process sends to its init, with the listener of its filter (pass_descriptor.h): which
// says whether a call that is being answered can be made a second time (AuditFilter::calls_once).
enum AuditRequest : char { kAudit = 'a', kAuditOnce = 'o' };

class Auditor {
 public:
  // Writes to `channel`, which must outlive it.
  Auditor(uint64_t token, FrameChannel& channel) : token_(token), channel_(channel) {}

  // Takes the listener over.
  void Begin(int listener, bool calls_once);

  // Readable when the kernel asks; -1 where it does not.
  int listener() const { return listener_; }

  // Answers the kernel once.  Costs about 8 us, and the caller as much.
  void Answer();

  // Nobody is left who could call.
  void End();

  // Tells what has not been told yet.
  void TellRest();

 private:
  struct Stretch {
    ino_t pid_namespace = 0;
    uint32_t number = 0;
  };
  // Of each kind of marks, the last ones are remembered.
  static constexpr size_t kMaxMarks = 64;

  bool TakeMark(const seccomp_data& call, pid_t thread, const Caller& caller);
  uint32_t StretchOf(pid_t thread, const Caller& caller);
  void Look(const seccomp_data& call, const Caller& caller, seccomp_notif_resp& answer);

  void LookAtOpen(const Caller& caller, int folder, uint64_t path, uint64_t flags);
  void LookAtMaking(const Caller& caller, int folder, uint64_t path, bool exclusive);
  void LookAtRemoval(const Caller& caller, int folder, uint64_t path);
  void LookAtRename(const Caller& caller, int from_folder, uint64_t from, int to_folder,
                    uint64_t to, unsigned flags);
  void LookAtTruncation(const Caller& caller, uint64_t path);
  void LookAtLock(const Caller& caller, int descriptor);
  void LookAtBind(const Caller& caller, const seccomp_data& call, seccomp_notif_resp& answer);
  void LookAtInternetBind(const Caller& caller, const seccomp_data& call, void* address,
                          socklen_t size, seccomp_notif_resp& answer);
  void LookAtKey(const char* type, uint64_t key, uint64_t flags, bool exists);
  void LookAtQueue(const Caller& caller, uint64_t name, int flags);

  bool Resolve(const Caller& caller, int folder, uint64_t path, bool follow);
  void TellPlace(uint32_t deeds);
  RecordWriter& Begin(NameType type, uint32_t deeds);
  void TellRecord();

  const uint64_t token_;
  FrameChannel& channel_;
  int listener_ = -1;
  bool calls_once_ = false;
  uint64_t network_ = 0;  // sockets.h
  ino_t pid_namespace_ = 0;

  uint32_t own_stretch_ = 0;
  Stretch stretches_[kMaxMarks];  // of pid namespaces within
  size_t stretch_count_ = 0;
  pid_t aside_[kMaxMarks];
  size_t aside_count_ = 0;

  // Of the call that is being looked at.
  uint32_t stretch_ = 0;
  bool within_ = false;  // its caller is in a sandbox within this one, whose calls are marked
  Place place_;
  RecordWriter record_;

  uint64_t* seen_ = nullptr;  // hashes of records, each where its low bits say
  uint32_t told_ = 0;
  uint32_t untold_ = 0;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_AUDITOR_H_
