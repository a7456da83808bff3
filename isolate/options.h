#ifndef ISOLATE_OPTIONS_H_
#define ISOLATE_OPTIONS_H_

// What a sandbox is like, and what runs in it.
//
// The defaults are the whole sandbox: fresh pid, net, ipc, uts and mount
// namespaces, a loopback interface that is up and nothing beside it, private
// tmpfs on /tmp, /var/tmp, /dev/shm and the scratch folder, fresh /proc and
// /sys.
//
//   isolate::Options options;
//   options.hostname = "node-1";
//   options.timeout = absl::Seconds(10);
//   absl::StatusOr<isolate::Result> result =
//       isolate::RunCommand(options, {"ip", "address"});
//   if (!result.ok()) {
//     std::cerr << result.status().message() << "\n";   // not isolated
//   }
//
// It is an isolation tool and no security boundary: a process in a sandbox runs
// with the caller's uid and rights, and sees the caller's files.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/leak.h"

namespace isolate {

enum class Network {
  kLoopback,  // a network stack of its own, lo up with 127.0.0.1/8 and ::1
  kNone,      // a network stack of its own, in which lo is down too
  kHost,      // the caller's network stack
};

enum class UserNamespace {
  kIfNeeded,  // only where the caller may not create the other namespaces
  kAlways,
  kNever,  // an error where it would be needed
};

enum class Streams {
  kCaptured,   // stdin is /dev/null; what goes to stdout and stderr is in Result
  kInherited,  // the caller's own
};

struct Options {
  // A pid namespace of its own: the function runs as pid 2, under an init that
  // reaps orphans, and /proc shows nothing but the sandbox.  When the function
  // ends, or the caller does, every process that it left is killed; without one,
  // those that it left live on.  Needs `mount_namespace`,
  // because pids repeat and files named by them would collide.
  bool pid_namespace = true;

  // What network there is.  The most expensive namespace: two thirds of the cost of
  // a sandbox.  Without `mount_namespace`, /sys goes on showing the caller's.
  Network network = Network::kLoopback;

  // System V IPC and POSIX message queues of its own.  Without `mount_namespace`,
  // /dev/mqueue goes on showing the caller's queues.
  bool ipc_namespace = true;

  // A host name of its own, `hostname`, which resolves to 127.0.0.1 through
  // /etc/hosts (where that file exists and `mount_namespace` is on).
  bool uts_namespace = true;
  std::string hostname = "isolate";  // 1 to 64 letters, digits, hyphens and dots

  // A mount tree of its own, with private propagation, and with tmpfs over
  // /tmp, /var/tmp, /dev/shm and the scratch folder.
  bool mount_namespace = true;

  // In /proc/PID/cgroup the caller's cgroup is the root.  /sys/fs/cgroup stays the
  // caller's.
  bool cgroup_namespace = false;

  // Shifts CLOCK_MONOTONIC and CLOCK_BOOTTIME by this much (time_namespaces(7),
  // Linux 5.6; whole nanoseconds).  A clock that would become negative is ERANGE at
  // that step.  None: no time namespace.
  absl::optional<absl::Duration> time_offset;

  // The uid, the gid and the rights are the caller's in any case.
  UserNamespace user_namespace = UserNamespace::kIfNeeded;

  // The scratch folder, an absolute path that exists.  TEST_TMPDIR and TMPDIR
  // point at it inside.  Empty: what TEST_TMPDIR or else TMPDIR says outside,
  // or else /tmp.
  std::string scratch;

  // The folders that become private begin as copies of what is there, instead of empty.
  // Nothing is copied before it is written to (overlayfs, Linux 5.11); what is mounted
  // below them is not there.  In a user namespace hard links come apart
  // when they are written to, renaming a folder of the caller's is EXDEV, and removing one takes
  // Linux 6.6.
  bool copy_private_folders = false;

