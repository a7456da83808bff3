#include "isolate/command/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/command/alive_sandboxes.h"
#include "isolate/command/exit_codes.h"
#include "isolate/command/signal_relay.h"
#include "isolate/command/terminal.h"
#include "isolate/internal/fd.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/result_json.h"
#include "isolate/internal/signals.h"
#include "isolate/result.h"

namespace isolate::command {
namespace {

using internal::Fd;

std::string ErrorText(int error) {
  return absl::StrCat(strerrorname_np(error), " (", strerrordesc_np(error), ")");
}

int WrongUse(absl::string_view message) {
  std::cerr << "isolate enter: " << message << "\n";
  return kWrongUseExitCode;
}

bool IsNamedBy(const AliveSandbox& sandbox, absl::string_view name) {
  pid_t pid = 0;
  if (!absl::SimpleAtoi(name, &pid)) {
    // Anybody can give a process any name: only one's own are believed.
    return sandbox.uid == geteuid() &&
           std::any_of(sandbox.processes.begin(), sandbox.processes.end(),
                       [&](const AliveProcess& process) {
                         return process.test == name || process.suite == name;
                       });
  }
  return sandbox.init == pid || sandbox.runner == pid ||
         std::any_of(sandbox.processes.begin(), sandbox.processes.end(),
                     [&](const AliveProcess& process) { return process.pid == pid; });
}

// Of which a process runs several tests, one of which may be that one.
std::string SuiteOf(const AliveSandboxes& alive, absl::string_view test) {
  for (const AliveSandbox& sandbox : alive.sandboxes) {
    for (const AliveProcess& process : sandbox.processes) {
      if (!process.suite.empty() && absl::StartsWith(test, absl::StrCat(process.suite, "."))) {
        return process.suite;
      }
    }
  }
  return "";
}

// The one that is meant: a runner, or a name of a test, may stand for several.
absl::StatusOr<AliveSandbox> Find(const std::string& name) {
  std::vector<AliveSandbox> found;
  const AliveSandboxes alive = FindAliveSandboxes();
  for (const AliveSandbox& sandbox : alive.sandboxes) {
    if (IsNamedBy(sandbox, name)) {
      found.push_back(sandbox);
    }
  }
  // Those that were made ahead are not meant, if there is one that is in use.
  const auto first_empty =
      std::stable_partition(found.begin(), found.end(),
                            [](const AliveSandbox& sandbox) { return !sandbox.processes.empty(); });
  if (first_empty != found.begin()) {
    found.erase(first_empty, found.end());
  }
  if (found.empty()) {
    const std::string suite = SuiteOf(alive, name);
    return absl::NotFoundError(absl::StrCat(
        name, ": no sandbox that may be looked into has such a process, init, runner or test",
        alive.hidden > 0 ? absl::StrCat(" (", alive.hidden, " are other users')") : "",
        suite.empty()
            ? "; see isolate list"
            : absl::StrCat("; a process that runs tests of its suite: isolate enter ", suite)));
  }
  if (found.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": this stands for ", found.size(), " sandboxes; name one by its init: ",
                     absl::StrJoin(found, ", ", [](std::string* out, const AliveSandbox& sandbox) {
                       absl::StrAppend(out, sandbox.init);
                     })));
  }
  return found.front();
}

// CLONE_NEW* of those that are not the caller's already: an ordinary user may not enter his own.
int NamespacesToJoin(const Namespaces& inside) {
  static constexpr struct {
    const char* kind;
    int flag;
  } kFlags[] = {{"pid", CLONE_NEWPID},       {"net", CLONE_NEWNET},  {"ipc", CLONE_NEWIPC},
                {"uts", CLONE_NEWUTS},       {"mnt", CLONE_NEWNS},   {"user", CLONE_NEWUSER},
                {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};
  int namespaces = 0;
  for (const std::string& kind : internal::KindsThatDiffer(inside, internal::OwnNamespaces())) {
    for (const auto& flag : kFlags) {
      namespaces |= kind == flag.kind ? flag.flag : 0;
    }
  }
  return namespaces;
}

// Root becomes the user whose sandbox it is: what is executed there is what that user put there.
absl::Status BecomeOwnerOf(const AliveSandbox& sandbox) {
  if (geteuid() != 0 || sandbox.uid == 0) {
    return absl::OkStatus();
  }
  // For setresuid(2) such an id means to change nothing.
  if (sandbox.uid == kNoId || sandbox.gid == kNoId) {
    return absl::NotFoundError("the sandbox has ended");
  }
  if (setgroups(1, &sandbox.gid) != 0 || setresgid(sandbox.gid, sandbox.gid, sandbox.gid) != 0 ||
      setresuid(sandbox.uid, sandbox.uid, sandbox.uid) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot become the user with the uid ",
                                                   sandbox.uid, ": ", ErrorText(errno)));
  }
  return absl::OkStatus();
}

