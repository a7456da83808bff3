#include "gtest_plugin/exit_with.h"

#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::gtest {

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
  const Isolations usual = IsolationOf(Options());
  const Isolations refused = failure.has_value() ? RefusedBy(*failure, usual) : Isolations();
  if (judged == 0 && refused.any() && refused != usual) {
    fprintf(stderr, "To run them without what is refused, give --isolate_prefer=%s.\n",
            NamesOf(refused).c_str());
  }
  fprintf(stderr, "To run tests without isolation, give --isolate=off.\n");
  exit(kNotIsolatedExitCode);
}

}  // namespace isolate::gtest
