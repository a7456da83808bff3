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

// What has to be preferred for what `status` ended to go on without what the host refuses, besides
// what `options` prefer already; empty where that would not help, or is `required`.
std::string KindsToPrefer(const absl::Status& status, const Options& options,
                          const Isolations& required);

// When the tests have run, in a line.
std::string SumUpLosses(const std::vector<Executor::Loss>& losses);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_LOSS_REPORT_H_