// Puts the calling process, and its children, into the sandbox; with its root folder, and where
// that has it, the working directory.
absl::Status Join(const AliveSandbox& sandbox) {
  const int namespaces = NamespacesToJoin(sandbox.namespaces);
  if (namespaces == 0) {
    return absl::FailedPreconditionError("it has no namespace but the caller's own");
  }
  const Fd init(internal::raw::PidfdOpen(sandbox.init));
  const Fd root(open(absl::StrCat("/proc/", sandbox.init, "/root").c_str(),
                     O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!init.valid() || !root.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot reach the sandbox: ", ErrorText(errno)));
  }
  // The init may have ended, and another process have its number.
  if (internal::NamespacesOf(absl::StrCat("/proc/", sandbox.init)).mnt != sandbox.namespaces.mnt) {
    return absl::NotFoundError("the sandbox has ended");
  }
  std::error_code error;
  const std::string directory = std::filesystem::current_path(error).string();
  if (namespaces != 0 && internal::raw::Setns(init.get(), namespaces) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot join the sandbox: ", ErrorText(errno),
                            errno == EPERM ? "; only root and the user who runs it may" : ""));
  }
  if ((namespaces & CLONE_NEWNS) != 0 && (fchdir(root.get()) != 0 || chroot(".") != 0 ||
                                          (chdir(directory.c_str()) != 0 && chdir("/") != 0))) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot enter the sandbox's root folder: ", ErrorText(errno)));
  }
  return absl::OkStatus();
}

[[noreturn]] void Execute(std::vector<std::string> command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& argument : command) {
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int error = errno;
  std::cerr << "isolate enter: cannot execute " << command.front() << ": " << ErrorText(error)
            << "\n";
  _exit(error == ENOENT ? kNotFoundExitCode : kNotExecutableExitCode);
}

// Waits for the process's end, and passes on what comes until then.
int Wait(pid_t process, SignalRelay& relay, const Terminal& terminal, const Fd& woken) {
  for (;;) {
    siginfo_t ended = {};
    if (waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOHANG) == 0 &&
        ended.si_pid == process) {
      terminal.TakeBack();
      return ended.si_code == CLD_EXITED ? ended.si_status : kSignalExitCode + ended.si_status;
    }
    relay.PassOn(process);
    terminal.StopWith(process);
    terminal.LendTo(process);
    pollfd ready = {woken.get(), POLLIN, 0};
    eventfd_t count;
    if (poll(&ready, 1, -1) == 1) {
      (void)eventfd_read(woken.get(), &count);
    }
  }
}

int RunInside(const std::vector<std::string>& command) {
  const Terminal terminal;
  const Fd woken = internal::AboveStandardStreams(Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  absl::optional<internal::ScopedSignalBlock> block(absl::in_place);
  const pid_t process = fork();
  if (process == 0) {
    if (terminal.began_in_background()) {
      setpgid(0, 0);
    }
    block.reset();
    Execute(command);
  }
  if (process < 0) {
    std::cerr << "isolate enter: cannot start a process in the sandbox: " << ErrorText(errno)
              << "\n";
    return kNotIsolatedExitCode;
  }
  // Not before the fork: its handlers are not for the process inside.
  SignalRelay relay(/*stops=*/terminal.valid(), [&] { (void)eventfd_write(woken.get(), 1); });
  relay.Begin(process);
  block.reset();
  return Wait(process, relay, terminal, woken);
}

}  // namespace

std::string EnterHelp() {
  return "usage: isolate enter PID|TEST [[--] COMMAND [ARGUMENTS]]\n"
         "\n"
         "Runs a command, or a shell ($SHELL, or else /bin/sh), in a sandbox that is\n"
         "alive, in every namespace of it, with the caller's environment; as root, in\n"
         "another user's with that user's rights.  It ends with the sandbox, and the\n"
         "sandbox does not wait for it.\n"
         "\n"
         "  PID\n"
         "      of the sandbox's init, of a process in it, as isolate list shows them, or\n"
         "      of the program that runs it, if it runs one\n"
         "  TEST\n"
         "      as Suite.Test, or a suite, that a process in it runs, as isolate list shows\n"
         "      it; of one's own sandboxes only\n"
         "  --help\n"
         "      prints this\n"
         "\n"
         "The exit code is the command's, or 128 + N where signal N ended it; 2: wrong\n"
         "use, or there is no such sandbox; 3: it cannot be entered; 126: the command\n"
         "could not be executed; 127: there is no such command.\n";
}

int Enter(int argc, char** argv) {
  static constexpr option kOptions[] = {{"help", no_argument, nullptr, 'h'},
                                        {nullptr, 0, nullptr, 0}};
  opterr = 0;
  optind = 0;
  for (int id; (id = getopt_long(argc, argv, "+h", kOptions, nullptr)) != -1;) {
    if (id == 'h') {
      std::cout << EnterHelp();
      return 0;
    }
    return WrongUse(
        absl::StrCat(argv[optind - 1], ": there is no such option; see isolate enter --help"));
  }
  if (optind == argc) {
    return WrongUse("write isolate enter PID|TEST [-- COMMAND [ARGUMENTS]]");
  }
  const std::string name = argv[optind++];
  if (name.empty()) {
    return WrongUse("the name of the sandbox is empty; see isolate list");
  }
  if (optind < argc && absl::string_view(argv[optind]) == "--") {
    ++optind;
  }
  std::vector<std::string> command(argv + optind, argv + argc);
  if (command.empty()) {
    const char* shell = getenv("SHELL");
    command.emplace_back(shell != nullptr && *shell != '\0' ? shell : "/bin/sh");
  }
  const absl::StatusOr<AliveSandbox> sandbox = Find(name);
  if (!sandbox.ok()) {
    return WrongUse(sandbox.status().message());
  }
  absl::Status status = BecomeOwnerOf(*sandbox);
  if (status.ok()) {
    status = Join(*sandbox);
  }
  if (!status.ok()) {
    std::cerr << "isolate enter: " << status.message() << "\n";
    return kNotIsolatedExitCode;
  }
  // Not by exit: children of this process are in another pid namespace now, into which the one
  // cannot follow with which LeakSanitizer looks at it.
  _exit(RunInside(command));
}

}  // namespace isolate::command
