#include "isolate/internal/fork_generation.h"

#include <pthread.h>

namespace isolate::internal {

int ForkGeneration() {
  static int generation = 0;
  static const int kRegistered = pthread_atfork(nullptr, nullptr, [] { ++generation; });
  return kRegistered == 0 ? generation : 0;
}

}  // namespace isolate::internal
