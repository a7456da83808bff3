#include "gtest_plugin/exit_with.h"

#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "absl/status/status.h"
#include "isolate/setup_failure.h"

namespace isolate::gtest {

void ExitWith(const absl::Status& status, int judged) {
  fflush(stdout);
  const std::string message(status.message());
  // A step that failed with EINVAL has this code, too.
  if ((absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status)) &&
      !GetSetupFailure(status).has_value()) {
    fprintf(stderr, "isolate: %s\n", message.c_str());
    exit(kWrongUseExitCode);
  }
  if (judged == 0) {
    fprintf(stderr, "isolate: the tests cannot be isolated, so none was run.\n");
  } else {
    fprintf(stderr, "isolate: stopped after %d tests, as the next one cannot be isolated.\n",
            judged);
  }
  fprintf(stderr, "%s\nTo run tests without isolation, give --isolate=off.\n", message.c_str());
  exit(kNotIsolatedExitCode);
}

}  // namespace isolate::gtest
