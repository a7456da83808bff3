#ifndef ISOLATE_INTERNAL_HOST_FACTS_H_
#define ISOLATE_INTERNAL_HOST_FACTS_H_

// Looks at the host, in the runner, before the helper is forked.

#include <string>

#include "absl/status/statusor.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/options.h"

namespace isolate::internal {

// The scratch folder that `options` mean: the one they name, or what
// TEST_TMPDIR or TMPDIR say, or /tmp.
std::string ScratchFolder(const Options& options);

// What the mount plan needs to know.  NotFound or the errno's status for a
// folder or an extra path that is not there.  Costs some file-system look-ups,
// and a walk over the runfiles where there are any.
absl::StatusOr<HostFacts> GatherHostFacts(const Options& options);

// The outside's /etc/hosts; nothing where there is none.
absl::optional<std::string> ReadHosts();

// The lines that map every id of the calling process's user namespace to
// itself, from /proc/self/uid_map or gid_map; empty where it cannot be read.
std::string IdentityMap(const std::string& map_file);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_HOST_FACTS_H_
