#ifndef ISOLATE_INTERNAL_AUDIT_MARK_H_
#define ISOLATE_INTERNAL_AUDIT_MARK_H_

// How a process whose names are recorded (auditor.h) says whose they are.  A mark is a call of
// prctl(2) that no kernel knows, which the sandbox's filter sends to the auditor: so it has its
// place in the order of the calls.  Where nothing is recorded, nothing is called.

#include <cstdint>

namespace isolate::internal {

// prctl(kAuditOption, AuditMark, number, token)
inline constexpr int kAuditOption = 0x15'01a7e;
enum class AuditMark : uint32_t {
  kStretch = 1,  // from now on names belong to stretch `number`, of the caller's pid namespace
  kAside = 2,    // what the calling thread does from now on is not the test's
  kBack = 3,     // now it is again
};
// The names that no test is to have.
inline constexpr uint32_t kNoStretch = ~uint32_t{0};

// Tells the auditor's sandbox from another around or within it; 0: nothing is recorded.  Inherited
// by forks; not for several threads.
void SetAuditToken(uint64_t token);
uint64_t AuditToken();

void MarkStretch(uint32_t stretch);

// What this thread does is ours, and not the test's.
class ScopedAside {
 public:
  ScopedAside();
  ~ScopedAside();
  ScopedAside(const ScopedAside&) = delete;
  ScopedAside& operator=(const ScopedAside&) = delete;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_AUDIT_MARK_H_
