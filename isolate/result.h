#ifndef ISOLATE_RESULT_H_
#define ISOLATE_RESULT_H_

// What became of something that ran in a sandbox.  Plain values; usable in any
// process, by any thread.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "isolate/footprint.h"
#include "isolate/isolation.h"
#include "isolate/leak.h"
#include "isolate/setup_failure.h"

namespace isolate {

// A closed set.  That there was no sandbox is not among them: it is a Status
// (isolate/setup_failure.h), because nothing ran.
enum class Outcome {
  kReturned,  // the function returned; `code` is its value
  kExited,    // the process exited with `code`: a command ended, or a function called exit
  kSignaled,  // the process died of signal `code`
  kTimedOut,  // the time limit passed; `code` is the signal that ended it, or 0
  kLost,      // another wait in the calling process took the exit status, and no
              // report came; `code` is 0
};

// "returned 0", "exited with 3", "died of SIGSEGV", "timed out".
std::string Describe(Outcome outcome, int code);

// Resource use of the process and of the descendants that it waited for
// (wait4(2)).
struct Usage {
  absl::Duration wall;
  absl::Duration user;
  absl::Duration system;
  int64_t peak_memory_bytes = 0;  // resident; begins with what the caller had resident
};

// One step of making a sandbox, or several of the same kind at once, as the mounts of all private
// folders are.
struct StepTime {
  Step step;
  absl::Time begun;
  absl::Time ended;
};

// When what happened to a process did, by CLOCK_REALTIME, which is the same in every time
// namespace.  Each of those that are known is not before those above it, whatever the process says
// and however the clock is set meanwhile; InfinitePast: it is not known, or did not happen.
struct Times {
  // Of its sandbox, which was made before; each begins when the one before it is over.
  std::vector<StepTime> set_up;
  absl::Time started = absl::InfinitePast();  // it was asked for
  absl::Time forked = absl::InfinitePast();   // there was a sandbox for it, and it was to be forked
  absl::Time entered = absl::InfinitePast();  // its function was about to be called
  absl::Time ended = absl::InfinitePast();    // it was found to have ended
  // What it had left was known (Options::leaks); never, where it saw itself that it left nothing.
  absl::Time looked = absl::InfinitePast();
  absl::Time over = absl::InfinitePast();  // nobody was left who could write to its output
};

// Inode numbers of the namespaces, as `lsns` and /proc/PID/ns show them.  A
// namespace that is shared with the caller has the caller's number.
struct Namespaces {
  ino_t pid = 0;
  ino_t net = 0;
  ino_t ipc = 0;
  ino_t uts = 0;
  ino_t mnt = 0;
  ino_t user = 0;
  ino_t cgroup = 0;
  ino_t time = 0;
};

// Something that the function sent with Reporter::Send, and how much of the
// output came before it.
struct Message {
  std::string payload;
  size_t out_position = 0;  // an offset into Result::out
};

// Of a process in a sandbox (proc(5)); ids as the sandbox has them.
struct Thread {
  pid_t id = 0;
  std::string name;
  char state = '?';      // R runs, S sleeps, D sleeps for good, T is stopped, Z has ended
  std::string waits_in;  // the kernel's function; empty: it runs, or it is not known
};
struct Process {
  pid_t id = 0;
  pid_t parent = 0;     // 0: outside of the sandbox
  std::string command;  // its arguments; empty where it has ended
  std::vector<Thread> threads;
};

struct Result {
  Outcome outcome = Outcome::kLost;
  int code = 0;

  // Of kExited: the function had returned, but the process ended with another code, as
  // ThreadSanitizer ends one in which it found something.
  bool returned = false;

  // What was written to the standard streams.  Where more was written than the
  // limit allows, the middle is left out and a line there says how much.
  std::string out;
  std::string err;
  int64_t omitted_bytes = 0;

  // Where all of them is, of which something is left out above; empty otherwise, or where
  // Options::full_output_folder says nothing, or where that file could not be written: then the
  // last one says why.
  std::string out_file;
  std::string err_file;
  std::string full_output_error;

  std::vector<Message> messages;

  // Not empty where the report was damaged: what was wrong with it.  What came
  // before the damage is in `messages`.
  std::string report_error;

  // Who was in the sandbox when the time limit passed; with a pid namespace only.
  std::vector<Process> processes;

  // What it left behind, of the kinds that Options::leaks names, by kind and name.  Of a process
  // that died or that executed a program, what outlived it.
  std::vector<Leak> leaks;

  // The shared names that it used; with Options::audit_names.
  Footprint footprint;

  Usage usage;
  Times times;
  Namespaces namespaces;

  // From what it was kept apart: what was asked for, without what the host refused and
  // Options::preferred allowed to do without.
  Isolations isolation;

  // The function returned 0, or the command exited with 0, with a whole report.
  bool ok() const {
    return (outcome == Outcome::kReturned || outcome == Outcome::kExited) && code == 0 &&
           report_error.empty();
  }
};

}  // namespace isolate

#endif  // ISOLATE_RESULT_H_
