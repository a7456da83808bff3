#include "isolate/internal/auditor.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "isolate/internal/audit_mark.h"
#include "isolate/internal/audited_call.h"
#include "isolate/internal/caller.h"
#include "isolate/internal/sockets.h"

namespace isolate::internal {
namespace {

// From <linux/seccomp.h>, which may be older than the kernel (Linux 6.6): caller and auditor run
// one after the other on the same processor, which takes an eighth of the time.
constexpr unsigned long kSetFlags = _IOW(SECCOMP_IOC_MAGIC, 4, uint64_t);
constexpr unsigned long kSyncWakeUp = 1;

}  // namespace

void Auditor::Begin(int listener, bool calls_once) {
  listener_ = listener;
  rules_.calls_once = calls_once;
  rules_.network = OwnNetwork();
  // Fails where the kernel does not have it; then it takes longer.
  ioctl(listener_, kSetFlags, kSyncWakeUp);
  pid_namespace_ = Caller(getpid()).PidNamespace();
  names_.Begin();
}

void Auditor::End() {
  close(listener_);
  listener_ = -1;
}

void Auditor::Answer() {
  union {
    char room[256];  // a newer kernel's may be larger; all of it has to be 0
    seccomp_notif call;
  } asked = {};
  if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
    return;  // ENOENT: the caller was killed, or interrupted
  }
  const seccomp_notif& call = asked.call;
  seccomp_notif_resp answer = {call.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  const auto thread = static_cast<pid_t>(call.pid);
  const Caller caller(thread);
  if (TakeMark(call.data, thread, caller)) {
    answer.flags = 0;
  } else {
    const uint32_t stretch = StretchOf(thread, caller);
    if (stretch != kNoStretch) {
      names_.SetStretch(stretch);
      AuditedCall(call.data, caller, rules_, names_).Tell(answer);
    }
  }
  ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

bool Auditor::TakeMark(const seccomp_data& call, pid_t thread, const Caller& caller) {
  if (call.nr != SYS_prctl || call.args[3] != token_) {
    return false;
  }
  switch (static_cast<AuditMark>(call.args[1])) {
    case AuditMark::kStretch: {
      const ino_t pid_namespace = caller.PidNamespace();
      const auto number = static_cast<uint32_t>(call.args[2]);
      if (pid_namespace == pid_namespace_) {
        own_stretch_ = number;
        break;
      }
      stretches_[stretch_count_++ % kMaxMarks] = {pid_namespace, number};
      break;
    }
    case AuditMark::kAside:
      aside_[aside_count_++ % kMaxMarks] = thread;
      break;
    case AuditMark::kBack:
      std::replace(aside_, aside_ + std::min(aside_count_, kMaxMarks), thread, pid_t{0});
      break;
  }
  return true;
}

uint32_t Auditor::StretchOf(pid_t thread, const Caller& caller) {
  rules_.within = false;
  pid_t* const aside_end = aside_ + std::min(aside_count_, kMaxMarks);
  if (std::find(aside_, aside_end, thread) != aside_end) {
    return kNoStretch;
  }
  if (stretch_count_ == 0) {
    return own_stretch_;
  }
  const ino_t pid_namespace = caller.PidNamespace();
  // The last mark holds.
  for (size_t i = 1; i <= std::min(stretch_count_, kMaxMarks); ++i) {
    const Stretch& stretch = stretches_[(stretch_count_ - i) % kMaxMarks];
    if (stretch.pid_namespace == pid_namespace) {
      rules_.within = true;
      return stretch.number;
    }
  }
  return own_stretch_;
}

}  // namespace isolate::internal
