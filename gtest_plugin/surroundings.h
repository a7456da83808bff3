#ifndef GTEST_PLUGIN_SURROUNDINGS_H_
#define GTEST_PLUGIN_SURROUNDINGS_H_

// Looks at the runner: what of it the tests will not have, and who debugs it.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace isolate::gtest {

// The names of the process's threads but the main one, and the addresses at which it listens
// ("127.0.0.1:8080").  Costs a few files of /proc, or two calls for each descriptor.
std::vector<std::string> OtherThreads();
std::vector<std::string> ListeningSockets();

// The names of its children; none on a kernel without CONFIG_PROC_CHILDREN.
std::vector<std::string> ChildProcesses();

// What the runner has and the tests, which are forks of it, will miss, with what to
// do: other threads than the main one, by name, and listening sockets, by address,
// unless the tests have the same network.  Empty where there is nothing.  Costs a few
// files of /proc and two calls for each descriptor.
std::string WhatTestsMiss(bool same_network);

// How long ago the process was started, to a hundredth of a second; zero where /proc does not
// tell.
absl::Duration Age();

// "gdb (pid 12)" where a process traces this one, "valgrind" where that runs it.
absl::optional<std::string> Debugger();

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_SURROUNDINGS_H_
