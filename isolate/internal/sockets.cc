#include "isolate/internal/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "isolate/internal/directory.h"
#include "isolate/internal/evidence.h"

namespace isolate::internal {
namespace {

// What of glibc's headers may be older than the kernel.
constexpr int kSoNetnsCookie = 71;

uint32_t Option(int socket, int level, int option) {
  int value = 0;
  socklen_t size = sizeof(value);
  return getsockopt(socket, level, option, &value, &size) == 0 ? static_cast<uint32_t>(value) : 0;
}

uint32_t TcpState(int socket) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_state : 0;
}

// The number behind `label`, from `text` on; -1 if it is not there.
int NumberAfter(const char* text, const char* label) {
  const char* found = strstr(text, label);
  return found != nullptr ? atoi(found + strlen(label)) : -1;
}

// The ports that the kernel chooses from.
struct PortRange {
  int first = 32768;
  int last = 60999;
};

PortRange EphemeralPorts() {
  PortRange range;
  char text[64];
  if (ReadFile(AT_FDCWD, "/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text)) > 0) {
    char* rest = nullptr;
    range.first = static_cast<int>(strtol(text, &rest, 10));
    range.last = static_cast<int>(strtol(rest, nullptr, 10));
  }
  return range;
}

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

Address AddressOf(uint8_t family, const __be32* words, __be16 port) {
  Address address = {};
  address.any.sa_family = family;
  if (family == AF_INET) {
    address.v4.sin_port = port;
    memcpy(&address.v4.sin_addr, words, sizeof(address.v4.sin_addr));
  } else {
    address.v6.sin6_port = port;
    memcpy(&address.v6.sin6_addr, words, sizeof(address.v6.sin6_addr));
  }
  return address;
}

int PortOf(const Address& address) {
  return address.any.sa_family == AF_INET    ? ntohs(address.v4.sin_port)
         : address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port)
                                             : 0;
}

socklen_t SizeOf(const Address& address) {
  return address.any.sa_family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
}

// As by a server that follows the advice of socket(7), or ip(7): what the first socket on the port
// has of the two, one of its kind has as well.
bool CanBeBound(const Address& address, bool shared) {
  const int probe = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) {
    return true;
  }
  const int on = shared ? 1 : 0;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(probe, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  const bool bound = bind(probe, &address.any, SizeOf(address)) == 0 || errno != EADDRINUSE;
  close(probe);
  return bound;
}

void TellTimeWait(const inet_diag_msg& connection, const PortRange& chosen,
                  EvidenceWriter& evidence) {
  const int port = ntohs(connection.id.idiag_sport);
  // Somebody has a descriptor of it, and is told of there.
  if (connection.idiag_inode != 0 || (port >= chosen.first && port <= chosen.last)) {
    return;
  }
  const Address address =
      AddressOf(connection.idiag_family, connection.id.idiag_src, connection.id.idiag_sport);
  const Address peer =
      AddressOf(connection.idiag_family, connection.id.idiag_dst, connection.id.idiag_dport);
  if (CanBeBound(address, /*shared=*/true)) {
    return;
  }
  evidence.Begin(EvidenceType::kTimeWait)
      .U32(connection.idiag_family)
      .U32(static_cast<uint32_t>(port))
      .EndKey()
      .U32(connection.idiag_state)
      .Bytes(&address, SizeOf(address))
      .Bytes(&peer, SizeOf(peer))
      .End();
}

bool AskForConnections(int netlink, uint8_t family) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message = {};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = family;
  message.request.sdiag_protocol = IPPROTO_TCP;
  message.request.idiag_states = 1U << TCP_TIME_WAIT | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 |
                                 1U << TCP_CLOSING | 1U << TCP_LAST_ACK;
  return send(netlink, &message, sizeof(message), 0) == sizeof(message);
}

