#include "isolate/internal/sandbox_supply.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/internal/control.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/host_facts.h"
#include "isolate/internal/id_map.h"
#include "isolate/internal/monotonic.h"
#include "isolate/internal/mount_info.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/step_log.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

// As many as the helper sets up at once.
constexpr int kMaxOrdered = 16;

bool IsForLackOfNamespaces(const absl::Status& status) {
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  return failure.has_value() && failure->step == Step::kCloneInit &&
         (failure->error == ENOSPC || failure->error == ENOMEM);
}

// False where a limit of 0 forbids them, as some hosts do; true where that is not known.
bool MayHaveNamespaces() {
  for (const char* kind : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
    int64_t limit = 1;
    if (std::ifstream(absl::StrCat("/proc/sys/user/max_", kind, "_namespaces")) >> limit &&
        limit == 0) {
      return false;
    }
  }
  return true;
}

int NamespaceFlags(const Options& options) {
  int flags = 0;
  flags |= options.pid_namespace ? CLONE_NEWPID : 0;
  flags |= options.network != Network::kHost ? CLONE_NEWNET : 0;
  flags |= options.ipc_namespace ? CLONE_NEWIPC : 0;
  flags |= options.uts_namespace ? CLONE_NEWUTS : 0;
  flags |= options.mount_namespace ? CLONE_NEWNS : 0;
  flags |= options.cgroup_namespace ? CLONE_NEWCGROUP : 0;
  return flags;
}

// What timens_offsets takes (time_namespaces(7)): a clock, seconds, nanoseconds
// of 0 to 999999999.
std::string TimeOffsets(absl::Duration offset) {
  timespec parts = absl::ToTimespec(offset);
  return absl::StrCat("monotonic ", parts.tv_sec, " ", parts.tv_nsec, "\nboottime ", parts.tv_sec,
                      " ", parts.tv_nsec, "\n");
}

// The kinds that CLONE_NEW* stand for.
Isolations IsolationsOf(int namespaces) {
  Isolations kinds;
  for (const auto& [flag, kind] :
       {std::pair(CLONE_NEWPID, Isolation::kPid), std::pair(CLONE_NEWNET, Isolation::kNetwork),
        std::pair(CLONE_NEWIPC, Isolation::kIpc), std::pair(CLONE_NEWUTS, Isolation::kUts),
        std::pair(CLONE_NEWNS, Isolation::kMount),
        std::pair(CLONE_NEWCGROUP, Isolation::kCgroup)}) {
    if ((namespaces & flag) != 0) {
      Add(kind, kinds);
    }
  }
  return kinds;
}

LeakPlan PlanLeaks(const LeakKinds& kinds, int namespaces, const std::vector<std::string>& folders,
                   const std::vector<MountOp>& mount_ops) {
  LeakPlan plan;
  plan.kinds = kinds;
  plan.namespaces = namespaces;
  plan.folders = folders;
  for (const MountOp& op : mount_ops) {
    if (op.action != MountOp::Action::kKeep) {
      plan.mount_points.push_back(op.path);
    }
  }
  return plan;
}

// Where coverage is written, as an auditor sees the path.
std::vector<std::string> FoldersOfTheHarness() {
  const char* folder = getenv("COVERAGE_DIR");
  if (folder == nullptr || *folder == '\0') {
    return {};
  }
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(folder, error);
  return error ? std::vector<std::string>() : std::vector<std::string>{path.string()};
}

std::vector<StepTime> StepTimes(const StepLog& log) {
  std::vector<StepTime> times;
  times.reserve(log.count);
  absl::Time begun = absl::FromUnixNanos(log.begun_ns);
  for (size_t i = 0; i < log.count; ++i) {
    const absl::Time ended = absl::FromUnixNanos(log.entries[i].ended_ns);
    times.push_back({log.entries[i].step, begun, ended});
    begun = ended;
  }
  return times;
}

}  // namespace

void Sandbox::Kill() {
  // Before the init's own: who closes it last unmounts it.
  queues_.Reset();
  if (init_.valid()) {
    // ESRCH: it is gone already.  There is no other way to fail that another
    // try could mend.
    raw::PidfdSendSignal(init_.get(), SIGKILL);
  }
}

absl::StatusOr<std::unique_ptr<SandboxSupply>> SandboxSupply::Create(const Options& options,
                                                                     int ready) {
  if (absl::Status status = Validate(options); !status.ok()) {
    return status;
  }
  std::unique_ptr<SandboxSupply> supply(new SandboxSupply);
  supply->wanted_ = supply->goal_ = ready;
  if (absl::Status status = supply->Plan(options); !status.ok()) {
    return status;
  }
  static std::atomic<bool> program_works = true;
  const bool own_program = ready > 1 && program_works;
  absl::Status started = supply->StartHelper(own_program);
  if (own_program && absl::IsUnavailable(started) && !GetSetupFailure(started).has_value()) {
    // It died without a word, as the program does where its shared libraries are not found, or
    // where it would not have the rights that it should.
    started = supply->StartHelper(/*own_program=*/false);
    program_works = !started.ok();
  }
  if (!started.ok()) {
    return started;
  }
  return supply;
}

