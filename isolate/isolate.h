#ifndef ISOLATE_ISOLATE_H_
#define ISOLATE_ISOLATE_H_

// Runs one function or one command in a sandbox, and waits for it.
//
//   absl::StatusOr<isolate::Result> result =
//       isolate::Run({}, [](isolate::Reporter&) {
//         // pid 2 of its own pid namespace, with a loopback and nothing else
//         return ServeOnPort(8080) ? 0 : 1;
//       });
//   if (!result.ok()) {
//     std::cerr << result.status().message() << "\n";    // no sandbox: nothing ran
//   } else if (!result->ok()) {
//     std::cerr << isolate::Describe(result->outcome, result->code) << "\n"
//               << result->out;
//   }
//
// For several at once, or many one after another, use isolate/executor.h.
// Linux 5.8 or later; as an ordinary user, a kernel that lets users create user
// namespaces.

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "isolate/executor.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/reporter.h"
#include "isolate/result.h"
#include "isolate/setup_failure.h"

namespace isolate {

// Runs `function` in a sandbox made for it, and waits for its end.
// InvalidArgument for options that do not hold; a status with a SetupFailure
// where no sandbox can be had.  Costs 1 to 2 ms beside the function, and a copy
// of the calling process's page tables.
absl::StatusOr<Result> Run(const Options& options, absl::FunctionRef<int(Reporter&)> function);

// The same for a command, found by PATH.
absl::StatusOr<Result> RunCommand(const Options& options, const std::vector<std::string>& argv);

}  // namespace isolate

#endif  // ISOLATE_ISOLATE_H_
