#ifndef ISOLATE_INTERNAL_LEAK_CHECK_H_
#define ISOLATE_INTERNAL_LEAK_CHECK_H_

// The first of the two looks at what a test leaves: in its own process, while that still has
// everything open.  The second is post_mortem.h.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/left_files.h"
#include "isolate/internal/mappings.h"
#include "isolate/internal/own_descriptor.h"
#include "isolate/internal/process_state.h"
#include "isolate/leak.h"

namespace isolate::internal {

// What is to be looked for, and where.
struct LeakPlan {
  LeakKinds kinds;
  int namespaces = 0;  // CLONE_NEW* that are the sandbox's own
  std::vector<std::string> folders;
  std::vector<std::string> mount_points;  // below them, of the sandbox itself
  bool copies = false;                    // the folders began as copies of what was there

  // The process was executed, so that it has its own mappings alone.
  bool executed = false;
};

// For a program that takes a test process's place.
std::string Encode(const LeakPlan& plan);
absl::StatusOr<LeakPlan> DecodeLeakPlan(absl::string_view bytes);

// Not for several threads.
class LeakCheck {
 public:
  // A record (evidence.h) with the stretch in which its thing appeared.
  using Send = absl::FunctionRef<void(uint32_t stretch, absl::string_view record)>;

  explicit LeakCheck(LeakPlan plan) : plan_(std::move(plan)) {}

  const LeakPlan& plan() const { return plan_; }

  // Who knows where a thread stands: the program's own function, and the stack.
  using StandOf = std::function<std::pair<std::string, std::string>(pid_t thread)>;
  void SetStandOf(StandOf stand_of) { stand_of_ = std::move(stand_of); }

  // To be called before anything of the user's runs.  `files`: how many there were when the sandbox
  // was made (PostMortem::Begin).  Costs about 10 us.
  void Enter(int64_t files);

  // What is there now is no leak.  `fresh`: nothing of the user's has run since the fork, so that
  // there is no POSIX timer to be read.  Costs about 60 us.
  void Begin(bool fresh);

  // What is there now appeared in this stretch, or before.  Costs as much, and O(things).
  void EndStretch();

  // Tells of all that is there and was not when it began.
  void Tell(Send send);

  // Whether a second look would find nothing either, but for message queues: this process is alone
  // in its sandbox, and there is no file in it.  Where Tell told of nothing, so that no timer
  // will run either.  Costs about 15 us.
  bool NothingIsLeft() const;

 private:
  struct Descriptor {
    int number;
    dev_t device;
    ino_t inode;
    std::string target;  // only of those that share an inode
  };
  using Descriptors = std::vector<Descriptor>;  // sorted by number

  std::vector<uint64_t> OwnView() const;
  void Reserve();
  void GiveWay();
  Descriptors ListDescriptors() const;
  void Look(EvidenceWriter& evidence);
  void LookAtDescriptors(EvidenceWriter& evidence);
  bool LooksAtDescriptors() const {
    return Has(plan_.kinds, LeakKind::kDescriptor) || Has(plan_.kinds, LeakKind::kPort) ||
           Has(plan_.kinds, LeakKind::kState);
  }
  void LookAtThreads(EvidenceWriter& evidence) const;
  void LookAtState(EvidenceWriter& evidence) const;
  void LookAtMappings(EvidenceWriter& evidence) const;
  void LookAtNames(EvidenceWriter& evidence) const;
  static const Descriptor* Find(int number, const Descriptors& descriptors);

  const LeakPlan plan_;
  // Open while the test runs, so that we can look even if it has used up all descriptors.
  OwnDescriptor descriptor_folder_;
  OwnDescriptor spares_[2];
  Descriptors descriptors_;
  absl::flat_hash_set<ino_t> open_sockets_;  // of this process, since then
  std::vector<int> threads_;
  StandOf stand_of_;
  bool ending_ = false;  // threads may be asked where they stand, as none goes on
  ProcessState state_;
  std::vector<Mapping> mappings_;
  std::vector<PrivateFolder> folders_;
  int64_t files_at_begin_ = -1;
  std::vector<uint64_t> view_;  // OwnView, at Enter
  uint32_t stretch_ = 0;
  std::map<std::string, uint32_t> seen_;  // by key; in which stretch first
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_LEAK_CHECK_H_