  // The size limit of each tmpfs of each sandbox, in bytes.  0: the kernel's own,
  // half of the memory.  Only what is written takes memory.
  int64_t tmpfs_size_bytes = 0;

  // How much memory each process of the sandbox may have for its own data, in bytes: what it
  // maps to write to and shares with nobody, used or not, with the stacks of its threads
  // (RLIMIT_DATA, setrlimit(2), Linux 4.7).  More is ENOMEM there, which std::bad_alloc tells of.
  // What a function's process has from the caller counts; where that is more already, set-up fails,
  // and so it does with AddressSanitizer or ThreadSanitizer, who map terabytes.  0: no limit but
  // the caller's.
  int64_t memory_limit_bytes = 0;

  // Paths that stay visible although they lie under a folder that becomes
  // private; the first are read-only inside, with what is mounted below them,
  // wherever they lie (Linux 5.12); what is private below them stays writable.
  // Absolute, existing, none of the private folders themselves, and no writable path
  // in a read-only one.  The working directory, the program with its runfiles and
  // Bazel's output folders stay visible without being named.
  std::vector<std::string> read_only_paths;
  std::vector<std::string> writable_paths;

  // Paths of programs that will be executed, which stay visible as the caller's own program does:
  // with what lies beside them, as their libraries, and with their runfiles.  Where there is
  // nothing, nothing is kept.
  std::vector<std::string> programs;

  // Variables that are set inside, over those of the caller.
  std::vector<std::pair<std::string, std::string>> environment;

  // Variables of the caller that are not there inside.
  std::vector<std::string> hidden_environment;

  // After `timeout` the process gets SIGTERM; after `grace` more the whole
  // sandbox is killed.
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration grace = absl::Seconds(2);

  // What is looked for at the end, in Result::leaks: in the function's process when it returns, and
  // in the sandbox when that process is gone; of what is shared with the caller (as the files
  // without `mount_namespace`), nothing.  Costs about 0.1 ms; without any kind, nothing.
  LeakKinds leaks = AllLeakKinds();

  // What is there when the function is called is no leak.  False: what is there when it calls
  // Reporter::BeginLeakCheck, which it has to do.
  bool leaks_from_start = true;

  // Every shared name that is used, cleaned up or not, is recorded, in Result::footprint, of
  // processes that the function starts, too, and of statically linked ones.  Needs `pid_namespace`,
  // whose numbers begin elsewhere in every sandbox then.  A call that uses a name takes about 10 us
  // more (Linux 6.6; 60 before), others take nothing.
  bool audit_names = false;

  // Where a function did not return 0, or a command did not exit with 0, the sandbox stays, with
  // all that is in it: Executor::Finished has it.  Of what still runs there no more output is read:
  // who writes more than a pipe holds waits.
  bool keep_failed = false;

  // Where the standard streams lead.  With the caller's own, Result::out and err are empty, and a
  // terminal works as without a sandbox: where the caller has a controlling terminal, the process
  // stays in the caller's session and process group, which the terminal's signals go to, instead of
  // beginning a session; kill(0, ...) reaches the caller then.
  Streams streams = Streams::kCaptured;

  // How many bytes of each output stream are kept, half of them from its
  // beginning and half from its end.
  int64_t output_limit_bytes = int64_t{64} << 20;

  // A folder of the caller's for what is longer: each such stream goes, as a whole, to a file
  // there, named by Result::out_file or err_file, which is the caller's to remove; a gibibyte of it
  // at most, with a line that says so.  Empty: it is cut only.
  std::string full_output_folder;

  // Result::namespaces is told.  False: it is 0s, which saves 25 us a sandbox.
  bool tell_namespaces = true;

  // Standard error goes where standard output goes, so that the order of the
  // two is kept; Result::err is empty then.
  bool merge_stderr = false;
};

// OK, or InvalidArgument that names the field and what is right.  Costs a few
// string checks; looks at no file.
absl::Status Validate(const Options& options);

}  // namespace isolate

#endif  // ISOLATE_OPTIONS_H_
