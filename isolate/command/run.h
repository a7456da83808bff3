#ifndef ISOLATE_COMMAND_RUN_H_
#define ISOLATE_COMMAND_RUN_H_

namespace isolate::command {

// `isolate run`: as of Subcommand::run.
int Run(int argc, char** argv);

// `isolate_run TEST ARGUMENTS`, for Bazel's --run_under: the same, with options from the
// environment (ISOLATE_TIMEOUT and others; ISOLATE=off: without a sandbox), and with what Bazel
// wants written visible.
int RunTest(int argc, char** argv);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_RUN_H_
