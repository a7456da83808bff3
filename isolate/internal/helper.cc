#include "isolate/internal/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "isolate/internal/control.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/maker_program.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/sandbox_maker.h"
#include "isolate/internal/sandbox_plan.h"
#include "isolate/internal/signals.h"
#include "isolate/internal/strays.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

// What runs in the helper process.  Only raw system calls.
class HelperProcess {
 public:
  HelperProcess(const HelperPlan& plan, const std::string& encoded_plan,
                MakerDescriptors descriptors)
      : plan_(plan), encoded_plan_(encoded_plan), descriptors_(descriptors) {}

  [[noreturn]] void Run();

 private:
  [[noreturn]] void Fail(Step step, int namespaces_refused = 0);
  void LetGoOfTheRunner();
  bool MayCreateNamespaces();
  void EnterUserNamespace();
  pid_t ForkMapper(int start[2]);
  void EnterMountNamespace();
  void ProvideHosts();
  void EnterTimeNamespace();

  const HelperPlan& plan_;
  const std::string& encoded_plan_;  // for the program; empty: it is not to be executed
  const MakerDescriptors descriptors_;
  bool in_user_namespace_ = false;
};

void HelperProcess::Fail(Step step, int namespaces_refused) {
  ControlMessage message;
  message.namespaces_refused = namespaces_refused;
  message.step = step;
  message.error = errno;
  SendControl(descriptors_.control, message, {});
  raw::Exit(1);
}

void HelperProcess::LetGoOfTheRunner() {
  prctl(PR_SET_NAME, "isolate-helper", 0, 0, 0);
  // Ctrl-C goes to the whole foreground group; the runner decides what it means.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  // Folders that lead to a kept path have the mode that is asked for.
  umask(022);
  // A process group for us and the inits, which we can kill by it.
  if (setpgid(0, 0) != 0) {
    Fail(Step::kForkHelper);
  }
  // Every disposition of the runner's goes; the inits inherit that.
  for (int signal = 1; signal < NSIG; ++signal) {
    ::signal(signal, SIG_DFL);
  }
  ::signal(SIGCHLD, SIG_IGN);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const int keep[] = {std::min(descriptors_.control, descriptors_.requests),
                      std::max(descriptors_.control, descriptors_.requests)};
  if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
      raw::CloseFrom(3, keep, 2) != 0 || chdir("/") != 0) {
    Fail(Step::kForkHelper);
  }
}

