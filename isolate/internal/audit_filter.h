#ifndef ISOLATE_INTERNAL_AUDIT_FILTER_H_
#define ISOLATE_INTERNAL_AUDIT_FILTER_H_

// The filter that has the kernel ask before a system call that uses a shared name (auditor.h).  Raw
// system calls only.

namespace isolate::internal {

struct AuditFilter {
  // Where the kernel asks, close-on-exec; or -1 and errno.
  int listener = -1;
  // A call that is being answered is interrupted by a signal that kills only, so it is not made
  // twice (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19).
  bool calls_once = false;
};

// Installs it for the calling thread and for what that forks and executes from then on.  Calls that
// it does not ask about cost what they did: the kernel keeps a bitmap of those that a filter always
// allows (Linux 5.11), and open, openat, fcntl, prctl and the like a few nanoseconds.
//
// Needs CAP_SYS_ADMIN in the caller's user namespace: without, it would take no_new_privs, which
// changes what a set-uid program is (seccomp(2)).  EBUSY: there is such a filter around already.
// Linux 5.5 (SECCOMP_USER_NOTIF_FLAG_CONTINUE).
AuditFilter InstallAuditFilter();

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_AUDIT_FILTER_H_
