#ifndef GTEST_PLUGIN_LOSS_REPORT_H_
#define GTEST_PLUGIN_LOSS_REPORT_H_

// What is said where the tests run with less isolation than they were to have, which
// --isolate_prefer allows.  Pure.

#include <string>
#include <vector>

#include "isolate/executor.h"
#include "isolate/isolation.h"

namespace isolate::gtest {

// All kinds that were lost.
Isolations Lost(const std::vector<Executor::Loss>& losses);

// Before the tests run: what is lost and why, each cause once.  Empty where nothing is.
std::string TellLosses(const std::vector<Executor::Loss>& losses);

// When they have run, in a line.
std::string SumUpLosses(const std::vector<Executor::Loss>& losses);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_LOSS_REPORT_H_
