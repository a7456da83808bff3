#include "isolate/isolate.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "isolate/executor.h"
#include "isolate/options.h"
#include "isolate/result.h"

namespace isolate {
namespace {

absl::StatusOr<Result> RunOne(const Options& options,
                              absl::FunctionRef<absl::StatusOr<Executor::Id>(Executor&)> start) {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create(options);
  if (!executor.ok()) {
    return executor.status();
  }
  const absl::StatusOr<Executor::Id> id = start(**executor);
  if (!id.ok()) {
    return id.status();
  }
  return (*executor)->WaitAny().result;
}

}  // namespace

absl::StatusOr<Result> Run(const Options& options, absl::FunctionRef<int(Reporter&)> function) {
  return RunOne(options, [&](Executor& executor) { return executor.Start(function); });
}

absl::StatusOr<Result> RunCommand(const Options& options, const std::vector<std::string>& argv) {
  return RunOne(options, [&](Executor& executor) { return executor.StartCommand(argv); });
}

}  // namespace isolate
