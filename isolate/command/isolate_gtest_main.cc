// For Bazel's --run_under: "isolate gtest" with the options in the environment.

#include "isolate/command/gtest.h"

int main(int argc, char** argv) { return isolate::command::GtestUnder(argc, argv); }
