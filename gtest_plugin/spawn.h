#ifndef GTEST_PLUGIN_SPAWN_H_
#define GTEST_PLUGIN_SPAWN_H_

// Tests in a fresh execution of the program, instead of a fork of it: for programs
// whose static variables or whose main start threads, which a fork does not have.
//
//   test process --execve--> the same program, main, Install, RUN_ALL_TESTS,
//                            Environments, the tests of the assignment, and no others
//
// What it is to run and where it reports is in a file without a name (memfd_create(2)),
// whose descriptor a variable tells.

#include "absl/status/status.h"
#include "gtest_plugin/test_process.h"
#include "isolate/reporter.h"

namespace isolate::gtest {

// In a test process: executes the program with the arguments that it was given, for this
// assignment. Where that cannot be done it reports so, and ends the process.
[[noreturn]] void ExecTests(const Assignment& assignment, Reporter& reporter);

// Whether ExecTests executed this process's program.
bool IsSpawned();

// In such a process, in place of what Install does in others: when RUN_ALL_TESTS has set the
// Environments up, the assignment's tests run and are reported as RunTests does it; when it has
// torn them down, the process ends.  Listeners that the program has so far hear nothing; those that
// it appends later hear of the program's start and of the Environments. InvalidArgument where what
// ExecTests wrote cannot be read.
absl::Status InstallSpawned();

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_SPAWN_H_
