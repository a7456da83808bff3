#include "isolate/internal/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/sandbox_supply.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {

namespace {

// The controlling terminal.  A process without one has no /dev/tty (ENXIO, tty(4)).
Fd OpenTerminal() { return Fd(open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)); }

}  // namespace

absl::StatusOr<TaskPipes> MakeTaskPipes(const Options& options) {
  TaskPipes pipes;
  for (FdPair* pair : {&pipes.report, &pipes.out, &pipes.err}) {
    if ((pair != &pipes.report && options.streams == Streams::kInherited) ||
        (pair == &pipes.err && options.merge_stderr)) {
      continue;
    }
    *pair = MakePipe();
    if (!pair->valid()) {
      return ToStatus({Step::kStandardStreams, errno, ""});
    }
  }
  return pipes;
}

absl::Status Entry::Prepare(const Options& options, const SandboxSupply& supply,
                            const Sandbox& sandbox, const TaskPipes& pipes) {
  plan_.report = pipes.report.theirs.get();
  plan_.out = pipes.out.theirs.get();
  plan_.err = options.merge_stderr ? plan_.out : pipes.err.theirs.get();
  const Fd terminal = options.streams == Streams::kInherited ? OpenTerminal() : Fd();
  plan_.own_session = !terminal.valid();
  // In a pid namespace the group outside is 0, as is that in the foreground: a shell in it would
  // take one for the other.
  plan_.own_group = terminal.valid() && tcgetpgrp(terminal.get()) != getpgrp();
  // The kernel would kill it with the thread that forked it, too.
  if (!options.pid_namespace && gettid() == getpid()) {
    plan_.dies_with = getpid();
  }
  if (supply.audit_token() != 0) {
    plan_.auditor = sandbox.post_mortem();
  }
  if (options.memory_limit_bytes > 0) {
    plan_.memory_limit = static_cast<rlim_t>(options.memory_limit_bytes);
  }
  if (options.time_offset.has_value()) {
    plan_.time_namespace_of = sandbox.init();
  }
  if (options.mount_namespace) {
    if (absl::Status status = RememberDirectory(supply); !status.ok()) {
      return status;
    }
  }
  if (sandbox.in_user_namespace()) {
    plan_.limit_capabilities = true;
    plan_.dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    plan_.securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (raw::GetCapabilities(&plan_.capabilities) != 0) {
      return absl::ErrnoToStatus(errno, "cannot read the capabilities");
    }
  }
  // All of the machinery's, of this executor and of others; two are for the test
  // process itself.
  close_ = OwnedDescriptors();
  close_.erase(std::remove_if(close_.begin(), close_.end(),
                              [&](int fd) { return fd == plan_.report || fd == plan_.out; }),
               close_.end());
  plan_.close = close_.data();
  plan_.close_count = close_.size();
  return absl::OkStatus();
}

absl::Status Entry::RememberDirectory(const SandboxSupply& supply) {
  plan_.change_directory = true;
  directory_fd_ = AboveStandardStreams(Fd(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  if (!directory_fd_.valid()) {
    return ToStatus({Step::kWorkingDirectory, errno, "."});
  }
  plan_.directory_fd = directory_fd_.get();
  struct stat now;
  // A folder that was removed has no path any more, and can still be worked in.
  if (getcwd(directory_, sizeof(directory_)) == nullptr || fstat(directory_fd_.get(), &now) != 0) {
    return absl::OkStatus();
  }
  plan_.directory = directory_;
  plan_.check_directory = !supply.IsPrivate(directory_);
  plan_.directory_device = now.st_dev;
  plan_.directory_inode = now.st_ino;
  return absl::OkStatus();
}

}  // namespace isolate::internal
