#include "isolate/internal/init.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "isolate/internal/auditor.h"
#include "isolate/internal/control.h"
#include "isolate/internal/frame_channel.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/internal/pass_descriptor.h"
#include "isolate/internal/post_mortem.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/realtime.h"
#include "isolate/internal/sandbox_plan.h"
#include "isolate/internal/step_log.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

// An init that is being set up.
class Init {
 public:
  Init(const SandboxPlan& plan, const InitDescriptors& descriptors, int64_t begun_ns)
      : plan_(plan),
        descriptors_(descriptors),
        channel_(descriptors.post_mortem),
        auditor_(plan.audit_token, channel_),
        post_mortem_(plan.leaks) {
    steps_.begun_ns = begun_ns;
  }

  // Each step ends the process with a message to the runner where it fails.
  void DieWithHelper();
  void MakeMounts();
  void BringLoopbackUp();
  void SetHostname();
  void SpreadPids();
  void Announce(bool in_user_namespace);
  void LetGo();
  [[noreturn]] void Serve();

 private:
  bool Obey();
  [[noreturn]] void Fail(Step step, int mount_op = -1);
  void ReadNamespaces(Namespaces& namespaces);
  void Did(Step step) { steps_.Add(step, RealtimeNanoseconds()); }
  int Perform(const MountOp& op);
  int PerformCopy(const MountOp& op);
  int Restore(const MountOp& op);

  const SandboxPlan& plan_;
  const InitDescriptors descriptors_;
  FrameChannel channel_;
  Auditor auditor_;
  PostMortem post_mortem_;
  StepLog steps_;
  // What has been put into folders that are copies.
  int trees_[kMaxFolders];
  size_t tree_count_ = 0;
  int kept_[kMaxKept];
  int queues_ = -1;
};

void Init::Fail(Step step, int mount_op) {
  ControlMessage message;
  message.step = step;
  message.error = errno;
  message.mount_op = mount_op;
  raw::WriteAll(descriptors_.answered, "x", 1);
  SendControl(descriptors_.control, message, {});
  raw::Exit(1);
}

void Init::DieWithHelper() {
  // The helper has one thread, so the signal comes when the helper ends and not
  // before (prctl(2)).  If it ended before the prctl, the pidfd tells.
  pollfd ended = {descriptors_.helper, POLLIN, 0};
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    Fail(Step::kAnnounce);
  }
  if (poll(&ended, 1, 0) != 0) {
    raw::Exit(1);
  }
  Did(Step::kCloneInit);
}

// The flags of the mount that `path` is on, which are locked in a user
// namespace: a mount that repeats it with fewer is EPERM (mount_namespaces(7)).
int GetMountFlags(const char* path, unsigned long* flags) {
  struct statvfs now;
  if (statvfs(path, &now) != 0) {
    return -1;
  }
  // A table, because the MS_ constants are of an enum in some versions of glibc.
  static constexpr struct {
    unsigned long status;
    unsigned long mount;
  } kFlags[] = {
      {ST_RDONLY, MS_RDONLY},     {ST_NOSUID, MS_NOSUID},   {ST_NODEV, MS_NODEV},
      {ST_NOEXEC, MS_NOEXEC},     {ST_NOATIME, MS_NOATIME}, {ST_NODIRATIME, MS_NODIRATIME},
      {ST_RELATIME, MS_RELATIME},
  };
  *flags = 0;
  for (const auto& flag : kFlags) {
    *flags |= (now.f_flag & flag.status) != 0 ? flag.mount : 0;
  }
  return 0;
}

// Mounts a file system of the kernel's own over the one of that kind that is
// there: read-only where that one is, as in many containers.
int MountKernelFs(const char* type, const char* target) {
  unsigned long flags = 0;
  if (GetMountFlags(target, &flags) != 0) {
    return -1;
  }
  return mount(type, target, type, flags | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
}

int MakeReadOnly(const char* path) {
  if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return -1;
  }
  return raw::MakeTreeReadOnly(path);
}

