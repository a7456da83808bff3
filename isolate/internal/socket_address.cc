#include "isolate/internal/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace isolate::internal {

SocketAddress::SocketAddress(absl::string_view bytes)
    : size_(std::min(bytes.size(), sizeof(storage_))) {
  memcpy(&storage_, bytes.data(), size_);
}

sa_family_t SocketAddress::family() const {
  return size_ >= sizeof(sa_family_t) ? storage_.ss_family : sa_family_t{AF_UNSPEC};
}

int SocketAddress::port() const {
  return family() == AF_INET    ? ntohs(As<sockaddr_in>().sin_port)
         : family() == AF_INET6 ? ntohs(As<sockaddr_in6>().sin6_port)
                                : 0;
}

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &As<sockaddr_in>().sin_addr, text, sizeof(text));
    return text;
  }
  inet_ntop(AF_INET6, &As<sockaddr_in6>().sin6_addr, text, sizeof(text));
  return absl::StrCat("[", text, "]");
}

bool SocketAddress::is_wildcard() const {
  return family() == AF_INET    ? As<sockaddr_in>().sin_addr.s_addr == htonl(INADDR_ANY)
         : family() == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&As<sockaddr_in6>().sin6_addr)
                                : false;
}

std::string SocketAddress::unix_name() const {
  constexpr size_t kBegin = offsetof(sockaddr_un, sun_path);
  if (family() != AF_UNIX || size_ <= kBegin) {
    return "";
  }
  const absl::string_view name(As<sockaddr_un>().sun_path, size_ - kBegin);
  return name.front() == '\0' ? absl::StrCat("@", absl::CHexEscape(name.substr(1)))
                              : std::string(name.substr(0, name.find('\0')));
}

std::string ProtocolName(uint32_t domain, uint32_t type, uint32_t protocol) {
  switch (domain) {
    case AF_UNIX:
      return "unix";
    case AF_PACKET:
      return "packet";
    case AF_NETLINK:
      return "netlink";
    case AF_INET:
    case AF_INET6:
      break;
    default:
      return absl::StrCat("family ", domain);
  }
  if (type == SOCK_RAW) {
    return "raw";
  }
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_UDPLITE:
      return "udplite";
    case IPPROTO_SCTP:
      return "sctp";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return "icmp";
    default:
      return absl::StrCat("protocol ", protocol);
  }
}

}  // namespace isolate::internal
