// The program that makes sandboxes in place of the helper (maker_program.h).  On its standard input
// is the plan; its arguments are its descriptors, and whether it is in a user namespace.

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/numbers.h"
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

int Main(int argc, char** argv) {
  // A name as long as the kernel keeps; it has that of the descriptor now.
  prctl(PR_SET_NAME, "isolate-helper", 0, 0, 0);
  const std::unique_ptr<DecodedPlan> decoded = DecodedPlan::Decode(ReadStandardInput());
  MakerDescriptors descriptors;
  int in_user_namespace = 0;
  if (decoded == nullptr || argc != 4 || !absl::SimpleAtoi(argv[1], &descriptors.control) ||
      !absl::SimpleAtoi(argv[2], &descriptors.requests) ||
      !absl::SimpleAtoi(argv[3], &in_user_namespace) ||
      dup2(STDOUT_FILENO, STDIN_FILENO) != STDIN_FILENO) {
    return 1;
  }
  MakeSandboxes(decoded->plan(), descriptors, in_user_namespace != 0);
}

}  // namespace
}  // namespace isolate::internal

int main(int argc, char** argv) { return isolate::internal::Main(argc, argv); }
