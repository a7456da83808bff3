// The network namespace.

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "isolate/isolate.h"
#include "tests/sandbox/caller.h"
#include "tests/sandbox/inside.h"

namespace isolate {
namespace {

std::string Interfaces() {
  std::set<std::string> names;
  struct if_nameindex* all = if_nameindex();
  for (struct if_nameindex* each = all; each != nullptr && each->if_index != 0; ++each) {
    names.insert(each->if_name);
  }
  if_freenameindex(all);
  return absl::StrJoin(names, " ");
}

// "127.0.0.1/255.0.0.0 ::1/ffff:...", each address of an interface that is up.
std::string Addresses() {
  std::set<std::string> addresses;
  ifaddrs* all = nullptr;
  getifaddrs(&all);
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    char address[INET6_ADDRSTRLEN] = {};
    char mask[INET6_ADDRSTRLEN] = {};
    if (each->ifa_addr == nullptr || (each->ifa_flags & IFF_UP) == 0) {
      continue;
    }
    if (each->ifa_addr->sa_family == AF_INET) {
      const auto in = [](const sockaddr* a) {
        return &reinterpret_cast<const sockaddr_in*>(reinterpret_cast<const void*>(a))->sin_addr;
      };
      inet_ntop(AF_INET, in(each->ifa_addr), address, sizeof(address));
      inet_ntop(AF_INET, in(each->ifa_netmask), mask, sizeof(mask));
      addresses.insert(absl::StrCat(address, "/", mask));
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      const auto* in6 =
          reinterpret_cast<const sockaddr_in6*>(reinterpret_cast<const void*>(each->ifa_addr));
      inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof(address));
      addresses.insert(address);
    }
  }
  freeifaddrs(all);
  return absl::StrJoin(addresses, " ");
}

bool HasIpv6() { return Exists("/proc/net/if_inet6"); }

sockaddr_in Ipv4(const char* address, uint16_t port) {
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  inet_pton(AF_INET, address, &in.sin_addr);
  return in;
}

template <typename Address>
const sockaddr* Generic(const Address& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

std::string Bind(int fd, const char* address, uint16_t port) {
  const sockaddr_in in = Ipv4(address, port);
  return Called(bind(fd, Generic(in), sizeof(in)));
}

TEST(Loopback, IsTheOnlyInterface) { EXPECT_EQ(Inside({}, Interfaces), "lo"); }

TEST(Loopback, IsUpWithBothAddresses) {
  EXPECT_EQ(Inside({}, Addresses), HasIpv6() ? "127.0.0.1/255.0.0.0 ::1" : "127.0.0.1/255.0.0.0");
}

TEST(Loopback, IsAllThatSysShows) {
  EXPECT_EQ(Inside({}, [] { return List("/sys/class/net"); }), "lo");
}

TEST(Loopback, HasItsOwnCounters) {
  EXPECT_EQ(Inside({}, [] { return ReadFile("/sys/class/net/lo/statistics/rx_bytes"); }), "0\n");
}

TEST(Loopback, IsTheWholeOf127) {
  EXPECT_EQ(Inside({}, [] { return Bind(socket(AF_INET, SOCK_STREAM, 0), "127.9.9.9", 80); }),
            geteuid() == 0 ? "OK" : "EACCES");
  EXPECT_EQ(Inside({}, [] { return Bind(socket(AF_INET, SOCK_STREAM, 0), "127.9.9.9", 8080); }),
            "OK");
}

std::string TalkTo(const sockaddr* address, socklen_t size) {
  const int server = socket(address->sa_family, SOCK_STREAM, 0);
  const int client = socket(address->sa_family, SOCK_STREAM, 0);
  if (bind(server, address, size) != 0 || listen(server, 1) != 0 ||
      connect(client, address, size) != 0 || write(client, "hello", 5) != 5) {
    return Called(-1);
  }
  char text[6] = {};
  return read(accept(server, nullptr, nullptr), text, 5) == 5 ? text : Called(-1);
}

TEST(Loopback, CarriesTcp) {
  EXPECT_EQ(Inside({},
                   [] {
                     const sockaddr_in in = Ipv4("127.0.0.1", 8080);
                     return TalkTo(Generic(in), sizeof(in));
                   }),
            "hello");
}

TEST(Loopback, CarriesTcpOverIpv6) {
  if (!HasIpv6()) {
    GTEST_SKIP() << "this host has no IPv6";
  }
  EXPECT_EQ(Inside({},
                   [] {
                     sockaddr_in6 in6 = {};
                     in6.sin6_family = AF_INET6;
                     in6.sin6_port = htons(8080);
                     in6.sin6_addr = in6addr_loopback;
                     return TalkTo(Generic(in6), sizeof(in6));
                   }),
            "hello");
}

std::string Route() {
  const sockaddr_in in = Ipv4("192.0.2.1", 9);
  return Called(connect(socket(AF_INET, SOCK_DGRAM, 0), Generic(in), sizeof(in)));
}

TEST(Loopback, HasNoRouteOut) { EXPECT_EQ(Inside({}, Route), "ENETUNREACH"); }

TEST(NoNetwork, LeavesLoopbackDown) {
  Options options;
  options.network = Network::kNone;
  EXPECT_EQ(Inside(options, [] { return Interfaces() + ": " + Addresses(); }), "lo: ");
  EXPECT_EQ(Inside(options, [] { return List("/sys/class/net"); }), "lo");
  EXPECT_EQ(Inside(options, Route), "ENETUNREACH");
}

TEST(NoNetwork, IsANetworkOfItsOwn) {
  Options options;
  options.network = Network::kNone;
  EXPECT_NE(Inside(options, [] { return absl::StrCat(Inode("net")); }), absl::StrCat(Inode("net")));
}

TEST(HostNetwork, IsTheCallers) {
  Options options;
  options.network = Network::kHost;
  EXPECT_EQ(Inside(options, Interfaces), Interfaces());
  EXPECT_EQ(Inside(options, Addresses), Addresses());
  EXPECT_EQ(Inside(options, [] { return List("/sys/class/net"); }), List("/sys/class/net"));
}

// A socket of the caller's, bound to a port that was free.
class BoundPort {
 public:
  BoundPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in in = Ipv4("127.0.0.1", 0);
    socklen_t size = sizeof(in);
    bound_ = bind(fd_, Generic(in), sizeof(in)) == 0 &&
             getsockname(fd_, static_cast<sockaddr*>(static_cast<void*>(&in)), &size) == 0;
    port_ = ntohs(in.sin_port);
  }
  ~BoundPort() { close(fd_); }
  BoundPort(const BoundPort&) = delete;
  BoundPort& operator=(const BoundPort&) = delete;
  bool bound() const { return bound_; }
  uint16_t port() const { return port_; }

 private:
  int fd_;
  bool bound_;
  uint16_t port_;
};

