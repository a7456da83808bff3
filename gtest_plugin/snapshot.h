#ifndef GTEST_PLUGIN_SNAPSHOT_H_
#define GTEST_PLUGIN_SNAPSHOT_H_

#include "gtest_plugin/settings.h"
#include "gtest_plugin/test_process.h"
#include "isolate/reporter.h"

namespace isolate::gtest {

// In a suite's process: sets the suite up, runs each test in a fork of the state that
// this left, up to settings.jobs of them at once, and tears the suite down.  With Scope::kTest
// each test has a sandbox inside the suite's, with a copy of the suite's files; with
// Scope::kSuite they share the suite's, one after another.  Reports as RunTests does, as if the
// tests had run here.  Returns the process's exit code.
//
// Threads that the set-up left are a failure of the suite: a fork does not have them.
int RunSnapshot(const Assignment& assignment, const Settings& settings, Reporter& reporter);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_SNAPSHOT_H_
