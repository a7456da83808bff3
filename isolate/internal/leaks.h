#ifndef ISOLATE_INTERNAL_LEAKS_H_
#define ISOLATE_INTERNAL_LEAKS_H_

// Makes leaks of evidence (evidence.h).  Lives in the runner; takes the writer for hostile.  Pure
// code: no system call.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/internal/mappings.h"
#include "isolate/internal/wire.h"
#include "isolate/leak.h"

namespace isolate::internal {

// A record as it was read: what it is about, and the leak that it tells of.
struct Reading {
  std::string key;
  Leak leak;
};

// A file that was left, with its st_mode and size in bytes.
Leak LeakOfFile(absl::string_view path, uint32_t mode, uint64_t size, uint32_t uid, uint32_t gid);

class Leaks {
 public:
  // Of the kinds that are wanted; evidence of others is passed over.  `inherited`: the runner's own
  // nameless mappings (mappings.h), which a fork of it has, too; `own_command`: its arguments,
  // which are those of the test's process; both asked for where a record tells of such.
  Leaks(const LeakKinds& kinds, absl::FunctionRef<std::vector<Mapping>()> inherited,
        absl::FunctionRef<std::string()> own_command)
      : kinds_(kinds), inherited_(inherited), own_command_(own_command) {}

  // Takes a record, in the order in which they were written; those of the test process before those
  // of the init.  What was told of already, by what is its key, is not told of again.  False where
  // it cannot be read.
  bool Add(absl::string_view record, absl::optional<uint32_t> stretch);

  // All of them, by kind and name.
  std::vector<Leak> Take();

 private:
  bool Read(absl::string_view record, bool in_process, Reading& reading);
  bool ReadSocket(Decoder& decoder, bool in_process, Reading& reading);
  bool ReadProcess(Decoder& decoder, Reading& reading);
  bool ReadMapping(Decoder& decoder, Reading& reading);

  const LeakKinds kinds_;
  const absl::FunctionRef<std::vector<Mapping>()> inherited_;
  const absl::FunctionRef<std::string()> own_command_;
  absl::optional<std::vector<Mapping>> inherited_mappings_;  // once they were asked for
  std::vector<Leak> leaks_;
  absl::flat_hash_set<std::string> keys_;                // of `leaks_`
  absl::flat_hash_map<uint32_t, std::string> commands_;  // of processes, by pid
  absl::flat_hash_set<int> tcp_ports_;                   // that sockets have
  absl::flat_hash_map<uint32_t, int> counts_;            // of records, by type
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_LEAKS_H_
