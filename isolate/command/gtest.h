#ifndef ISOLATE_COMMAND_GTEST_H_
#define ISOLATE_COMMAND_GTEST_H_

// "isolate gtest": the tests of a GoogleTest binary that was not built with the plugin, each in a
// sandbox of its own.  docs/isolate_gtest.md.
//
//   runner (ours, with a gtest of its own) ── helper, inits
//    └─ test process ── the binary, with a filter for one test
//
// The runner's gtest has a test for each of the binary's, and replays what its process told.

namespace isolate::command {

// "isolate gtest [OPTIONS] -- BINARY ARGUMENTS".  As in Subcommand.
int Gtest(int argc, char** argv);

// "isolate_gtest BINARY ARGUMENTS", for Bazel's --run_under; the environment has the options.
int GtestUnder(int argc, char** argv);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_GTEST_H_