// Mounts a tmpfs on a folder, and on that an overlay of what was there; what is written goes to
// the tmpfs, where `written` shows it.  The folders are given by descriptor, as a path may have a
// colon or a comma in it.
int CoverWithCopy(const char* path, const char* tmpfs_data, int* written) {
  struct stat before;
  const int lower = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (lower < 0 || fstat(lower, &before) != 0 ||
      mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, tmpfs_data) != 0) {
    return -1;
  }
  const int tmpfs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (tmpfs < 0 || mkdirat(tmpfs, "upper", 0700) != 0 || mkdirat(tmpfs, "work", 0700) != 0 ||
      fchmodat(tmpfs, "upper", before.st_mode & 07777, 0) != 0) {
    return -1;
  }
  // The owner may have no id in a user namespace; then it is the caller's.
  (void)!fchownat(tmpfs, "upper", before.st_uid, before.st_gid, 0);
  // What overlayfs notes of a folder that was replaced, and of hard links, goes to attributes that
  // only the first user namespace's root may write; without, to those that every user may, and less
  // is noted.
  int mounted = -1;
  for (const char* notes : {"redirect_dir=on,index=on", "userxattr"}) {
    char data[192];
    // No malloc for numbers.
    snprintf(data, sizeof(data),
             "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d/upper,"
             "workdir=/proc/self/fd/%d/work,%s",
             lower, tmpfs, tmpfs, notes);
    mounted = mount("overlay", path, "overlay", MS_NOSUID | MS_NODEV, data);
    if (mounted == 0 || errno != EPERM) {
      break;
    }
  }
  const int error = errno;
  *written = openat(tmpfs, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  close(lower);
  close(tmpfs);
  errno = error;
  return mounted;
}

void Init::MakeMounts() {
  if ((plan_.namespaces & CLONE_NEWNS) == 0) {
    return;
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    Fail(Step::kPrivateMounts);
  }
  Did(Step::kPrivateMounts);
  for (size_t i = 0; i < plan_.mount_op_count; ++i) {
    const MountOp& op = plan_.mount_ops[i];
    if (Perform(op) != 0 && !(op.optional && errno == ENOENT)) {
      Fail(op.step, static_cast<int>(i));
    }
    Did(op.step);
  }
}

// Moves a mount of ours from below what covers it by now, which is cheaper than a copy of it and of
// all below.  What is no mount, or is locked to its place as what was there before a user namespace
// was (EINVAL, mount_namespaces(7)), is copied.
int MoveOrCopy(int mount, const char* path) {
  int moved = raw::MoveMount(mount, path);
  if (moved == 0 || errno != EINVAL) {
    return moved;
  }
  const int copy = raw::CopyTree(mount);
  moved = copy < 0 ? -1 : raw::MoveMount(copy, path);
  const int error = errno;
  close(copy);
  errno = error;
  return moved;
}

int Init::Perform(const MountOp& op) {
  const char* path = op.path.c_str();
  switch (op.action) {
    case MountOp::Action::kKeep:
      // What is optional is a mount of the host's, and wanted nowhere but in its place.
      kept_[op.slot] = op.optional ? raw::OpenMount(path) : raw::OpenTree(path);
      return kept_[op.slot] < 0 ? -1 : 0;
    case MountOp::Action::kTmpfs:
      // It may lie in a tmpfs that was mounted just before.
      if (raw::MakeParents(path) != 0 || (mkdir(path, 0755) != 0 && errno != EEXIST)) {
        return -1;
      }
      return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, op.data.c_str());
    case MountOp::Action::kCopy:
      return PerformCopy(op);
    case MountOp::Action::kProc:
      return MountKernelFs("proc", path);
    case MountOp::Action::kSysfs:
      return MountKernelFs("sysfs", path);
    case MountOp::Action::kMqueue:
      if (MountKernelFs("mqueue", path) != 0) {
        return op.optional ? 0 : -1;
      }
      if (plan_.leaks != nullptr) {
        queues_ = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      }
      return 0;
    case MountOp::Action::kRestore:
      return Restore(op);
    case MountOp::Action::kReadOnly:
      return MakeReadOnly(path);
  }
  errno = EINVAL;
  return -1;
}