// Until the first sandbox is there.
absl::Status SandboxSupply::StartHelper(bool own_program) {
  absl::StatusOr<Helper> helper = Helper::Start(plan_, own_program);
  if (!helper.ok()) {
    return helper.status();
  }
  helper_.emplace(*std::move(helper));
  Order(std::max(wanted_, 1));
  // What another run has just left may be in the way of the first one, too.
  return AwaitReady(MayHaveNamespaces() ? absl::Seconds(1) : absl::ZeroDuration(), Fd());
}

SandboxSupply::~SandboxSupply() {
  ready_.clear();
  if (helper_.has_value()) {
    helper_->Stop(pid_namespaces_);
  }
}

absl::Status SandboxSupply::Plan(const Options& options) {
  absl::StatusOr<HostFacts> facts = GatherHostFacts(options);
  if (!facts.ok()) {
    return facts.status();
  }
  // In a user namespace, the owner of one of them may have no id.
  facts->may_chown =
      geteuid() == 0 && std::all_of(facts->covers.begin(), facts->covers.end(),
                                    [uids = IdentityMap("/proc/self/uid_map"),
                                     gids = IdentityMap("/proc/self/gid_map")](const Cover& cover) {
                                      return HasId(uids, cover.uid) && HasId(gids, cover.gid);
                                    });
  mount_ops_ = PlanMounts(options, *facts);
  if (std::count_if(mount_ops_.begin(), mount_ops_.end(), [](const MountOp& op) {
        return op.action == MountOp::Action::kKeep;
      }) > static_cast<std::ptrdiff_t>(kMaxKept)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", kMaxKept,
                     " paths and mounts would have to be kept visible; name fewer extra paths"));
  }
  copies_ = options.copy_private_folders;
  for (const Cover& cover : facts->covers) {
    tmpfs_folders_.push_back(cover.path);
  }
  private_folders_ = tmpfs_folders_;
  for (const MountOp& op : mount_ops_) {
    if (op.action == MountOp::Action::kProc || op.action == MountOp::Action::kSysfs ||
        op.action == MountOp::Action::kMqueue) {
      private_folders_.push_back(op.path);
    }
  }
  if (options.mount_namespace) {
    scratch_ = ScratchFolder(options);
  }

  plan_.sandbox.runner = getpid();
  plan_.sandbox.runner_group = getpgrp();
  plan_.sandbox.namespaces = NamespaceFlags(options);
  plan_.user_namespace = options.user_namespace;
  plan_.sandbox.mount_ops = mount_ops_.data();
  plan_.sandbox.mount_op_count = mount_ops_.size();
  leak_plan_ = PlanLeaks(options.leaks, plan_.sandbox.namespaces, tmpfs_folders_, mount_ops_);
  leak_plan_.copies = options.copy_private_folders;
  plan_.sandbox.leaks = leak_plan_.kinds.any() ? &leak_plan_ : nullptr;
  if (options.audit_names) {
    while (plan_.sandbox.audit_token == 0) {
      if (getrandom(&plan_.sandbox.audit_token, sizeof(plan_.sandbox.audit_token), 0) < 0) {
        return absl::ErrnoToStatus(errno, "cannot get random bytes");
      }
    }
    passed_over_ = FoldersOfTheHarness();
  }
  // Who enters one that was kept needs them, too.
  plan_.sandbox.tells_namespaces = options.tell_namespaces || options.keep_failed;
  plan_.sandbox.loopback = options.network == Network::kLoopback;

  own_uid_map_ = absl::StrCat(geteuid(), " ", geteuid(), " 1\n");
  own_gid_map_ = absl::StrCat(getegid(), " ", getegid(), " 1\n");
  plan_.own_uid_map = own_uid_map_.c_str();
  plan_.own_gid_map = own_gid_map_.c_str();
  full_uid_map_ = IdentityMap("/proc/self/uid_map");
  full_gid_map_ = IdentityMap("/proc/self/gid_map");
  if (geteuid() == 0 && !full_uid_map_.empty() && !full_gid_map_.empty()) {
    plan_.full_uid_map = full_uid_map_.c_str();
    plan_.full_gid_map = full_gid_map_.c_str();
  }

  if (options.uts_namespace) {
    hostname_ = options.hostname;
    plan_.sandbox.hostname = hostname_.c_str();
    if (absl::optional<std::string> outside = ReadHosts();
        outside.has_value() && options.mount_namespace) {
      hosts_ = HostsFile(*outside, hostname_);
      plan_.hosts = hosts_.c_str();
      // There is one: the scratch folder, if nothing else.
      plan_.staging = private_folders_.front().c_str();
    }
  }
  if (options.time_offset.has_value()) {
    time_offsets_ = TimeOffsets(*options.time_offset);
    plan_.has_time_offset = true;
    plan_.time_offsets = time_offsets_.c_str();
  }
  return absl::OkStatus();
}

