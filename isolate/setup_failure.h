#ifndef ISOLATE_SETUP_FAILURE_H_
#define ISOLATE_SETUP_FAILURE_H_

// Why a sandbox could not be created: which step failed, with which errno, what
// that means and what to do about it.
//
// A failed set-up is never the failure of the code that was to run.  It travels
// as an absl::Status that carries a SetupFailure:
//
//   absl::StatusOr<isolate::Result> result =
//       isolate::Run({}, [](isolate::Reporter&) { return 0; });
//   if (!result.ok()) {
//     if (auto failure = isolate::GetSetupFailure(result.status())) {
//       // failure->step, failure->error: nothing of the function ran
//     }
//   }
//
// Pure: usable in any process, by any thread.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/isolation.h"

namespace isolate {

// The steps that make a sandbox and put a process into it, in the order in
// which they happen.  The numbers go over the wire: append only.
enum class Step : uint8_t {
  kForkHelper = 1,
  kUserNamespace = 2,
  kIdMaps = 3,
  kTimeNamespace = 4,
  kHelperMounts = 5,
  kHostsFile = 6,
  kCloneInit = 7,
  kPrivateMounts = 8,
  kKeepPath = 9,
  kMountTmpfs = 10,
  kRestorePath = 11,
  kMountProc = 12,
  kMountSysfs = 13,
  kMountMqueue = 14,
  kReadOnlyPath = 15,
  kLoopback = 16,
  kHostname = 17,
  kAnnounce = 18,
  kForkJoiner = 19,
  kJoin = 20,
  kRootDirectory = 28,
  kCopyFolder = 29,
  kForkTest = 21,
  kJoinTime = 22,
  kSession = 23,
  kWorkingDirectory = 24,
  kStandardStreams = 25,
  kCapabilities = 26,
  kAuditFilter = 31,
  kMemoryLimit = 30,
  kExec = 27,
};

struct SetupFailure {
  Step step = Step::kForkHelper;
  int error = 0;  // an errno
  // What the step was about: a path, a name; of kCloneInit, the kinds whose namespaces the kernel
  // refuses when each is asked for alone (NamesOf).  May be empty.
  std::string detail;
};

// What the step does, as the object of "cannot": "mount a fresh /proc".
absl::string_view StepName(Step step);

// True for the values that the enum lists; others come from a damaged report.
bool IsStep(int value);

// What this errno means at this step, in one sentence.
std::string Meaning(const SetupFailure& failure);

// What the user can do about it, in one sentence.
std::string Remedy(const SetupFailure& failure);

// The kinds of isolation, of those that `asked_for` has, that cannot be had where this fails, with
// what depends on them.  None where something else than the host's refusal is in the way: no more
// processes, descriptors or memory, a path that is not there.
Isolations RefusedBy(const SetupFailure& failure, const Isolations& asked_for);

struct Explanation {
  std::string meaning;  // a sentence
  std::string remedy;   // another one
};

// The failure as a Status.  Its message holds the step, the errno, the meaning
// and the remedy, on one line each; its code is absl::ErrnoToStatusCode's.
absl::Status ToStatus(const SetupFailure& failure);

// The same, of one whose cause is better known.
absl::Status ToStatus(const SetupFailure& failure, const Explanation& explanation);

// The failure that a Status carries; nothing if it carries none.
absl::optional<SetupFailure> GetSetupFailure(const absl::Status& status);

}  // namespace isolate

#endif  // ISOLATE_SETUP_FAILURE_H_
