// Tests that fight: each listens on the same port, and never lets go.  One that has a sandbox of
// its own does not notice.

#include <netinet/in.h>
#include <sys/socket.h>

#include "gtest/gtest.h"

namespace {

class Ports : public ::testing::TestWithParam<int> {};

TEST_P(Ports, AreFree) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(47474);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(server, 1), 0);
}

INSTANTIATE_TEST_SUITE_P(InEachTest, Ports, ::testing::Range(0, 64));

}  // namespace
