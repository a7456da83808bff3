#ifndef GTEST_PLUGIN_PLUGIN_H_
#define GTEST_PLUGIN_PLUGIN_H_

// Runs every test of a GoogleTest program in a sandbox of its own, several at
// once.  For programs with a main of their own:
//
//   int main(int argc, char** argv) {
//     testing::InitGoogleTest(&argc, argv);
//     isolate::gtest::Install(&argc, argv);
//     return RUN_ALL_TESTS();
//   }
//
// Programs without one link //gtest_plugin:main in place of gtest_main.
//
// gtest's own loop, printers, XML and JSON, filters, sharding, shuffling and
// the listeners of the program stay as they are; what happens in a test comes
// to them from the test's process.  Global Environments run once, in the
// program itself, and each test sees their memory as a copy; SetUpTestSuite and
// TearDownTestSuite run in each test's sandbox.

#include "absl/status/status.h"

namespace isolate::gtest {

// Reads the --isolate_* flags and ISOLATE_* variables, takes the flags out of
// `argv`, and installs the plugin unless they turn it off.  Where gtest will
// only list its tests, print its help, or run the body of a death test, nothing
// is installed.
//
// To be called in the main thread, after InitGoogleTest and before
// RUN_ALL_TESTS; best at once, while the program is small and has one thread:
// it forks the process that makes the sandboxes.  Costs about a millisecond.
//
// On failure it prints what is wrong and what to do, and exits: with code 2 for
// a wrong flag or a second call, with code 3 where the tests cannot be isolated.
void Install(int* argc, char** argv);

// The same, and returns what is wrong: InvalidArgument for a wrong flag, with
// `argv` untouched; FailedPrecondition for a second call; otherwise the
// status of a SetupFailure (isolate/setup_failure.h).
absl::Status TryInstall(int* argc, char** argv);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_PLUGIN_H_
