#include "gtest_plugin/exit_with.h"

#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "gtest_plugin/flag_values.h"
#include "gtest_plugin/loss_report.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

ABSL_DECLARE_FLAG(isolate::gtest::IsolationKinds, isolate_prefer);
ABSL_DECLARE_FLAG(isolate::gtest::IsolationKinds, isolate_require);

namespace isolate::gtest {
namespace {

std::string HowToGoOn(const absl::Status& status) {
  const Isolations required = absl::GetFlag(FLAGS_isolate_require).kinds;
  Options options;
  options.preferred = absl::GetFlag(FLAGS_isolate_prefer).kinds & ~required;
  return TellHowToGoOn(status, options, required, "--isolate_prefer");
}

}  // namespace

void ExitWith(const absl::Status& status, int judged) {
  fflush(stdout);
  const std::string message(status.message());
  // A step that failed with EINVAL has this code, too.
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  if ((absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status)) &&
      !failure.has_value()) {
    fprintf(stderr, "isolate: %s\n", message.c_str());
    exit(kWrongUseExitCode);
  }
  if (judged == 0) {
    fprintf(stderr, "isolate: the tests cannot be isolated, so none was run.\n");
  } else {
    fprintf(stderr, "isolate: stopped after %d tests, as the next one cannot be isolated.\n",
            judged);
  }
  fprintf(stderr, "%s\n", message.c_str());
  if (judged == 0) {
    fputs(HowToGoOn(status).c_str(), stderr);
  }
  fprintf(stderr, "To run tests without isolation, give --isolate=off.\n");
  exit(kNotIsolatedExitCode);
}

}  // namespace isolate::gtest
