// What the machine on which this runs lets a sandbox have, as a test, for remote workers: it passes
// where the default sandbox can be had, and its log says the rest.

#include "isolate/command/doctor.h"

int main(int argc, char** argv) { return isolate::command::Doctor(argc, argv); }
