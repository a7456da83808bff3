#ifndef ISOLATE_COMMAND_RUN_REPORT_H_
#define ISOLATE_COMMAND_RUN_REPORT_H_

// What `isolate run` tells of a command: on stderr, and in the file of --report, whose keys
// docs/command.md names.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "isolate/command/run_options.h"
#include "isolate/executor.h"
#include "isolate/leak.h"
#include "isolate/result.h"

namespace isolate::command {

// On stderr.
void PrintLeaks(const std::vector<Leak>& leaks);
void PrintVerbose(const RunOptions& options, const Result& result);

// "exited", "signaled", "timed out", "not executed", "not isolated" or "lost".
std::string OutcomeOf(const absl::StatusOr<Result>& result);

// The report, on one line.
std::string ReportOf(const RunOptions& options, absl::Time started,
                     const std::vector<Executor::Loss>& losses,
                     const absl::StatusOr<Result>& result);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_RUN_REPORT_H_
