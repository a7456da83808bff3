#ifndef ISOLATE_INTERNAL_ENTRY_H_
#define ISOLATE_INTERNAL_ENTRY_H_

// The plan by which a test process enters its sandbox, laid out in the runner, and
// what the plan points at.

#include <limits.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "isolate/internal/enter.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/options.h"

namespace isolate::internal {

// The pipes of a task, both ends.
struct TaskPipes {
  FdPair report;
  FdPair out;  // invalid where the streams are the caller's
  FdPair err;  // likewise, and where stderr is merged
};

// The error is that of a SetupFailure.
absl::StatusOr<TaskPipes> MakeTaskPipes(const Options& options);

class Entry {
 public:
  // Lays everything out, for one fork that follows at once: of the working directory,
  // the rights and the descriptors as they are now.
  absl::Status Prepare(const Options& options, const SandboxSupply& supply, const Sandbox& sandbox,
                       const TaskPipes& pipes);

  EnterPlan& plan() { return plan_; }

 private:
  absl::Status RememberDirectory(const SandboxSupply& supply);

  EnterPlan plan_;
  char directory_[PATH_MAX];
  Fd directory_fd_;
  std::vector<int> close_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_ENTRY_H_
