#ifndef TESTS_PLUGIN_SPECIMENS_COVERED_H_
#define TESTS_PLUGIN_SPECIMENS_COVERED_H_

// Code whose lines gcov counts.

// How many steps Collatz's rule takes from `number` to 1.
int StepsFrom(int number);

// What StepsFrom(27) gave before main.
int StepsBeforeMain();

#endif  // TESTS_PLUGIN_SPECIMENS_COVERED_H_
