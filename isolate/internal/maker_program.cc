#include "isolate/internal/maker_program.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <string>

#include "absl/base/config.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/sandbox_maker.h"

namespace isolate::internal {
namespace {

const unsigned char kProgram[] = {
#include "isolate/internal/maker_main.inc"
};

#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_HWADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// A file with the plan to read from, from its beginning on.
int PlanFile(const std::string& encoded_plan) {
  const int file = raw::MemoryFile("isolate-plan");
  if (file < 0 || raw::WriteAll(file, encoded_plan.data(), encoded_plan.size()) != 0 ||
      lseek(file, 0, SEEK_SET) != 0) {
    return -1;
  }
  return file;
}

}  // namespace

void ExecuteMaker(const std::string& encoded_plan, MakerDescriptors descriptors,
                  bool in_user_namespace) {
  if (kSanitized) {
    return;
  }
  const int program = raw::MemoryFile("isolate-helper");
  const int plan = PlanFile(encoded_plan);
  if (program < 0 || plan < 0 || raw::WriteAll(program, kProgram, sizeof(kProgram)) != 0 ||
      raw::KeepCapabilitiesOverExec() != 0) {
    return;
  }
  // The plan is its standard input, which has been the null device, as the other two.
  char numbers[3][16];
  snprintf(numbers[0], sizeof(numbers[0]), "%d", descriptors.control);
  snprintf(numbers[1], sizeof(numbers[1]), "%d", descriptors.requests);
  snprintf(numbers[2], sizeof(numbers[2]), "%d", in_user_namespace ? 1 : 0);
  char name[] = "isolate-helper";
  char* const argv[] = {name, numbers[0], numbers[1], numbers[2], nullptr};
  char* const environment[] = {nullptr};
  fcntl(descriptors.control, F_SETFD, 0);
  fcntl(descriptors.requests, F_SETFD, 0);
  dup2(plan, STDIN_FILENO);
  fexecve(program, argv, environment);
}

}  // namespace isolate::internal
