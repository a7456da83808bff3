#ifndef ISOLATE_INTERNAL_SANDBOX_SUPPLY_H_
#define ISOLATE_INTERNAL_SANDBOX_SUPPLY_H_

// Sandboxes made ahead, in the runner's hands.

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "isolate/internal/control.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/helper.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/internal/sandbox_plan.h"
#include "isolate/options.h"
#include "isolate/result.h"

namespace isolate::internal {

// One sandbox, alive.  Killed with all that is in it when this is destroyed.
class Sandbox {
 public:
  // `tmpfs_folders` must outlive it.
  Sandbox(Fd init, Fd root, Fd post_mortem, Fd queues, const ControlMessage& message,
          const std::vector<std::string>& tmpfs_folders, std::vector<StepTime> set_up)
      : init_(std::move(init)),
        root_(std::move(root)),
        post_mortem_(std::move(post_mortem)),
        queues_(std::move(queues)),
        namespaces_(message.namespaces),
        in_user_namespace_(message.in_user_namespace),
        files_(message.files),
        tmpfs_folders_(tmpfs_folders) {
    times_.set_up = std::move(set_up);
  }
  Sandbox(Sandbox&&) = default;
  Sandbox& operator=(Sandbox&&) = delete;
  ~Sandbox() { Kill(); }

  // A pidfd of the init.  Readable when the init is gone, and that is when
  // everything in the sandbox is gone (pid_namespaces(7)).
  int init() const { return init_.get(); }
  // Its root directory, as a descriptor (O_PATH).
  int root() const { return root_.get(); }
  // Where its init, when it is sent a byte, tells what was left (post_mortem.h), and before that
  // which names were used (auditor.h); -1 where it does neither.
  int post_mortem() const { return post_mortem_.get(); }
  // The folder of its POSIX message queues; -1 where it has none, or nothing is looked for.
  int queues() const { return queues_.get(); }
  const Namespaces& namespaces() const { return namespaces_; }
  bool in_user_namespace() const { return in_user_namespace_; }
  // How many files it began with (PostMortem::Begin).
  int64_t files() const { return files_; }
  // The folders in it with a tmpfs of its own.
  const std::vector<std::string>& tmpfs_folders() const { return tmpfs_folders_; }

  // For whoever uses it to note what happens.
  Times& times() { return times_; }

  // Kills the init, and with it the rest; does not wait.
  void Kill();

 private:
  Fd init_;
  Fd root_;
  Fd post_mortem_;
  Fd queues_;
  Namespaces namespaces_;
  bool in_user_namespace_;
  int64_t files_;
  const std::vector<std::string>& tmpfs_folders_;
  Times times_;
};

class SandboxSupply {
 public:
  // As Executor::Create.
  static absl::StatusOr<std::unique_ptr<SandboxSupply>> Create(const Options& options, int ready);

  // Kills every sandbox that is left, and waits until none is.
  ~SandboxSupply();

  // The next sandbox.  Where the host has no namespace for it, but had for others, waits for as
  // long as `patience`: the kernel takes a network namespace apart in its own time, with all others
  // that have ended in the meantime (cleanup_net in net/core/net_namespace.c), and until then it
  // counts (/proc/sys/user, namespaces(7)).
  absl::StatusOr<Sandbox> Take(absl::Duration patience);

  // Orders what was taken anew.  Apart from Take: what the kernel does for a sandbox would be in
  // the way of a fork.
  void Replenish();

  // CLONE_NEW* of every sandbox, without CLONE_NEWUSER and CLONE_NEWTIME.
  int namespaces() const { return plan_.sandbox.namespaces; }
  const std::string& scratch() const { return scratch_; }
  const LeakPlan& leak_plan() const { return leak_plan_; }
  // Where names are recorded, a number that nobody else has (audit_mark.h); 0 where they are not.
  uint64_t audit_token() const { return plan_.sandbox.audit_token; }
  // Folders whose files are no names of a test's: those of coverage tools.
  const std::vector<std::string>& passed_over() const { return passed_over_; }
  // Whether a folder is another one in every sandbox: a private one, or one below that has been
  // copied with it.
  bool IsPrivate(absl::string_view folder) const;

 private:
  SandboxSupply() = default;

  absl::Status Plan(const Options& options);
  absl::Status StartHelper(bool own_program);
  void Order(int count);
  absl::Status Receive();
  void AwaitTheKernel() const;

  // What `plan_` points at.
  std::vector<MountOp> mount_ops_;
  std::string hostname_, hosts_, time_offsets_;
  std::string own_uid_map_, own_gid_map_, full_uid_map_, full_gid_map_;
  LeakPlan leak_plan_;
  HelperPlan plan_;

  std::vector<std::string> passed_over_;

  std::vector<std::string> tmpfs_folders_;
  std::vector<std::string> private_folders_;  // those and others
  bool copies_ = false;
  std::string scratch_;
  int wanted_ = 0;   // how many to keep ready
  int ordered_ = 0;  // requests without an answer
  bool made_any_ = false;
  absl::optional<Helper> helper_;
  std::deque<Sandbox> ready_;
  // Of all sandboxes that there were.
  absl::flat_hash_set<ino_t> pid_namespaces_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_SANDBOX_SUPPLY_H_
