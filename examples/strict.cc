// Settings in the BUILD file: examples/BUILD has those of this program.
//
//   tools/bazel test //examples:strict
//
// There every leak is a failure, each test has ten seconds, two run at once, and the host has a
// name of its own.  The tests pass, as they clean up.  The command line still wins: with
// --test_env=ISOLATE_HOSTNAME=other the last test fails.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "gtest/gtest.h"

namespace {

TEST(Strict, GivesItsPortBack) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(8080);
  EXPECT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(server);  // without this line the test fails: it would leave tcp 0.0.0.0:8080
}

TEST(Strict, SeesTheHostNameOfItsBuildFile) {
  std::array<char, 65> name = {};
  ASSERT_EQ(gethostname(name.data(), name.size()), 0);
  EXPECT_STREQ(name.data(), "strict");
}

}  // namespace
