#include "tests/plugin/specimens/install.h"

void Install(int*, char**) {}
