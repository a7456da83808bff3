#ifndef GTEST_PLUGIN_COLLISION_REPORT_H_
#define GTEST_PLUGIN_COLLISION_REPORT_H_

// Tells at the end of the program which tests would fight without their sandboxes, in gtest's own
// voice.  Lives in the runner.

#include "gtest_plugin/collisions.h"

namespace isolate::gtest {

// Prints the names on which most tests meet, what would break what, and how many tests meet nobody.
void PrintCollisions(const Encounters& encounters);

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_COLLISION_REPORT_H_
