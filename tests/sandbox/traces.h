#ifndef TESTS_SANDBOX_TRACES_H_
#define TESTS_SANDBOX_TRACES_H_

// Whether anything is left behind.
//
//   const Traces before = Traces::Take();
//   ...
//   EXPECT_EQ(Left(before), "nothing");

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "isolate/result.h"

namespace isolate {

// What a process has, and what a sandbox could leave with it.
struct Traces {
  std::map<int, std::string> descriptors;  // and where they lead
  std::string mounts;
  std::string subreaper;
  std::string mask;
  static Traces Take();
};

// What there is now and was not before, children of the calling process
// included; "nothing" where all is as it was.
std::string Left(const Traces& before);

// The namespaces of the calling process.
Namespaces OwnNamespaces();

// The calling process's descendants, to be seen in /proc.
std::vector<pid_t> Descendants(pid_t ancestor);

// The name of a process, as ps shows it.
std::string NameOf(pid_t pid);

// A pidfd; readable when the process has ended.
int OpenPidfd(pid_t pid);

// The same for each process that runs in a sandbox of the calling process's, but
// for the init.
std::vector<int> OpenPidfdsInSandboxes();

// True when the process behind each has ended, closing them; false if one does
// not end.
bool AllEnd(const std::vector<int>& pidfds);

}  // namespace isolate

#endif  // TESTS_SANDBOX_TRACES_H_