// By trying it, in a child: whether CAP_SYS_ADMIN is there says nothing of what
// a seccomp filter or a security module thinks.
bool HelperProcess::MayCreateNamespaces() {
  signal(SIGCHLD, SIG_DFL);
  const pid_t child = raw::Clone(0);
  if (child < 0) {
    Fail(Step::kForkHelper);
  }
  if (child == 0) {
    raw::Exit(unshare(CLONE_NEWNS) == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  signal(SIGCHLD, SIG_IGN);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int WriteMap(const char* path, const char* map) { return raw::WriteFile(path, map, strlen(map)); }

// Forks a process that stays outside and maps every id, once it is told that
// the user namespace is there.  It exits with 0 if that worked.
pid_t HelperProcess::ForkMapper(int start[2]) {
  if (pipe2(start, O_CLOEXEC) != 0) {
    Fail(Step::kIdMaps);
  }
  const pid_t helper = getpid();
  const pid_t mapper = raw::Clone(0);
  if (mapper < 0) {
    Fail(Step::kIdMaps);
  }
  if (mapper > 0) {
    return mapper;
  }
  close(start[1]);
  char byte;
  // "/proc/self" would be the mapper's own.  Its parent's folder is found by
  // number, written without stdio.
  char path[64] = "/proc/";
  char digits[16];
  size_t count = 0;
  for (pid_t rest = helper; rest > 0; rest /= 10) {
    digits[count++] = static_cast<char>('0' + rest % 10);
  }
  size_t end = strlen(path);
  while (count > 0) {
    path[end++] = digits[--count];
  }
  if (read(start[0], &byte, 1) != 1) {
    raw::Exit(1);
  }
  memcpy(path + end, "/uid_map", sizeof("/uid_map"));
  if (WriteMap(path, plan_.full_uid_map) != 0) {
    raw::Exit(1);
  }
  memcpy(path + end, "/gid_map", sizeof("/gid_map"));
  raw::Exit(WriteMap(path, plan_.full_gid_map) == 0 ? 0 : 1);
}

void HelperProcess::EnterUserNamespace() {
  if (plan_.user_namespace == UserNamespace::kNever) {
    errno = EPERM;
    Fail(Step::kCloneInit, plan_.sandbox.namespaces);
  }
  int start[2] = {-1, -1};
  pid_t mapper = -1;
  signal(SIGCHLD, SIG_DFL);
  if (plan_.full_uid_map != nullptr) {
    mapper = ForkMapper(start);
  }
  if (unshare(CLONE_NEWUSER) != 0) {
    Fail(Step::kUserNamespace);
  }
  in_user_namespace_ = true;
  // A process whose rights changed is not dumpable, and its /proc files are
  // root's then (proc(5)).
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  bool mapped = false;
  if (mapper > 0) {
    int status = 0;
    if (write(start[1], "x", 1) == 1 && waitpid(mapper, &status, 0) == mapper) {
      mapped = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    close(start[0]);
    close(start[1]);
  }
  signal(SIGCHLD, SIG_IGN);
  if (mapped) {
    return;
  }
  // user_namespaces(7): without rights outside, one id each, and no setgroups.
  // A kernel before 3.19 has no setgroups file.
  if ((WriteMap("/proc/self/setgroups", "deny") != 0 && errno != ENOENT) ||
      WriteMap("/proc/self/uid_map", plan_.own_uid_map) != 0 ||
      WriteMap("/proc/self/gid_map", plan_.own_gid_map) != 0) {
    Fail(Step::kIdMaps);
  }
}

void HelperProcess::EnterMountNamespace() {
  if ((plan_.sandbox.namespaces & CLONE_NEWNS) == 0) {
    return;
  }
  // Slave: what is mounted outside later is seen in later sandboxes, and what
  // is mounted here is not seen outside.
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    Fail(Step::kHelperMounts);
  }
}

// Binds a file of our own over /etc/hosts, once for all sandboxes.  The file
// must lie on a mount of this namespace, so a tmpfs is mounted for the moment.
void HelperProcess::ProvideHosts() {
  if (plan_.hosts == nullptr) {
    return;
  }
  if (mount("tmpfs", plan_.staging, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755") != 0 ||
      chdir(plan_.staging) != 0) {
    Fail(Step::kHostsFile);
  }
  const int file = open("hosts", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0 || raw::WriteAll(file, plan_.hosts, strlen(plan_.hosts)) != 0 ||
      fchmod(file, 0644) != 0 || mount("hosts", "/etc/hosts", nullptr, MS_BIND, nullptr) != 0 ||
      chdir("/") != 0 || umount2(plan_.staging, MNT_DETACH) != 0) {
    Fail(Step::kHostsFile);
  }
  close(file);
}

void HelperProcess::EnterTimeNamespace() {
  if (!plan_.has_time_offset) {
    return;
  }
  // time_namespaces(7): children are in it; offsets can be written until the
  // first one is.  It has no state but the offsets, so all sandboxes share it.
  if (unshare(CLONE_NEWTIME) != 0 || raw::WriteFile("/proc/self/timens_offsets", plan_.time_offsets,
                                                    strlen(plan_.time_offsets)) != 0) {
    Fail(Step::kTimeNamespace);
  }
}

void HelperProcess::Run() {
  LetGoOfTheRunner();
  const bool wants_rights = plan_.sandbox.namespaces != 0 || plan_.has_time_offset;
  if (plan_.user_namespace == UserNamespace::kAlways || (wants_rights && !MayCreateNamespaces())) {
    EnterUserNamespace();
  }
  EnterMountNamespace();
  ProvideHosts();
  EnterTimeNamespace();
  if (!encoded_plan_.empty()) {
    ExecuteMaker(encoded_plan_, descriptors_, in_user_namespace_);
  }
  MakeSandboxes(plan_.sandbox, descriptors_, in_user_namespace_);
}

// How long the inits may take to end before something must be in their way, and
// how often that is looked for.
constexpr int kPatienceMs = 100;
constexpr int kMaxRounds = 100;

}  // namespace

absl::StatusOr<Helper> Helper::Start(const HelperPlan& plan, bool own_program) {
  FdPair control = MakeSeqpacketPair();
  if (!control.valid()) {
    return ToStatus({Step::kForkHelper, errno, ""});
  }
  Fd requests = AboveStandardStreams(Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)));
  if (!requests.valid()) {
    return ToStatus({Step::kForkHelper, errno, ""});
  }
  const std::string encoded_plan = own_program ? Encode(plan.sandbox) : "";
  const ScopedSignalBlock block;
  // A raw clone: the helper stays clear of everything that at-fork handlers
  // are for, and a sanitizer's handler would start a thread in it.
  const pid_t pid = raw::Clone(0);
  if (pid < 0) {
    return ToStatus({Step::kForkHelper, errno, ""});
  }
  if (pid == 0) {
    HelperProcess(plan, encoded_plan, {control.theirs.get(), requests.get()}).Run();
  }
  Fd process = AboveStandardStreams(Fd(raw::PidfdOpen(pid)));
  const int error = errno;
  if (!process.valid()) {
    control.ours.Reset();  // the end of it for the helper
    waitpid(pid, nullptr, 0);
    return ToStatus({Step::kForkHelper, error, ""});
  }
  return Helper(pid, std::move(process), std::move(control.ours), std::move(requests));
}

void Helper::Stop(const absl::flat_hash_set<ino_t>& pid_namespaces) {
  if (!control_.valid()) {
    return;  // stopped, or moved from
  }
  // Not closing alone: a process that the caller forked may hold a copy.
  shutdown(control_.get(), SHUT_RDWR);
  control_.Reset();
  pollfd ended = {process_.get(), POLLIN, 0};
  // It ends when the last init does, and an init when nobody in its namespace is
  // left to be waited for.
  for (int round = 0; poll(&ended, 1, kPatienceMs) == 0; ++round) {
    ReapStrays(pid_namespaces);
    if (round == kMaxRounds) {
      raw::PidfdSendSignal(process_.get(), SIGKILL);
    }
  }
  // ECHILD: the runner ignores SIGCHLD, or somebody else waited for it.
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool Helper::IsGone() const {
  pollfd control = {control_.get(), POLLRDHUP, 0};
  return poll(&control, 1, 0) == 1;
}

// An eventfd, and not the socket: the kernel takes a send for the last thing that a process does
// before it sleeps, and wakes who hears of it on the same processor
// (wake_up_interruptible_sync_poll in net/core/sock.c), where the helper would keep the runner from
// going on.
void Helper::Request() { (void)eventfd_write(requests_.get(), 1); }

}  // namespace isolate::internal
