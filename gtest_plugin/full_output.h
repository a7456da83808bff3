#ifndef GTEST_PLUGIN_FULL_OUTPUT_H_
#define GTEST_PLUGIN_FULL_OUTPUT_H_

#include "gtest/gtest.h"
#include "gtest_plugin/test_report.h"

namespace isolate::gtest {

// Moves the files with all that the test's process printed, if it was too much to be shown, to the
// test's folder among the outputs, as stdout.txt and stderr.txt, and says so on stderr.  Files of
// earlier runs stay; then there is a number in the name.  The report names them no more.
void KeepFullOutput(const ::testing::TestInfo& test, TestReport& report);

// Removes the files of a report that nobody will want.
void RemoveFullOutput(const TestReport& report);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_FULL_OUTPUT_H_
