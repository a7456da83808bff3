// The program that makes sandboxes in place of the helper (maker_program.h).  On its standard input
// is the plan.

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "isolate/internal/maker_arguments.h"
#include "isolate/internal/raw.h"
#include "isolate/internal/sandbox_maker.h"
#include "isolate/internal/sandbox_plan.h"

namespace isolate::internal {
namespace {

std::string ReadStandardInput() {
  std::string bytes;
  char buffer[4096];
  for (ssize_t size; (size = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0;) {
    bytes.append(buffer, static_cast<size_t>(size));
  }
  return bytes;
}

// Has what it had before it was executed: of root it would be everything.  False where that is not
// to be had any more, as a kernel may clear the ambient set of who runs as another user than his
// own.
bool LimitRights(uint64_t permitted, uint64_t effective) {
  raw::Capabilities rights;
  if (raw::GetCapabilities(&rights) != 0) {
    return false;
  }
  for (int i = 0; i < 2; ++i) {
    const auto wanted = static_cast<uint32_t>(permitted >> 32 * i);
    if ((rights.sets[i].permitted & wanted) != wanted) {
      return false;
    }
    rights.sets[i] = {static_cast<uint32_t>(effective >> 32 * i), wanted, 0};
  }
  rights.ambient = 0;
  // Who got more rights by exec is not dumpable, and only who may trace any process can join the
  // namespaces of such a one then (proc(5), setns(2)).
  return raw::LimitCapabilities(rights) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

int Main(int argc, char** argv) {
  // It has that of the descriptor now.
  prctl(PR_SET_NAME, "isolate-helper", 0, 0, 0);
  const std::unique_ptr<DecodedPlan> decoded = DecodedPlan::Decode(ReadStandardInput());
  if (decoded == nullptr || argc != kMakerArguments + 1 ||
      dup2(STDOUT_FILENO, STDIN_FILENO) != STDIN_FILENO) {
    return 1;
  }
  uint64_t arguments[kMakerArguments];
  for (int i = 0; i < kMakerArguments; ++i) {
    arguments[i] = strtoull(argv[i + 1], nullptr, 10);
  }
  const auto [control, requests, in_user_namespace, permitted, effective] = arguments;
  if (!LimitRights(permitted, effective)) {
    return 1;
  }
  MakeSandboxes(decoded->plan(), {static_cast<int>(control), static_cast<int>(requests)},
                in_user_namespace != 0);
}

}  // namespace
}  // namespace isolate::internal

int main(int argc, char** argv) { return isolate::internal::Main(argc, argv); }