int Init::PerformCopy(const MountOp& op) {
  int written = -1;
  const int covered = CoverWithCopy(op.path.c_str(), op.data.c_str(), &written);
  if (covered == 0 && written >= 0 && tree_count_ < kMaxFolders) {
    post_mortem_.SetTree(op.path.c_str(), written);
    trees_[tree_count_++] = written;
  }
  return covered;
}

int Init::Restore(const MountOp& op) {
  const int tree = kept_[op.slot];
  if (tree < 0) {
    errno = ENOENT;  // optional, and not there when it was to be kept
    return -1;
  }
  const char* path = op.path.c_str();
  struct stat kept;
  if (fstat(tree, &kept) != 0) {
    return -1;
  }
  // In a fresh tmpfs there is nothing to mount on yet; in /proc and /sys the
  // place is there or will never be.
  if (!op.optional) {
    if (raw::MakeParents(path) != 0) {
      return -1;
    }
    if (S_ISDIR(kept.st_mode)) {
      if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return -1;
      }
    } else {
      const int place = open(path, O_CREAT | O_CLOEXEC | O_RDONLY, 0644);
      if (place < 0) {
        return -1;
      }
      close(place);
    }
  }
  const int moved = op.optional ? MoveOrCopy(tree, path) : raw::MoveMount(tree, path);
  const int error = errno;
  close(tree);
  errno = error;
  return moved;
}

void Init::BringLoopbackUp() {
  if (!plan_.loopback) {
    return;
  }
  const int any_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any_socket < 0) {
    Fail(Step::kLoopback);
  }
  // IFF_UP alone brings 127.0.0.1/8 and ::1 (netdevice(7)).
  ifreq request = {};
  memcpy(request.ifr_name, "lo", sizeof("lo"));
  request.ifr_flags = IFF_UP;
  if (ioctl(any_socket, SIOCSIFFLAGS, &request) != 0) {
    Fail(Step::kLoopback);
  }
  close(any_socket);
  Did(Step::kLoopback);
}

void Init::SetHostname() {
  if (plan_.hostname == nullptr) {
    return;
  }
  if (sethostname(plan_.hostname, strlen(plan_.hostname)) != 0) {
    Fail(Step::kHostname);
  }
  Did(Step::kHostname);
}

// In every sandbox the first process would have the number 2, and files that tests name by it would
// meet, which outside they do not.  So each sandbox's numbers begin elsewhere: a stride that has no
// divisor in common with the range leads to every place once before it comes back.  Where the
// kernel has no ns_last_pid (CONFIG_CHECKPOINT_RESTORE), they all begin with 2.
void Init::SpreadPids() {
  if (plan_.audit_token == 0) {
    return;
  }
  constexpr uint32_t kFirst = 1000;
  constexpr uint32_t kRange = 31'000;  // within the smallest pid_max (proc(5))
  constexpr uint32_t kStride = 12'289;
  char text[16];
  const int size =
      snprintf(text, sizeof(text), "%u", kFirst + descriptors_.number % kRange * kStride % kRange);
  raw::WriteFile("/proc/sys/kernel/ns_last_pid", text, static_cast<size_t>(size));
}

void Init::ReadNamespaces(Namespaces& namespaces) {
  const struct {
    const char* path;
    ino_t* number;
  } kinds[] = {
      {"/proc/self/ns/pid", &namespaces.pid},       {"/proc/self/ns/net", &namespaces.net},
      {"/proc/self/ns/ipc", &namespaces.ipc},       {"/proc/self/ns/uts", &namespaces.uts},
      {"/proc/self/ns/mnt", &namespaces.mnt},       {"/proc/self/ns/user", &namespaces.user},
      {"/proc/self/ns/cgroup", &namespaces.cgroup}, {"/proc/self/ns/time", &namespaces.time},
  };
  for (const auto& kind : kinds) {
    struct stat now;
    // A kernel may be built without one of the kinds; its number stays 0.
    if (stat(kind.path, &now) == 0) {
      *kind.number = now.st_ino;
    } else if (errno != ENOENT) {
      Fail(Step::kAnnounce);
    }
    if (!plan_.tells_namespaces) {
      break;  // the pid namespace is always wanted
    }
  }
}

