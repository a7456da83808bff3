#ifndef ISOLATE_INTERNAL_SANDBOX_PLAN_H_
#define ISOLATE_INTERNAL_SANDBOX_PLAN_H_

// All that the helper and the inits need to know, laid out in the runner before
// the helper is forked, so that they need no malloc.  Plain pointers into
// memory that somebody else owns: the helper and the inits have copies of it.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/options.h"

namespace isolate::internal {

// What each sandbox is like.
struct SandboxPlan {
  pid_t runner = 0;
  pid_t runner_group = 0;
  int namespaces = 0;  // CLONE_NEW* of a sandbox, without CLONE_NEWUSER

  const MountOp* mount_ops = nullptr;
  size_t mount_op_count = 0;

  bool loopback = false;
  const char* hostname = nullptr;  // null: no uts namespace

  const LeakPlan* leaks = nullptr;  // null: an init does not look for any
  bool tells_namespaces = true;     // all of them; else the pid namespace's number alone
  uint64_t audit_token = 0;         // of the auditor (audit_mark.h); 0: names are not recorded

  // An init has something to do at the end or in between, and so a socket for it.
  bool reaches_init() const { return leaks != nullptr || audit_token != 0; }
};

// For a process that has none of the runner's memory.
std::string Encode(const SandboxPlan& plan);

// A plan with all that it points at.
class DecodedPlan {
 public:
  // Nothing, where these are not the bytes of a plan.
  static std::unique_ptr<DecodedPlan> Decode(absl::string_view bytes);

  const SandboxPlan& plan() const { return plan_; }

 private:
  DecodedPlan() = default;

  std::vector<MountOp> mount_ops_;
  std::string hostname_;
  LeakPlan leaks_;
  SandboxPlan plan_;
};

// What all of them have in common, and the helper makes once.
struct HelperPlan {
  SandboxPlan sandbox;

  UserNamespace user_namespace = UserNamespace::kIfNeeded;
  // What to write to uid_map and gid_map: the caller's ids alone, which it may
  // do itself, or every id, which takes CAP_SETUID and CAP_SETGID.  Null: no
  // such rights.
  const char* own_uid_map = nullptr;
  const char* own_gid_map = nullptr;
  const char* full_uid_map = nullptr;
  const char* full_gid_map = nullptr;

  const char* hosts = nullptr;  // null: /etc/hosts stays as it is
  // Where the new /etc/hosts is put together: a folder that every sandbox covers.
  const char* staging = nullptr;

  bool has_time_offset = false;
  const char* time_offsets = nullptr;  // what to write to timens_offsets
};
static_assert(std::is_trivially_destructible<HelperPlan>::value,
              "processes that use it end without destructors");

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_SANDBOX_PLAN_H_
