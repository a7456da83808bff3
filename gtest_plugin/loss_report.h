#ifndef GTEST_PLUGIN_LOSS_REPORT_H_
#define GTEST_PLUGIN_LOSS_REPORT_H_

// What is said where something runs with less isolation than it was to have, which a preference
// allows.  Pure.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "isolate/executor.h"
#include "isolate/isolation.h"
#include "isolate/options.h"

namespace isolate::gtest {

// All kinds that were lost.
Isolations Lost(const std::vector<Executor::Loss>& losses);

// Before it runs: what is lost and why, each cause once.  `consequence` as "tests run without
// (--isolate_prefer)".  Empty where nothing is lost.
std::string TellLosses(const std::vector<Executor::Loss>& losses, absl::string_view consequence);

// How what `status` ended can go on without what the host refuses: which kinds to prefer, besides
// those that `options` prefer already, with `flag`; or that something else asks for them.  Empty
// where nothing known is refused, or all is.
std::string TellHowToGoOn(const absl::Status& status, const Options& options,
                          const Isolations& required, absl::string_view flag);

// When the tests have run, in a line.
std::string SumUpLosses(const std::vector<Executor::Loss>& losses);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_LOSS_REPORT_H_
