#ifndef TESTS_HOSTS_HOST_H_
#define TESTS_HOSTS_HOST_H_

// Hosts that refuse some of what a sandbox needs, or that look as if they did, made real on this
// kernel, for a process and all that come from it.

#include <ostream>
#include <string>
#include <vector>

namespace isolate::hosts {

struct Host {
  const char* name;
  // Makes the calling process, which is about to execute something, live there.  False where this
  // machine cannot be made to look so.
  bool (*live)();
  // What is told where all isolation is required: "cannot ...: ERRNO"; empty: everything is to be
  // had.
  const char* refusal;
  // What is lost where all of it is only preferred, as NamesOf has it; "none" where nothing need
  // be, and empty where the host has not even room for a process without isolation.
  const char* lost;
  // Words of the cause that a diagnosis has to name.
  const char* cause;
};

// Each is met as whoever runs the test, as root of a user namespace, or as a user without rights.
const std::vector<Host>& Hosts();

// Whether `live` works here, by trying it in a child.
bool CanBeMadeReal(const Host& host);

// For gtest, which prints the values of a table.
inline void PrintTo(const Host& host, std::ostream* out) { *out << host.name; }

}  // namespace isolate::hosts

#endif  // TESTS_HOSTS_HOST_H_
