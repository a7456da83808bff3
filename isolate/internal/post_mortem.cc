#include "isolate/internal/post_mortem.h"

#include <sched.h>
#include <stddef.h>

#include <cstdint>

#include "absl/types/span.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/frame_channel.h"
#include "isolate/internal/ipc_objects.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/left_files.h"
#include "isolate/internal/left_processes.h"
#include "isolate/internal/sockets.h"
#include "isolate/internal/wire.h"
#include "isolate/leak.h"

namespace isolate::internal {

PostMortem::PostMortem(const LeakPlan* plan) : plan_(plan) {
  if (plan == nullptr || (plan->namespaces & CLONE_NEWNS) == 0) {
    return;
  }
  for (const std::string& folder : plan->folders) {
    if (folder_count_ < kMaxFolders) {
      folders_[folder_count_++] = PrivateFolder(folder.c_str());
    }
  }
}

void PostMortem::SetTree(const char* folder, int tree) {
  for (size_t i = 0; i < folder_count_; ++i) {
    if (plan_->folders[i] == folder) {
      folders_[i] = PrivateFolder(folder, tree);
    }
  }
}

int64_t PostMortem::Begin() {
  for (size_t i = 0; i < folder_count_; ++i) {
    folders_[i].Begin();
  }
  return CountFiles(absl::MakeConstSpan(folders_, folder_count_));
}

void PostMortem::Tell(bool alone, FrameChannel& channel) const {
  channel.Begin();
  if (plan_ != nullptr) {
    TellLeft(alone, channel);
  }
  channel.Write(Tag::kEnd, 0);
  channel.Flush();
}

void PostMortem::TellLeft(bool alone, FrameChannel& channel) const {
  const auto write = [&channel](const char* record, size_t size, size_t) {
    channel.Write(Tag::kEvidence, record, size);
  };
  EvidenceWriter evidence(write);
  // A /proc of another pid namespace would show others' processes.
  constexpr int kOwnProcesses = CLONE_NEWPID | CLONE_NEWNS;
  if ((plan_->namespaces & kOwnProcesses) == kOwnProcesses &&
      (Has(plan_->kinds, LeakKind::kProcess) || Has(plan_->kinds, LeakKind::kPort))) {
    const bool ports =
        Has(plan_->kinds, LeakKind::kPort) && (plan_->namespaces & CLONE_NEWNET) != 0;
    TellOthers(ports, evidence);
  }
  if (alone && Has(plan_->kinds, LeakKind::kTimeWait) && (plan_->namespaces & CLONE_NEWNET) != 0) {
    TellAllTimeWaits(/*open=*/0, evidence);
  }
  if ((plan_->namespaces & CLONE_NEWIPC) != 0) {
    if (Has(plan_->kinds, LeakKind::kSysv)) {
      TellSysvObjects(evidence);
    }
    if (Has(plan_->kinds, LeakKind::kPosix)) {
      TellQueues(/*sizes=*/true, evidence);
    }
  }
  if (Has(plan_->kinds, LeakKind::kFile) || Has(plan_->kinds, LeakKind::kPosix)) {
    for (size_t i = 0; i < folder_count_; ++i) {
      folders_[i].Tell(plan_->mount_points, evidence);
    }
  }
  evidence.EndAll();
}

}  // namespace isolate::internal
