#ifndef TESTS_SANDBOX_SECCOMP_H_
#define TESTS_SANDBOX_SECCOMP_H_

// Makes the kernel refuse one system call to the calling process and to all
// that come from it, as a container's profile does.

#include <cstdint>

namespace isolate {

struct Refusal {
  long system_call;
  // An errno, or kKill: the process dies of SIGSYS.
  int error;
  // Refused only where the low 32 bits of this argument, masked, have a value.
  int argument = 0;
  uint32_t mask = 0;
  uint32_t value = 0;
};
inline constexpr int kKill = -1;

// False where filters cannot be had.
bool Install(const Refusal& refusal);

}  // namespace isolate

#endif  // TESTS_SANDBOX_SECCOMP_H_
