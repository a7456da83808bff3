#include "isolate/internal/leak_check.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "isolate/internal/directory.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/ipc_objects.h"
#include "isolate/internal/left_files.h"
#include "isolate/internal/left_processes.h"
#include "isolate/internal/mappings.h"
#include "isolate/internal/process_state.h"
#include "isolate/internal/sockets.h"
#include "isolate/internal/wire.h"
#include "isolate/leak.h"

// ThreadSanitizer starts a thread of its own with the first one of the program's, which nothing
// tells from a test's.
extern "C" __attribute__((weak)) void __tsan_init();

namespace isolate::internal {
namespace {

// From the kernel's <linux/sched.h>: it has ended for whoever joined it, and is not gone yet.
constexpr unsigned long kExiting = 0x4;

std::string TargetOf(int folder, int descriptor) {
  char name[16];
  char target[PATH_MAX];
  snprintf(name, sizeof(name), "%d", descriptor);
  const ssize_t size = readlinkat(folder, name, target, sizeof(target));
  return size > 0 ? std::string(target, static_cast<size_t>(size)) : "";
}

// The others of the process, but for those that are on their way out.
std::vector<int> ListThreads() {
  std::vector<int> threads;
  struct stat status;
  // Two links and one for each thread (fs/proc/base.c, proc_task_getattr).
  if (stat("/proc/self/task", &status) == 0 && status.st_nlink <= 3) {
    return threads;
  }
  Directory tasks(AT_FDCWD, "/proc/self/task");
  for (int task; (task = tasks.NextNumber()) >= 0;) {
    char name[32];
    char text[512];
    snprintf(name, sizeof(name), "%d/stat", task);
    if (task == gettid() || ReadFile(tasks.descriptor(), name, text, sizeof(text)) <= 0) {
      continue;
    }
    // Field 9; the name, field 2, may have any character in it.
    char* field = strrchr(text, ')');
    for (int i = 2; field != nullptr && i < 9; ++i) {
      field = strchr(field + 1, ' ');
    }
    if (field != nullptr && (strtoul(field, nullptr, 10) & kExiting) == 0) {
      threads.push_back(task);
    }
  }
  return threads;
}

}  // namespace

std::string Encode(const LeakPlan& plan) {
  Encoder encoder;
  encoder.U64(plan.kinds.to_ullong())
      .U32(static_cast<uint32_t>(plan.namespaces))
      .U32(plan.copies ? 1 : 0);
  for (const auto* list : {&plan.folders, &plan.mount_points}) {
    encoder.U32(static_cast<uint32_t>(list->size()));
    for (const std::string& path : *list) {
      encoder.String(path);
    }
  }
  return encoder.bytes();
}

absl::StatusOr<LeakPlan> DecodeLeakPlan(absl::string_view bytes) {
  Decoder decoder(bytes);
  LeakPlan plan;
  plan.kinds = LeakKinds(decoder.U64().value_or(0));
  plan.namespaces = static_cast<int>(decoder.U32().value_or(0));
  plan.copies = decoder.U32().value_or(0) != 0;
  for (auto* list : {&plan.folders, &plan.mount_points}) {
    const uint32_t count = decoder.U32().value_or(0);
    for (uint32_t i = 0; i < count; ++i) {
      const auto path = decoder.String();
      if (!path.has_value()) {
        break;
      }
      list->emplace_back(*path);
    }
  }
  plan.executed = true;
  if (!decoder.complete()) {
    return absl::InvalidArgumentError("this is no plan of a leak check");
  }
  return plan;
}

// From now on this process may use up its descriptors.
void LeakCheck::Reserve() {
  for (OwnDescriptor& spare : spares_) {
    spare = OwnDescriptor(dup(descriptor_folder_.get()));
  }
}

void LeakCheck::GiveWay() {
  for (OwnDescriptor& spare : spares_) {
    spare.Close();
  }
}

// Of a process that has closed our descriptor: none.
LeakCheck::Descriptors LeakCheck::ListDescriptors() const {
  Descriptors descriptors;
  if (!descriptor_folder_.IsOurs()) {
    return descriptors;
  }
  const auto add = [&](int number) {
    struct stat status;
    if (fstat(number, &status) == 0) {
      // An eventfd, an epoll and many others are one and the same inode, of no type.
      descriptors.push_back(
          {number, status.st_dev, status.st_ino,
           (status.st_mode & S_IFMT) == 0 ? TargetOf(descriptor_folder_.get(), number) : ""});
    }
  };
  // For each entry that is listed the kernel makes an inode.  Since Linux 6.2 the folder's size is
  // their number (proc_fd_getattr in fs/proc/fd.c), and commonly all but our own lie close
  // together.
  struct stat folder;
  const size_t count =
      fstat(descriptor_folder_.get(), &folder) == 0 ? static_cast<size_t>(folder.st_size) : 0;
  const auto [first_own, end_own] = OwnDescriptor::Places();
  const int end_close = std::min(static_cast<int>(2 * count), first_own);
  for (int number = 0; number < end_close && descriptors.size() < count; ++number) {
    add(number);
  }
  for (int number = first_own; number < end_own && descriptors.size() < count; ++number) {
    add(number);
  }
  if (count > 0 && descriptors.size() == count) {
    return descriptors;
  }
  descriptors.clear();
  Directory listed(descriptor_folder_.get());
  for (int number; (number = listed.NextNumber()) >= 0;) {
    add(number);
  }
  return descriptors;  // in the order in which the kernel lists them (fs/proc/fd.c)
}

const LeakCheck::Descriptor* LeakCheck::Find(int number, const Descriptors& descriptors) {
  const auto found = std::lower_bound(
      descriptors.begin(), descriptors.end(), number,
      [](const Descriptor& descriptor, int wanted) { return descriptor.number < wanted; });
  return found != descriptors.end() && found->number == number ? &*found : nullptr;
}

// What tells whether this process still sees what its sandbox's init sees: the private folders'
// file systems, and the IPC namespace; a process with rights can exchange its own for others.
std::vector<uint64_t> LeakCheck::OwnView() const {
  std::vector<uint64_t> view;
  struct stat status;
  for (const std::string& folder : plan_.folders) {
    view.push_back(stat(folder.c_str(), &status) == 0 ? status.st_dev : 0);
  }
  view.push_back(stat("/proc/self/ns/ipc", &status) == 0 ? status.st_ino : 0);
  return view;
}

void LeakCheck::Enter(int64_t files) {
  files_at_begin_ = files;
  if (plan_.kinds.all()) {
    view_ = OwnView();
  }
}

void LeakCheck::Begin(bool fresh) {
  stretch_ = 0;
  seen_.clear();
  folders_.clear();
  if (plan_.kinds.none()) {
    return;
  }
  GiveWay();
  // In a copy everything is there; what has been written, the init sees.
  if ((plan_.namespaces & CLONE_NEWNS) != 0 && !plan_.copies) {
    for (const std::string& folder : plan_.folders) {
      folders_.emplace_back(folder.c_str());
      folders_.back().Begin();
    }
  }
  if (Has(plan_.kinds, LeakKind::kPosix) && plan_.executed) {
    mappings_ = NamelessMappings();
  }
  threads_.clear();
  // A fork has one thread, unless a handler of pthread_atfork(3) started more.
  if (plan_.executed || __libc_single_threaded == 0) {
    threads_ = ListThreads();
  }
  if (Has(plan_.kinds, LeakKind::kState)) {
    state_ = ProcessState::Capture(/*other_threads=*/!threads_.empty(),
                                   /*posix_timers=*/!fresh);
  }
  if (LooksAtDescriptors()) {
    if (!descriptor_folder_.IsOurs()) {
      descriptor_folder_ = OwnDescriptor(open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    descriptors_ = ListDescriptors();
    Reserve();
  }
}

// Sockets, too: which of them are ports, the runner knows.
void LeakCheck::LookAtDescriptors(EvidenceWriter& evidence) {
  if (!LooksAtDescriptors()) {
    return;
  }
  const Descriptors now = ListDescriptors();
  if (now.empty()) {
    return;  // it cannot be seen
  }
  open_sockets_.clear();
  for (const Descriptor& descriptor : now) {
    const int number = descriptor.number;
    const Descriptor* const before = Find(number, descriptors_);
    const bool replaced = before != nullptr;
    struct stat status;
    if ((replaced && before->device == descriptor.device && before->inode == descriptor.inode &&
         before->target == descriptor.target) ||
        fstat(number, &status) != 0) {
      continue;
    }
    if (S_ISSOCK(status.st_mode)) {
      open_sockets_.insert(status.st_ino);
      TellSocket(number, getpid(), number, evidence);
      continue;
    }
    evidence.Begin(EvidenceType::kDescriptor)
        .U32(static_cast<uint32_t>(number))
        .String(TargetOf(descriptor_folder_.get(), number).c_str())
        .EndKey()
        .U32(status.st_mode)
        .U64(static_cast<uint64_t>(status.st_size))
        .U32(replaced ? 1 : 0)
        .End();
  }
  for (const Descriptor& descriptor : descriptors_) {
    if (Find(descriptor.number, now) == nullptr) {
      char name[32];
      snprintf(name, sizeof(name), "descriptor %d", descriptor.number);
      evidence.Begin(EvidenceType::kState)
          .String(name)
          .EndKey()
          .String("open")
          .String("closed")
          .End();
    }
  }
}

void LeakCheck::LookAtThreads(EvidenceWriter& evidence) const {
  if (__tsan_init != nullptr) {
    return;
  }
  for (const int thread : ListThreads()) {
    if (std::find(threads_.begin(), threads_.end(), thread) != threads_.end()) {
      continue;
    }
    char path[64];
    char name[64] = "";
    char waits_in[128] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", thread);
    ReadFile(AT_FDCWD, path, name, sizeof(name));
    name[strcspn(name, "\n")] = '\0';
    snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", thread);
    ReadFile(AT_FDCWD, path, waits_in, sizeof(waits_in));
    std::pair<std::string, std::string> stand;
    if (ending_ && stand_of_) {
      stand = stand_of_(thread);
    }
    evidence.Begin(EvidenceType::kThread)
        .U32(static_cast<uint32_t>(thread))
        .EndKey()
        .String(name)
        .String(waits_in)
        .String(stand.first.c_str())
        .String(stand.second.c_str())
        .End();
  }
}

void LeakCheck::LookAtState(EvidenceWriter& evidence) const {
  const ProcessState now = ProcessState::Capture(/*other_threads=*/!ListThreads().empty(),
                                                 /*posix_timers=*/true);
  for (const ProcessState::Change& change : state_.ChangesTo(now)) {
    // Other tests have it, too.
    if (change.what == "host name" && (plan_.namespaces & CLONE_NEWUTS) == 0) {
      continue;
    }
    evidence.Begin(EvidenceType::kState)
        .String(change.what.c_str())
        .EndKey()
        .String(change.before.c_str())
        .String(change.after.c_str())
        .End();
  }
}

// Also those that a fork has from its parent, which knows them.
void LeakCheck::LookAtMappings(EvidenceWriter& evidence) const {
  for (const Mapping& mapping : NamelessMappings()) {
    const bool known = std::any_of(mappings_.begin(), mappings_.end(), [&](const Mapping& other) {
      return other.identity == mapping.identity;
    });
    if (!known) {
      evidence.Begin(EvidenceType::kMapping)
          .String(mapping.identity.c_str())
          .EndKey()
          .String(mapping.path.c_str())
          .U64(mapping.size)
          .End();
    }
  }
}

// Those that an init finds, too; here for the stretch in which they appear.
void LeakCheck::LookAtNames(EvidenceWriter& evidence) const {
  if (Has(plan_.kinds, LeakKind::kPosix) && (plan_.namespaces & CLONE_NEWIPC) != 0) {
    TellQueues(/*sizes=*/false, evidence);
  }
  for (const PrivateFolder& folder : folders_) {
    folder.Tell(plan_.mount_points, evidence);
  }
  constexpr int kOwnProcesses = CLONE_NEWPID | CLONE_NEWNS;
  if ((plan_.namespaces & kOwnProcesses) == kOwnProcesses) {
    TellOthers(/*ports=*/(plan_.namespaces & CLONE_NEWNET) != 0, evidence);
  }
}

void LeakCheck::Look(EvidenceWriter& evidence) {
  LookAtDescriptors(evidence);
  if (Has(plan_.kinds, LeakKind::kTimeWait) && (plan_.namespaces & CLONE_NEWNET) != 0) {
    TellAllTimeWaits(static_cast<int>(open_sockets_.size()), evidence);
  }
  if (Has(plan_.kinds, LeakKind::kProcess)) {
    TellChildren(evidence);
  }
  // One that is removed is gone with the last process that has it attached.
  if (Has(plan_.kinds, LeakKind::kSysv) && (plan_.namespaces & CLONE_NEWIPC) != 0) {
    TellSysvObjects(evidence);
  }
  if (Has(plan_.kinds, LeakKind::kPosix)) {
    LookAtMappings(evidence);
  }
  if (Has(plan_.kinds, LeakKind::kThread)) {
    LookAtThreads(evidence);
  }
  if (Has(plan_.kinds, LeakKind::kState)) {
    LookAtState(evidence);
  }
}

void LeakCheck::EndStretch() {
  if (plan_.kinds.none()) {
    return;
  }
  // What is gone by now, and comes again, appears again.
  std::map<std::string, uint32_t> seen;
  const auto remember = [&](const char* record, size_t, size_t key_size) {
    std::string key(record, key_size);
    const auto before = seen_.find(key);
    seen.emplace(std::move(key), before != seen_.end() ? before->second : stretch_);
  };
  EvidenceWriter evidence(remember, kMaxCounted);
  GiveWay();
  Look(evidence);
  LookAtNames(evidence);
  Reserve();
  seen_ = std::move(seen);
  ++stretch_;
}

void LeakCheck::Tell(Send send) {
  if (plan_.kinds.none()) {
    return;
  }
  const auto tell = [this, send](const char* record, size_t size, size_t key_size) {
    const auto seen = seen_.find(std::string(record, key_size));
    send(seen != seen_.end() ? seen->second : stretch_, absl::string_view(record, size));
  };
  EvidenceWriter evidence(tell);
  ending_ = true;
  GiveWay();
  Look(evidence);
  if (stretch_ > 0) {
    LookAtNames(evidence);
  }
  evidence.EndAll();
}

bool LeakCheck::NothingIsLeft() const {
  // Of what is not looked at nobody knows whether it comes to something yet: a thread, a timer.
  constexpr int kOwn = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
  if (!plan_.kinds.all() || (plan_.namespaces & kOwn) != kOwn || plan_.copies ||
      __tsan_init != nullptr) {
    return false;
  }
  return files_at_begin_ >= 0 && CountFiles(folders_) == files_at_begin_ && threads_.empty() &&
         IsAlone() && OwnView() == view_;
}

}  // namespace isolate::internal
