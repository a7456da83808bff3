#ifndef GTEST_PLUGIN_OUTPUTS_FOLDER_H_
#define GTEST_PLUGIN_OUTPUTS_FOLDER_H_

// Where files go that tell of a test, and that somebody keeps: Bazel's undeclared outputs, or what
// TEST_UNDECLARED_OUTPUTS_DIR names without Bazel.

#include <string>

#include "gtest/gtest.h"

namespace isolate::gtest {

// The folder that the variable names, as an absolute path; empty where it names none, or the root.
std::string OutputsFolder();

// The one for a test in a folder of outputs, "Suite.Test" with each "/" an "_".  Makes nothing.
std::string FolderOf(const ::testing::TestInfo& test, const std::string& outputs);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_OUTPUTS_FOLDER_H_
