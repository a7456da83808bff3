#ifndef ISOLATE_INTERNAL_RESTRICTIONS_H_
#define ISOLATE_INTERNAL_RESTRICTIONS_H_

// What may keep the calling process from making sandboxes, looked up and tried in the runner; for
// whoever has to explain a refusal.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace isolate::internal {

// A system call that is not answered by the kernel but by a seccomp filter.
struct FilteredCall {
  std::string name;
  int error = 0;  // an errno; 0: it kills the process
};

struct Restrictions {
  uid_t uid = 0;                // effective, as are the capabilities
  bool may_administer = false;  // CAP_SYS_ADMIN
  uint64_t capabilities = 0;
  bool no_new_privileges = false;
  int seccomp_mode = 0;                // 2: there is a filter
  std::vector<FilteredCall> filtered;  // of those that sandboxes need
  std::string security_label;          // of AppArmor or SELinux; empty: none

  // Whether the root directory is no mount, as chroot(2) leaves it.
  bool in_chroot = false;
  bool in_user_namespace = false;  // not all ids are those of the machine
  bool own_ids_mapped = true;      // in that user namespace
  std::string container;           // the name of its engine, or "container"; empty: no sign of one

  // Of /proc/sys, by name, as "user.max_net_namespaces"; only those that are there.
  std::map<std::string, int64_t> sysctls;

  // Mounts over parts of /proc and /sys that hide what is there, or make it read-only; or the
  // folder itself, where something else is mounted there.
  std::vector<std::string> covered_proc;
  std::vector<std::string> covered_sys;

  bool has_null_device = true;  // /dev/null can be opened

  // Limits on processes and descriptors; -1: none.
  int64_t max_processes = -1;    // of the user (RLIMIT_NPROC)
  int64_t max_descriptors = -1;  // of a process (RLIMIT_NOFILE)
  int64_t max_pids = -1;         // of the cgroup
};

// Costs a fork, about a millisecond, and some reading in /proc.  Does not fail: what cannot be
// found out is as where nothing restricts.
Restrictions FindRestrictions();

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_RESTRICTIONS_H_
