#ifndef ISOLATE_COMMAND_BINARY_PROCESS_H_
#define ISOLATE_COMMAND_BINARY_PROCESS_H_

// A GoogleTest binary in a sandbox, and the JSON that it writes there.
//
//   runner ── test process (ours) ── the binary
//
// The test process holds a file without a name (memfd_create(2)), which the binary opens as
// /proc/PID/fd/N: it inherits no descriptor that a test could close or count, and there is no
// file that a test could see in a folder.  When the binary has ended, the test process sends what
// became of it, and what stands in the file.

#include <functional>
#include <string>
#include <vector>

#include "isolate/reporter.h"
#include "isolate/result.h"

namespace isolate::command {

// What became of the binary's process.
struct BinaryEnd {
  bool known = false;     // false: the test process was ended before it could tell
  int execute_error = 0;  // not 0: the errno with which it could not be executed
  int wait_status = 0;    // waitpid(2)
  std::string json;       // what it wrote
};

// The command that writes its JSON to this file.
using CommandFor = std::function<std::vector<std::string>(const std::string& json_file)>;

// In the sandbox: executes the command, in a session of its own, waits for its end, and sends it
// all.  What was there before is no leak.  A SIGTERM that comes meanwhile is passed on.  Returns 0
// where the binary exited with 0.
int RunBinary(const CommandFor& command, Reporter& reporter);

// In the runner: what RunBinary sent; the result has no messages after that.
BinaryEnd TakeBinaryEnd(Result& result);

}  // namespace isolate::command

#endif  // ISOLATE_COMMAND_BINARY_PROCESS_H_