// Whether more is to come.
bool TellSome(int netlink, const PortRange& chosen, int& met, EvidenceWriter& evidence) {
  alignas(nlmsghdr) char buffer[8192];
  const ssize_t size = recv(netlink, buffer, sizeof(buffer), 0);
  if (size < 0) {
    return errno == EINTR;
  }
  const char* const end = buffer + size;
  for (const char* next = buffer; end - next >= static_cast<ssize_t>(sizeof(nlmsghdr));) {
    const auto& header = *reinterpret_cast<const nlmsghdr*>(next);
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
      return false;
    }
    const auto& connection = *reinterpret_cast<const inet_diag_msg*>(next + NLMSG_HDRLEN);
    // In state CLOSE it was another one when the walk came by; that is in the table once more.
    met += connection.idiag_inode == 0 && connection.idiag_state != TCP_CLOSE ? 1 : 0;
    TellTimeWait(connection, chosen, evidence);
    next += NLMSG_ALIGN(header.nlmsg_len);
  }
  return size > 0;
}

// Gives how many connections it has met that nobody has a descriptor of; with `wanted` of them all
// are.  The walk does not see one that just becomes a TIME_WAIT on another processor: that is in
// the table before it has a reference (net/ipv4/inet_timewait_sock.c).
int TellTimeWaits(int wanted, EvidenceWriter& evidence) {
  const int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  int met = 0;
  if (netlink < 0) {
    return met;
  }
  const PortRange chosen = EphemeralPorts();
  static constexpr uint8_t kFamilies[] = {AF_INET, AF_INET6};
  for (const uint8_t family : kFamilies) {
    if (met < wanted && AskForConnections(netlink, family)) {
      while (TellSome(netlink, chosen, met, evidence)) {
      }
    }
  }
  close(netlink);
  return met;
}

}  // namespace

SocketCount CountSockets() {
  SocketCount count;
  char text[512];
  if (ReadFile(AT_FDCWD, "/proc/self/net/sockstat", text, sizeof(text)) > 0) {
    count.used = NumberAfter(text, "sockets: used ");
    count.time_wait = NumberAfter(text, " tw ");
  }
  return count;
}

uint64_t NetworkOf(int socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(socket, SOL_SOCKET, kSoNetnsCookie, &cookie, &size) == 0 ? cookie : 0;
}

uint64_t OwnNetwork() {
  const int own = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const uint64_t network = NetworkOf(own);
  close(own);
  return network;
}

void TellSocket(int socket, pid_t owner, int descriptor, EvidenceWriter& evidence) {
  struct stat status = {};
  fstat(socket, &status);
  sockaddr_storage address = {};
  sockaddr_storage peer = {};
  socklen_t address_size = sizeof(address);
  socklen_t peer_size = sizeof(peer);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &address_size) != 0) {
    address_size = 0;
  }
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) {
    peer_size = 0;
  }
  const uint32_t protocol = Option(socket, SOL_SOCKET, SO_PROTOCOL);
  const uint32_t tcp_state = protocol == IPPROTO_TCP ? TcpState(socket) : 0;
  // One that lost its connection still says which port it had.
  Address own = {};
  memcpy(&own, &address, sizeof(own));
  const bool holds =
      tcp_state == TCP_CLOSE && PortOf(own) != 0 && !CanBeBound(own, /*shared=*/false);
  const uint32_t flags = (holds ? kHoldsPort : 0U) |
                         (Option(socket, SOL_SOCKET, SO_ACCEPTCONN) != 0 ? kListening : 0U) |
                         (Option(socket, SOL_SOCKET, SO_REUSEPORT) != 0 ? kSharesPort : 0U);
  evidence.Begin(EvidenceType::kSocket)
      .U64(status.st_ino)
      .EndKey()
      .U32(static_cast<uint32_t>(owner))
      .U32(static_cast<uint32_t>(descriptor))
      .U32(Option(socket, SOL_SOCKET, SO_DOMAIN))
      .U32(Option(socket, SOL_SOCKET, SO_TYPE))
      .U32(protocol)
      .U32(flags)
      .U32(tcp_state)
      .Bytes(&address, address_size)
      .Bytes(&peer, peer_size)
      .End();
}

void TellAllTimeWaits(int open, EvidenceWriter& evidence) {
  const SocketCount now = CountSockets();
  const int wanted = now.time_wait + std::max(now.used - open, 0);
  // What others have open is never met.
  constexpr int kMostWalks = 3;
  for (int walk = 0; wanted > 0 && walk < kMostWalks; ++walk) {
    if (TellTimeWaits(wanted, evidence) >= wanted) {
      break;
    }
  }
}

}  // namespace isolate::internal
