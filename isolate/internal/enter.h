#ifndef ISOLATE_INTERNAL_ENTER_H_
#define ISOLATE_INTERNAL_ENTER_H_

// What a test process does between the fork and its first line of the user's
// code: session, working directory, standard streams, rights, descriptors,
// signals.  Only raw system calls; a step that fails goes to the report pipe as
// a frame, and the process ends.

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <type_traits>

#include "isolate/internal/raw.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {

// Laid out in the runner before the fork.
struct EnterPlan {
  int report = -1;  // the report pipe
  int out = -1;     // becomes stdout; -1: the standard streams stay as they are
  int err = -1;     // becomes stderr
  int gate = -1;    // join.h; the child's own: set after the fork

  bool own_session = true;
  bool own_group = false;  // a process group of its own in the caller's session

  // The runner, where nobody else kills the process when that dies; else 0.
  pid_t dies_with = 0;

  // It will execute a program, and no handler of the runner's may run in it before.
  bool executes = false;

  int time_namespace_of = -1;  // pidfd of the init, or -1

  // A socket to the init, which is to record names (auditor.h); -1: it is not.
  int auditor = -1;

  // The working directory by path; checked to be the same one as outside,
  // unless it is a folder that the sandbox makes private.
  bool change_directory = false;
  const char* directory = nullptr;  // null: it has no path; use the descriptor
  int directory_fd = -1;            // O_PATH
  bool check_directory = false;
  dev_t directory_device = 0;
  ino_t directory_inode = 0;

  // Rights to come back to, where the sandbox has a user namespace.
  bool limit_capabilities = false;
  raw::Capabilities capabilities;
  int securebits = 0;
  int dumpable = 1;

  // The most bytes of its own that the process may have; RLIM_INFINITY: leave it.
  rlim_t memory_limit = RLIM_INFINITY;
  bool check_memory = true;  // that there are not more already

  // Descriptors of the runner's machinery.
  const int* close = nullptr;
  size_t close_count = 0;

  sigset_t signal_mask = {};
};
static_assert(std::is_trivially_destructible<EnterPlan>::value,
              "processes that use it end without destructors");

// The exit code of a test process whose set-up failed.
inline constexpr int kNotIsolatedExitCode = 3;

void Enter(const EnterPlan& plan);

// Tells of a failed step on the report pipe, and ends the process.
[[noreturn]] void FailSetup(int report, Step step, const char* detail);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_ENTER_H_