absl::StatusOr<Sandbox> SandboxSupply::Take(absl::Duration patience, const Fd& interrupt) {
  while (helper_->IsGone()) {
    ready_.clear();
    // Its last words may tell why.
    if (absl::Status words = Receive(); !words.ok()) {
      return words;
    }
  }
  if (ready_.empty() && ordered_ == 0) {
    Order(1);
  }
  if (absl::Status status = AwaitReady(patience, interrupt); !status.ok()) {
    return status;
  }
  Sandbox sandbox = std::move(ready_.front());
  ready_.pop_front();
  return sandbox;
}

// The first refusal is told: it has the most to say (SandboxMaker).
absl::Status SandboxSupply::AwaitReady(absl::Duration patience, const Fd& interrupt) {
  const absl::Time deadline = MonotonicNow() + patience;
  absl::Status refusal;
  while (ready_.empty()) {
    const absl::Status status = Receive();
    refusal.Update(status);
    if (status.ok()) {
      continue;
    }
    if (ordered_ > 0) {
      // The host may have no room for so many, and one of the others will do.
      wanted_ = std::max(wanted_ - 1, 0);
    } else if (!IsForLackOfNamespaces(status) || MonotonicNow() >= deadline) {
      return refusal;
    } else if (IsInterrupted(interrupt)) {
      return absl::CancelledError("the wait for a sandbox was interrupted");
    } else {
      Order(1);
    }
  }
  return absl::OkStatus();
}

// Nothing tells when a namespace is free again, so after a pause another try is made.
bool SandboxSupply::IsInterrupted(const Fd& interrupt) const {
  constexpr int kPauseMs = 5;
  pollfd ends[] = {{helper_->control(), 0, 0}, {interrupt.get(), POLLIN, 0}};
  return poll(ends, 2, kPauseMs) > 0 && ends[1].revents != 0;
}

void SandboxSupply::Replenish() { Order(wanted_ - static_cast<int>(ready_.size()) - ordered_); }

// No more than the helper has at hand: answers that nobody takes would fill the socket, and block
// it.
void SandboxSupply::Order(int count) {
  for (; count > 0 && ordered_ < kMaxOrdered; --count) {
    helper_->Request();
    ++ordered_;
  }
}

absl::Status SandboxSupply::Receive() {
  ControlMessage message;
  Handles handles;
  int received;
  do {
    pollfd ready = {helper_->control(), POLLIN, 0};
    if (poll(&ready, 1, -1) < 0 && errno != EINTR) {
      ordered_ = 0;  // no answer can be had any more
      return absl::ErrnoToStatus(errno, "cannot wait for a sandbox");
    }
    received = ReceiveControl(helper_->control(), &message, &handles);
  } while (received < 0 && (errno == EAGAIN || errno == EINTR));
  if (received == 0) {
    ordered_ = 0;
    return absl::UnavailableError(
        "cannot isolate: the helper process that makes the sandboxes has died; something killed "
        "it, or memory ran out");
  }
  --ordered_;
  if (received < 0) {
    return ToStatus({Step::kAnnounce, errno, ""});
  }
  if (!message.ready) {
    SetupFailure failure{message.step, message.error, ""};
    if (message.mount_op >= 0 && static_cast<size_t>(message.mount_op) < mount_ops_.size()) {
      failure.detail = mount_ops_[static_cast<size_t>(message.mount_op)].path;
    } else if (message.step == Step::kHostname) {
      failure.detail = hostname_;
    } else if (message.namespaces_refused != 0) {
      failure.detail = NamesOf(IsolationsOf(message.namespaces_refused));
    }
    return ToStatus(failure);
  }
  Fd init = AboveStandardStreams(Fd(handles.init));
  Fd root = AboveStandardStreams(Fd(handles.root));
  Fd post_mortem = AboveStandardStreams(Fd(handles.post_mortem));
  Fd queues = AboveStandardStreams(Fd(handles.queues));
  if (!init.valid() || !root.valid() || (plan_.sandbox.reaches_init() && !post_mortem.valid())) {
    return ToStatus({Step::kAnnounce, EMFILE, ""});
  }
  wanted_ = std::min(wanted_ + 1, goal_);  // there is room again
  if ((plan_.sandbox.namespaces & CLONE_NEWPID) != 0) {
    pid_namespaces_.insert(message.namespaces.pid);
  }
  ready_.emplace_back(std::move(init), std::move(root), std::move(post_mortem), std::move(queues),
                      message, tmpfs_folders_, StepTimes(message.steps));
  return absl::OkStatus();
}

bool SandboxSupply::IsPrivate(absl::string_view folder) const {
  return std::any_of(
      private_folders_.begin(), private_folders_.end(), [&](const std::string& private_folder) {
        return folder == private_folder || (copies_ && IsUnder(folder, private_folder));
      });
}

}  // namespace isolate::internal
