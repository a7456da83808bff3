#ifndef ISOLATE_INTERNAL_AUDITED_CALL_H_
#define ISOLATE_INTERNAL_AUDITED_CALL_H_

// A system call before which the kernel asks, and the shared names that it uses.  Lives in an init.
// Raw system calls only.
//
// What cannot be known is whether a call that goes on will succeed: so it tells of those that have
// no reason to fail.  bind(2) of IPv4 and IPv6 it makes itself, on a copy of the socket, and so
// knows how that went, and which port the kernel chose.

#include <linux/seccomp.h>
#include <sys/socket.h>

#include <cstdint>

#include "isolate/internal/caller.h"
#include "isolate/internal/name_teller.h"

namespace isolate::internal {

class AuditedCall {
 public:
  struct Rules {
    // It can be made in the caller's place, as nothing makes it a second time
    // (AuditFilter::calls_once).
    bool calls_once = false;
    uint64_t network = 0;  // of the sandbox (sockets.h)
    // The caller is in a sandbox within this one, whose names are told, too.
    bool within = false;
  };

  // All must outlive it.
  AuditedCall(const seccomp_data& call, const Caller& caller, const Rules& rules, NameTeller& names)
      : call_(call), caller_(caller), rules_(rules), names_(names) {}

  // Tells of the names; `answer` becomes the call's result where it has been made.
  void Tell(seccomp_notif_resp& answer);

 private:
  void LookAtOpen(int folder, uint64_t path, uint64_t flags);
  void LookAtMaking(int folder, uint64_t path, bool exclusive);
  void LookAtRemoval(int folder, uint64_t path);
  void LookAtRename(int from_folder, uint64_t from, int to_folder, uint64_t to, unsigned flags);
  void LookAtTruncation(uint64_t path);
  void LookAtLock(int descriptor);
  void LookAtBind(seccomp_notif_resp& answer);
  void LookAtInternetBind(void* address, socklen_t size, seccomp_notif_resp& answer);
  void LookAtKey(const char* type, uint64_t key, uint64_t flags, bool exists);
  void LookAtQueue(uint64_t name, int flags);

  bool Resolve(int folder, uint64_t path, bool follow);
  void TellPlace(uint32_t deeds);

  const seccomp_data& call_;
  const Caller& caller_;
  const Rules& rules_;
  NameTeller& names_;
  Place place_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_AUDITED_CALL_H_
