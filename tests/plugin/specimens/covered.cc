#include "tests/plugin/specimens/covered.h"

namespace {

const int kStepsBeforeMain = StepsFrom(27);

}  // namespace

int StepsFrom(int number) {
  int steps = 0;
  while (number != 1) {
    if (number % 2 == 0) {
      number /= 2;
    } else {
      number = 3 * number + 1;
    }
    ++steps;
  }
  return steps;
}

int StepsBeforeMain() { return kStepsBeforeMain; }
