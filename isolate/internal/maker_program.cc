#include "isolate/internal/maker_program.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/base/config.h"
#include "isolate/internal/maker_arguments.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/sandbox_maker.h"

// The program, from maker_bytes.S.
extern "C" const char kIsolateMakerBegin[];
extern "C" const char kIsolateMakerEnd[];

namespace isolate::internal {
namespace {

#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_HWADDRESS_SANITIZER) || \
    defined(ABSL_HAVE_MEMORY_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// A file with these bytes, to be read from its beginning on; -1 where it cannot be had.
int FileOf(const char* name, const char* bytes, size_t size) {
  const int file = raw::MemoryFile(name);
  if (file >= 0 && (raw::WriteAll(file, bytes, size) != 0 || lseek(file, 0, SEEK_SET) != 0)) {
    close(file);
    return -1;
  }
  return file;
}

uint64_t Join(const uint32_t (&halves)[2]) { return uint64_t{halves[1]} << 32 | halves[0]; }

// Returns where it cannot be executed.
void Execute(int program, int plan, MakerDescriptors descriptors, bool in_user_namespace) {
  raw::Capabilities rights;
  if (raw::GetCapabilities(&rights) != 0 || raw::KeepCapabilitiesOverExec() != 0) {
    return;
  }
  const uint64_t numbers[] = {
      static_cast<uint64_t>(descriptors.control), static_cast<uint64_t>(descriptors.requests),
      in_user_namespace ? 1U : 0U, Join({rights.sets[0].permitted, rights.sets[1].permitted}),
      Join({rights.sets[0].effective, rights.sets[1].effective})};
  static_assert(sizeof(numbers) / sizeof(numbers[0]) == kMakerArguments, "what the program takes");
  char name[] = "isolate-helper";
  char texts[kMakerArguments][24];
  char* argv[kMakerArguments + 2] = {name};
  for (int i = 0; i < kMakerArguments; ++i) {
    snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, numbers[i]);
    argv[i + 1] = texts[i];
  }
  char* const environment[] = {nullptr};
  fcntl(descriptors.control, F_SETFD, 0);
  fcntl(descriptors.requests, F_SETFD, 0);
  // The plan is its standard input, which is the null device now as the other two are.
  dup2(plan, STDIN_FILENO);
  raw::Execute(program, argv, environment);
  dup2(STDOUT_FILENO, STDIN_FILENO);
}

}  // namespace

void ExecuteMaker(const std::string& encoded_plan, MakerDescriptors descriptors,
                  bool in_user_namespace) {
  if (kSanitized) {
    return;
  }
  const int plan = FileOf("isolate-plan", encoded_plan.data(), encoded_plan.size());
  const int program = FileOf("isolate-helper", kIsolateMakerBegin,
                             static_cast<size_t>(kIsolateMakerEnd - kIsolateMakerBegin));
  if (plan >= 0 && program >= 0) {
    Execute(program, plan, descriptors, in_user_namespace);
  }
  for (const int file : {plan, program}) {
    if (file >= 0) {
      close(file);
    }
  }
}

}  // namespace isolate::internal
