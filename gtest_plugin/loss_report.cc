#include "gtest_plugin/loss_report.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/executor.h"
#include "isolate/isolation.h"
#include "isolate/options.h"
#include "isolate/setup_failure.h"

namespace isolate::gtest {

Isolations Lost(const std::vector<Executor::Loss>& losses) {
  Isolations lost;
  for (const Executor::Loss& loss : losses) {
    lost |= loss.kinds;
  }
  return lost;
}

std::string TellLosses(const std::vector<Executor::Loss>& losses, absl::string_view consequence) {
  std::set<std::string> told;
  std::string text;
  for (const Executor::Loss& loss : losses) {
    std::string one =
        absl::StrCat("isolate: this host refuses ", NamesOf(loss.kinds), ", so ", consequence,
                     ":\n", ToStatus(loss.why, loss.explanation).message(), "\n");
    if (told.insert(one).second) {
      text += one;
    }
  }
  return text;
}

std::string TellHowToGoOn(const absl::Status& status, const Options& options,
                          const Isolations& required, absl::string_view flag) {
  const Isolations wanted = IsolationOf(options);
  const absl::optional<SetupFailure> failure = GetSetupFailure(status);
  const Isolations refused = failure.has_value() ? RefusedBy(*failure, wanted) : Isolations();
  if (refused.none() || refused == wanted) {
    return "";
  }
  if ((refused & required).any() || (refused & ~options.preferred).none()) {
    return absl::StrCat(NamesOf(refused),
                        " is required, or something else that was asked for needs it, as an audit "
                        "of names, leaks that fail and paths do; leave that out.\n");
  }
  return absl::StrCat("To run without what is refused, give ", flag, "=",
                      NamesOf(refused | options.preferred), ".\n");
}

std::string SumUpLosses(const std::vector<Executor::Loss>& losses) {
  return losses.empty() ? ""
                        : absl::StrCat("isolate: tests ran without ", NamesOf(Lost(losses)),
                                       ", which this host refuses; the reason stands above.\n");
}

}  // namespace isolate::gtest