void Init::Announce(bool in_user_namespace) {
  ControlMessage message;
  message.ready = true;
  message.files = post_mortem_.Begin();
  message.in_user_namespace = in_user_namespace;
  ReadNamespaces(message.namespaces);
  const Handles handles = {raw::PidfdOpen(getpid()), open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
                           descriptors_.runners_end, queues_};
  if (handles.init < 0 || handles.root < 0) {
    Fail(Step::kAnnounce);
  }
  Did(Step::kAnnounce);
  message.steps = steps_;
  // Before the answer: the runner may use the sandbox and kill us right after it.
  raw::WriteAll(descriptors_.answered, "x", 1);
  if (SendControl(descriptors_.control, message, handles) != 0) {
    Fail(Step::kAnnounce);
  }
}

// Nothing of the runner's may stay open here: neither a pipe that somebody waits to see closed, nor
// a folder that could not be unmounted outside.
void Init::LetGo() {
  int keep[1 + kMaxFolders];
  size_t count = 0;
  for (size_t i = 0; i < tree_count_; ++i) {
    keep[count++] = trees_[i];
  }
  if (descriptors_.post_mortem >= 0) {
    keep[count++] = descriptors_.post_mortem;
  }
  std::sort(keep, keep + count);
  raw::CloseFrom(0, keep, count);
  // A working directory in the old tree would keep that busy, too.
  if ((plan_.namespaces & CLONE_NEWNS) != 0 && chdir("/") != 0) {
    raw::Exit(1);
  }
}

// SIGCHLD is ignored (the helper saw to it), so the kernel reaps orphans by itself (wait(2)).
void Init::Serve() {
  pollfd ready[] = {{descriptors_.post_mortem, POLLIN, 0}, {-1, POLLIN, 0}};
  for (;;) {
    ready[1].fd = auditor_.listener();
    if (ready[0].fd < 0 && ready[1].fd < 0) {
      pause();
    } else if (poll(ready, 2, -1) < 0) {
      continue;
    }
    if ((ready[1].revents & POLLIN) != 0) {
      auditor_.Answer();
    } else if (ready[1].fd >= 0 && ready[1].revents != 0) {
      auditor_.End();
    }
    if (ready[0].fd >= 0 && ready[0].revents != 0 && !Obey()) {
      ready[0].fd = -1;
    }
  }
}

// Does what the runner, or the test's process, asks for; false where the runner wants no more of
// us.
bool Init::Obey() {
  char request;
  const Received received =
      ReceiveWithDescriptors(descriptors_.post_mortem, &request, sizeof(request), 0);
  if (received.size != 1) {
    return false;
  }
  if (request == kAudit || request == kAuditOnce) {
    auditor_.Begin(received.descriptors[0], request == kAuditOnce);
    return true;
  }
  auditor_.TellRest();
  post_mortem_.Tell(request == kLookAlone || request == kLookAloneAndEnd, channel_);
  if (request == kLookAndEnd || request == kLookAloneAndEnd) {
    raw::Exit(0);
  }
  return true;
}

}  // namespace

void RunInit(const SandboxPlan& plan, const InitDescriptors& descriptors, bool in_user_namespace,
             int64_t begun_ns) {
  prctl(PR_SET_NAME, "isolate-init", 0, 0, 0);
  Init init(plan, descriptors, begun_ns);
  init.DieWithHelper();
  init.MakeMounts();
  init.BringLoopbackUp();
  init.SetHostname();
  init.SpreadPids();
  init.Announce(in_user_namespace);
  init.LetGo();
  init.Serve();
}

}  // namespace isolate::internal
