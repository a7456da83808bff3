#include "gtest_plugin/surroundings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "isolate/internal/numbers_in.h"

// ThreadSanitizer has a thread of its own in every process, forks among them.
extern "C" __attribute__((weak)) void __tsan_init();

namespace isolate::gtest {
namespace {

using ::isolate::internal::NumbersIn;

// The first line of a file; empty where there is none.
std::string LineOf(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// "127.0.0.1:8080" where the descriptor is a socket that listens; nothing otherwise.
absl::optional<std::string> ListeningAt(int descriptor) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    return absl::nullopt;
  }
  sockaddr_storage address = {};
  size = sizeof(address);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return absl::StrCat(text, ":", ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return absl::StrCat("[", text, "]:", ntohs(v6.sin6_port));
  }
  return absl::StrCat("descriptor ", descriptor);
}

}  // namespace

std::vector<std::string> OtherThreads() {
  std::vector<std::string> threads;
  for (const pid_t thread : NumbersIn("/proc/self/task")) {
    if (thread != getpid() && __tsan_init == nullptr) {
      threads.push_back(LineOf(absl::StrCat("/proc/self/task/", thread, "/comm")));
    }
  }
  return threads;
}

std::vector<std::string> ChildProcesses() {
  std::vector<std::string> names;
  for (const pid_t thread : NumbersIn("/proc/self/task")) {
    std::ifstream children(absl::StrCat("/proc/self/task/", thread, "/children"));
    for (pid_t child = 0; children >> child;) {
      names.push_back(LineOf(absl::StrCat("/proc/", child, "/comm")));
    }
  }
  return names;
}

std::vector<std::string> ListeningSockets() {
  std::vector<std::string> sockets;
  for (const int descriptor : NumbersIn("/proc/self/fd")) {
    if (absl::optional<std::string> address = ListeningAt(descriptor)) {
      sockets.push_back(*std::move(address));
    }
  }
  return sockets;
}

std::string WhatTestsMiss(bool same_network) {
  const std::vector<std::string> threads = OtherThreads();
  const std::vector<std::string> sockets =
      same_network ? std::vector<std::string>() : ListeningSockets();
  std::string missing;
  if (!threads.empty()) {
    absl::StrAppend(&missing,
                    "isolate: threads of this process do not run in the tests, which are forks of "
                    "it: ",
                    absl::StrJoin(threads, ", "),
                    "\nStart them in SetUpTestSuite or in the fixture, or give "
                    "--isolate_spawn=exec.\n");
  }
  if (!sockets.empty()) {
    absl::StrAppend(&missing, "isolate: the tests cannot reach what listens outside of their ",
                    "sandboxes: ", absl::StrJoin(sockets, ", "),
                    "\nStart it in SetUpTestSuite or in the fixture, or give "
                    "--isolate_network=host.\n");
  }
  return missing;
}

absl::Duration Age() {
  // The name, which may have any character in it, ends at the last parenthesis; it is field 2, and
  // the start, in ticks of CLOCK_BOOTTIME, is field 22 (proc(5)).
  const std::string line = LineOf("/proc/self/stat");
  const std::vector<std::string> fields = absl::StrSplit(line.substr(line.rfind(')') + 1), ' ');
  int64_t start = 0;
  timespec now;
  if (fields.size() <= 20 || !absl::SimpleAtoi(fields[20], &start) ||
      clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
    return absl::ZeroDuration();
  }
  return absl::DurationFromTimespec(now) -
         absl::Seconds(static_cast<double>(start) / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

absl::optional<std::string> Debugger() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    int tracer = 0;
    if (absl::StartsWith(line, "TracerPid:") &&
        absl::SimpleAtoi(line.substr(sizeof("TracerPid:") - 1), &tracer) && tracer != 0) {
      const std::string name = LineOf(absl::StrCat("/proc/", tracer, "/comm"));
      return absl::StrCat(name.empty() ? "a debugger" : name, " (pid ", tracer, ")");
    }
  }
  const char* preloaded = getenv("LD_PRELOAD");
  if (preloaded != nullptr && absl::StrContains(preloaded, "vgpreload")) {
    return "valgrind";
  }
  return absl::nullopt;
}

}  // namespace isolate::gtest
