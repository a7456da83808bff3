#include "isolate/internal/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "isolate/internal/audit_filter.h"
#include "isolate/internal/auditor.h"
#include "isolate/internal/join.h"
#include "isolate/internal/pass_descriptor.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/wire.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

char* PutU32(char* to, uint32_t value) {
  for (int i = 0; i < 4; ++i) {
    *to++ = static_cast<char>(value >> (8 * i));
  }
  return to;
}

[[noreturn]] void Fail(const EnterPlan& plan, Step step, const char* detail) {
  WaitAtGate(plan.gate);
  FailSetup(plan.report, step, detail);
}

void ChangeDirectory(const EnterPlan& plan) {
  if (!plan.change_directory) {
    return;
  }
  if (plan.directory == nullptr) {
    if (fchdir(plan.directory_fd) != 0) {
      Fail(plan, Step::kWorkingDirectory, "");
    }
    return;
  }
  struct stat now;
  if (chdir(plan.directory) != 0 || stat(".", &now) != 0) {
    Fail(plan, Step::kWorkingDirectory, plan.directory);
  }
  if (plan.check_directory &&
      (now.st_dev != plan.directory_device || now.st_ino != plan.directory_inode)) {
    errno = ENOENT;  // another folder of that name
    Fail(plan, Step::kWorkingDirectory, plan.directory);
  }
}

// A session of its own: kill(0, ...) must not reach the runner and the other tests, and the group's
// id must mean something inside.
void BeginSession(const EnterPlan& plan) {
  if ((plan.own_session && setsid() < 0) || (plan.own_group && setpgid(0, 0) != 0)) {
    Fail(plan, Step::kSession, "");
  }
}

void SetStandardStreams(const EnterPlan& plan) {
  if (plan.out < 0) {
    return;
  }
  // It may be descriptor 0 already, which dup2 would leave as it is: not
  // close-on-exec.
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(plan.out, 1) < 0 || dup2(plan.err, 2) < 0) {
    Fail(plan, Step::kStandardStreams, "");
  }
  if (null > 2) {
    close(null);
  }
}

// While there is a right to, which in a user namespace is soon given up.
void BeginAudit(const EnterPlan& plan) {
  if (plan.auditor < 0) {
    return;
  }
  const AuditFilter filter = InstallAuditFilter();
  const char request = filter.calls_once ? kAuditOnce : kAudit;
  if (filter.listener < 0 ||
      SendWithDescriptors(plan.auditor, &request, sizeof(request), &filter.listener, 1) < 0) {
    Fail(plan, Step::kAuditFilter, "");
  }
  close(filter.listener);
}

void LimitRights(const EnterPlan& plan) {
  if (!plan.limit_capabilities) {
    return;
  }
  // Joining a user namespace clears them (capabilities(7)); with SECBIT_NOROOT
  // cleared, root would gain rights when it executes a program.
  if ((plan.securebits != 0 && prctl(PR_SET_SECUREBITS, plan.securebits, 0, 0, 0) != 0) ||
      raw::LimitCapabilities(plan.capabilities) != 0) {
    Fail(plan, Step::kCapabilities, "");
  }
  // Joining a user namespace makes a process not dumpable; then its own /proc
  // files are closed to it, and it leaves no core (proc(5)).
  prctl(PR_SET_DUMPABLE, plan.dumpable, 0, 0, 0);
}

// As execve(2) will do, but while signals are still blocked.
void ResetHandlers(const EnterPlan& plan) {
  for (int signal = 1; plan.executes && signal < NSIG; ++signal) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      ::signal(signal, SIG_DFL);
    }
  }
}

// At the gate its parent has become the runner: a parent's end before that would kill, too.  A
// change of rights would clear it (prctl(2)).
void DieWithRunner(const EnterPlan& plan) {
  if (plan.dies_with == 0) {
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != plan.dies_with) {
    raw::Exit(1);
  }
}

// What a process needs for anything at all; glibc's malloc asks for no less.
constexpr size_t kRoom = size_t{128} << 10;

void LimitMemory(const EnterPlan& plan) {
  if (plan.memory_limit == RLIM_INFINITY) {
    return;
  }
  rlimit limit;
  if (getrlimit(RLIMIT_DATA, &limit) != 0) {
    Fail(plan, Step::kMemoryLimit, "");
  }
  limit.rlim_cur = std::min(plan.memory_limit, limit.rlim_cur);
  if (setrlimit(RLIMIT_DATA, &limit) != 0) {
    Fail(plan, Step::kMemoryLimit, "");
  }
  if (!plan.check_memory) {
    return;
  }
  // The kernel takes a limit that is below what there is.
  void* const more =
      mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (more == MAP_FAILED) {
    Fail(plan, Step::kMemoryLimit, "");
  }
  munmap(more, kRoom);
}

}  // namespace

void FailSetup(int report, Step step, const char* detail) {
  const int error = errno;
  const size_t size = strlen(detail);
  char fields[12];
  PutU32(PutU32(PutU32(fields, static_cast<uint32_t>(step)), static_cast<uint32_t>(error)),
         static_cast<uint32_t>(size));
  const auto header = FrameHeader(Tag::kSetupFailure, sizeof(fields) + size);
  raw::WriteAll(report, header.data(), header.size());
  raw::WriteAll(report, fields, sizeof(fields));
  raw::WriteAll(report, detail, size);
  raw::Exit(kNotIsolatedExitCode);
}

void Enter(const EnterPlan& plan) {
  if (plan.time_namespace_of >= 0 && raw::Setns(plan.time_namespace_of, CLONE_NEWTIME) != 0) {
    Fail(plan, Step::kJoinTime, "");
  }
  BeginSession(plan);
  ChangeDirectory(plan);
  SetStandardStreams(plan);
  BeginAudit(plan);
  LimitRights(plan);
  for (size_t i = 0; i < plan.close_count; ++i) {
    // The gate was made later, and may have the number of what another thread has closed since.
    if (plan.close[i] != plan.gate) {
      close(plan.close[i]);
    }
  }
  LimitMemory(plan);
  ResetHandlers(plan);
  WaitAtGate(plan.gate);
  DieWithRunner(plan);
  sigprocmask(SIG_SETMASK, &plan.signal_mask, nullptr);
}

}  // namespace isolate::internal
