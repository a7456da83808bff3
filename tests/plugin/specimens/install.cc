#include "tests/plugin/specimens/install.h"

#include "gtest_plugin/plugin.h"

void Install(int* argc, char** argv) { isolate::gtest::Install(argc, argv); }
