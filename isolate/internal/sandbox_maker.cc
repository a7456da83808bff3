#include "isolate/internal/sandbox_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>

#include "isolate/internal/control.h"
#include "isolate/internal/init.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/realtime.h"
#include "isolate/internal/sandbox_plan.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

class SandboxMaker {
 public:
  SandboxMaker(const SandboxPlan& plan, MakerDescriptors descriptors, bool in_user_namespace)
      : plan_(plan), descriptors_(descriptors), in_user_namespace_(in_user_namespace) {}

  void FollowTheRunner();
  [[noreturn]] void Serve();

 private:
  void Answer(Step step, int error, int namespaces_refused = 0);
  int NamespacesRefused();
  void MakeSandbox();
  void EndSetup(size_t index);
  [[noreturn]] void End();

  const SandboxPlan& plan_;
  const MakerDescriptors descriptors_;
  const bool in_user_namespace_;
  int runner_ = -1;  // pidfd
  int self_ = -1;    // pidfd

  // For each init that is being set up, the reading end of a pipe: a byte comes
  // when it answers the runner, and the end of the stream if it died
  // before that.
  static constexpr size_t kMaxSetups = 16;
  int setups_[kMaxSetups];
  size_t setup_count_ = 0;
  uint32_t made_ = 0;
};

void SandboxMaker::Answer(Step step, int error, int namespaces_refused) {
  ControlMessage message;
  message.namespaces_refused = namespaces_refused;
  message.step = step;
  message.error = error;
  SendControl(descriptors_.control, message, {});
}

// A pidfd becomes readable when the whole process has ended, not just the
// thread that forked us, as PR_SET_PDEATHSIG would have it.
void SandboxMaker::FollowTheRunner() {
  runner_ = raw::PidfdOpen(plan_.runner);
  self_ = raw::PidfdOpen(getpid());
  if (runner_ < 0 || self_ < 0) {
    Answer(Step::kForkHelper, errno);
    raw::Exit(1);
  }
  if (getppid() != plan_.runner) {
    raw::Exit(1);
  }
}

// One clone refuses all of them together, so each is asked for alone: CLONE_NEW* of those that the
// kernel refuses then.
int SandboxMaker::NamespacesRefused() {
  int refused = 0;
  for (const int kind :
       {CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNS, CLONE_NEWCGROUP}) {
    if ((plan_.namespaces & kind) == 0) {
      continue;
    }
    const pid_t child = raw::Clone(kind);
    if (child == 0) {
      raw::Exit(0);
    }
    refused |= child < 0 ? kind : 0;
  }
  return refused;
}

void SandboxMaker::MakeSandbox() {
  const int64_t begun_ns = RealtimeNanoseconds();
  int answered[2];
  if (pipe2(answered, O_CLOEXEC) != 0) {
    Answer(Step::kCloneInit, errno);
    return;
  }
  // Here and not in the sandbox, where its network would show it.
  int post_mortem[2] = {-1, -1};
  if (plan_.reaches_init() &&
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, post_mortem) != 0) {
    Answer(Step::kCloneInit, errno);
    close(answered[0]);
    close(answered[1]);
    return;
  }
  const pid_t init = raw::Clone(plan_.namespaces);
  if (init == 0) {
    RunInit(plan_,
            {descriptors_.control, answered[1], self_, post_mortem[0], post_mortem[1], made_},
            in_user_namespace_, begun_ns);
  }
  const int error = errno;
  close(answered[1]);
  if (plan_.reaches_init()) {
    close(post_mortem[0]);
    close(post_mortem[1]);
  }
  if (init < 0) {
    // A host that has let us make one refuses none; it lacks room, which more of them would take.
    Answer(Step::kCloneInit, error, made_ == 0 ? NamespacesRefused() : 0);
    close(answered[0]);
    return;
  }
  ++made_;
  setups_[setup_count_++] = answered[0];
}

// One that died without an answer is answered for: the runner waits for it.
void SandboxMaker::EndSetup(size_t index) {
  char byte;
  if (read(setups_[index], &byte, 1) != 1) {
    Answer(Step::kAnnounce, ESRCH);
  }
  close(setups_[index]);
  setups_[index] = setups_[--setup_count_];
}

void SandboxMaker::Serve() {
  for (;;) {
    pollfd ready[3 + kMaxSetups];
    ready[0] = {setup_count_ < kMaxSetups ? descriptors_.requests : -1, POLLIN, 0};
    ready[1] = {runner_, POLLIN, 0};
    ready[2] = {descriptors_.control, POLLIN, 0};  // nothing comes there but its end
    for (size_t i = 0; i < setup_count_; ++i) {
      ready[3 + i] = {setups_[i], POLLIN, 0};
    }
    if (poll(ready, 3 + setup_count_, -1) < 0) {
      if (errno == EINTR) {
        continue;
      }
      End();  // nothing can be made any more, and the runner is told by our end
    }
    if (ready[1].revents != 0) {
      raw::Exit(0);  // the inits follow: PR_SET_PDEATHSIG
    }
    if (ready[2].revents != 0) {
      End();
    }
    // From the last on: the last one takes the place of one that is removed.
    for (size_t i = setup_count_; i > 0; --i) {
      if (ready[2 + i].revents != 0) {
        EndSetup(i - 1);
      }
    }
    eventfd_t request;
    if (ready[0].revents != 0 && eventfd_read(descriptors_.requests, &request) == 0) {
      MakeSandbox();
    }
  }
}

// The runner let go of us: kill every init, and wait until all are gone, so
// that nothing is left when the runner has waited for us.  Should the runner
// have left its group, we die by our own signal, and the inits after us.
void SandboxMaker::End() {
  const pid_t group = getpgrp();
  setpgid(0, plan_.runner_group);
  kill(-group, SIGKILL);
  while (wait(nullptr) >= 0 || errno == EINTR) {
  }
  raw::Exit(0);
}

}  // namespace

void MakeSandboxes(const SandboxPlan& plan, MakerDescriptors descriptors, bool in_user_namespace) {
  SandboxMaker maker(plan, descriptors, in_user_namespace);
  maker.FollowTheRunner();
  maker.Serve();
}

}  // namespace isolate::internal
