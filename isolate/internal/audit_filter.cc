#include "isolate/internal/audit_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <initializer_list>

#include "isolate/internal/audit_mark.h"

namespace isolate::internal {
namespace {

// What the kernel's headers may be too old for.
constexpr unsigned long kWaitKillable = 1UL << 5;

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "The architecture's AUDIT_ARCH_ constant is to be named here."
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the low half of an argument is at its beginning");

// A program for the kernel's filter machine (seccomp(2)), which looks at a seccomp_data.
class Program {
 public:
  Program() {
    Load(offsetof(seccomp_data, arch));
    Add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
    Return(SECCOMP_RET_ALLOW);
    Load(offsetof(seccomp_data, nr));
  }

  void Ask(long call) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1);
    Return(SECCOMP_RET_USER_NOTIF);
  }

  // Where the argument has one of these bits.
  void AskIfBits(long call, int argument, uint32_t bits) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 4);
    LoadArgument(argument);
    Add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    Return(SECCOMP_RET_USER_NOTIF);
    Return(SECCOMP_RET_ALLOW);
  }

  // Where it is one of these values.
  template <size_t count>
  void AskIfOneOf(long call, int argument, const uint32_t (&values)[count]) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, count + 3);
    LoadArgument(argument);
    for (size_t i = 0; i < count; ++i) {
      Add(BPF_JMP | BPF_JEQ | BPF_K, values[i], static_cast<uint8_t>(count - i), 0);
    }
    Return(SECCOMP_RET_ALLOW);
    Return(SECCOMP_RET_USER_NOTIF);
  }

  void End() { Return(SECCOMP_RET_ALLOW); }

  sock_fprog program() { return {size_, instructions_}; }

 private:
  void Add(int code, uint32_t value, uint8_t if_true, uint8_t if_false) {
    instructions_[size_++] = {static_cast<uint16_t>(code), if_true, if_false, value};
  }
  void Load(size_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset), 0, 0); }
  void LoadArgument(int argument) {
    Load(offsetof(seccomp_data, args) + static_cast<size_t>(argument) * sizeof(uint64_t));
  }
  void Return(uint32_t action) { Add(BPF_RET | BPF_K, action, 0, 0); }

  uint16_t size_ = 0;
  sock_filter instructions_[192];
};

void AddCalls(Program& program) {
  constexpr uint32_t kMayWrite = O_CREAT | O_WRONLY | O_RDWR | O_TRUNC;
  static constexpr uint32_t kLocks[] = {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW};
  static constexpr uint32_t kMarks[] = {kAuditOption};
  program.AskIfBits(SYS_openat, 2, kMayWrite);
  program.AskIfOneOf(SYS_fcntl, 1, kLocks);
  program.AskIfOneOf(SYS_prctl, 0, kMarks);
  // Not of IPC_PRIVATE, which is no name.
  for (const long call : {SYS_shmget, SYS_semget, SYS_msgget}) {
    program.AskIfBits(call, 0, ~uint32_t{0});
  }
  for (const long call : {SYS_bind, SYS_flock, SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat,
                          SYS_renameat2, SYS_unlinkat, SYS_truncate, SYS_mq_open, SYS_mq_unlink,
                          SYS_openat2, SYS_sethostname, SYS_setdomainname}) {
    program.Ask(call);
  }
#ifdef SYS_renameat
  program.Ask(SYS_renameat);
#endif
#ifdef SYS_open  // and what else newer architectures do not have
  program.AskIfBits(SYS_open, 1, kMayWrite);
  for (const long call : {SYS_creat, SYS_mkdir, SYS_mknod, SYS_symlink, SYS_link, SYS_rename,
                          SYS_unlink, SYS_rmdir}) {
    program.Ask(call);
  }
#endif
  program.End();
}

int Install(sock_fprog program, unsigned long flags) {
  // close-on-exec by itself (seccomp(2)).
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                  SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program));
}

}  // namespace

AuditFilter InstallAuditFilter() {
  Program program;
  AddCalls(program);
  AuditFilter filter;
  filter.listener = Install(program.program(), kWaitKillable);
  filter.calls_once = filter.listener >= 0;
  if (filter.listener < 0 && errno == EINVAL) {
    filter.listener = Install(program.program(), 0);
  }
  return filter;
}

}  // namespace isolate::internal