TEST(Ports, AreFreeInsideThoughTakenOutside) {
  const BoundPort taken;
  ASSERT_TRUE(taken.bound());
  const auto bind_it = [&] {
    return Bind(socket(AF_INET, SOCK_STREAM, 0), "127.0.0.1", taken.port());
  };
  EXPECT_EQ(Inside({}, bind_it), "OK");
  Options options;
  options.network = Network::kHost;
  EXPECT_EQ(Inside(options, bind_it), "EADDRINUSE");
}

TEST(Ports, AreHeldByTwoSandboxesAtOnce) {
  const absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create({}, 2);
  ASSERT_TRUE(executor.ok()) << Told(executor.status());
  const Meeting meeting;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE((*executor)
                    ->Start([&](Reporter& reporter) {
                      const int server = socket(AF_INET, SOCK_STREAM, 0);
                      const std::string bound = Bind(server, "127.0.0.1", 8080);
                      const std::string said = bound + " " + Called(listen(server, 1));
                      meeting.Attend();
                      return reporter.Send(said).ok() ? 0 : 1;
                    })
                    .ok());
  }
  ASSERT_TRUE(meeting.Await(2));
  meeting.Dismiss(2);
  for (int i = 0; i < 2; ++i) {
    const Executor::Finished finished = (*executor)->WaitAny();
    ASSERT_TRUE(finished.result.ok()) << Told(finished.result);
    EXPECT_EQ(finished.result->messages.at(0).payload, "OK OK");
  }
}

std::string BindAbstract(int fd, const std::string& name) {
  sockaddr_un un = {};
  un.sun_family = AF_UNIX;
  memcpy(un.sun_path + 1, name.data(), name.size());
  return Called(bind(fd, Generic(un),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())));
}

TEST(AbstractSockets, ArePrivateUnlessTheNetworkIsTheCallers) {
  const std::string name = absl::StrCat("isolate-", getpid());
  const int outside = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(BindAbstract(outside, name), "OK");
  const auto bind_it = [&] { return BindAbstract(socket(AF_UNIX, SOCK_STREAM, 0), name); };
  EXPECT_EQ(Inside({}, bind_it), "OK");
  Options options;
  options.network = Network::kNone;
  EXPECT_EQ(Inside(options, bind_it), "OK");
  options.network = Network::kHost;
  EXPECT_EQ(Inside(options, bind_it), "EADDRINUSE");
  close(outside);
}

}  // namespace
}  // namespace isolate
