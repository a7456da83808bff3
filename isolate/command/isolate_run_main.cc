// The program for Bazel's --run_under: a sandbox for a test.

#include "isolate/command/run.h"

int main(int argc, char** argv) { return isolate::command::RunTest(argc, argv); }
