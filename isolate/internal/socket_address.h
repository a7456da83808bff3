#ifndef ISOLATE_INTERNAL_SOCKET_ADDRESS_H_
#define ISOLATE_INTERNAL_SOCKET_ADDRESS_H_

// The address of a socket, and what there is to say of it.  Pure.

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace isolate::internal {

class SocketAddress {
 public:
  // As getsockname(2) gave it, or somebody else, whatever its length.
  explicit SocketAddress(absl::string_view bytes);

  size_t size() const { return size_; }
  template <typename T>
  const T& As() const {
    return reinterpret_cast<const T&>(storage_);
  }
  sa_family_t family() const;
  // In the host's order; 0 where the family has none.
  int port() const;
  // Of IPv4 and IPv6: "127.0.0.1", "[::1]".
  std::string host() const;
  // 0.0.0.0 or ::, which stand for every address.
  bool is_wildcard() const;
  // Of a unix socket: its path, or "@" and its abstract name; empty where it has none.
  std::string unix_name() const;

 private:
  sockaddr_storage storage_ = {};
  size_t size_ = 0;
};

// "tcp", "udp", "unix", ...; of what socket(2) takes, the protocol as SO_PROTOCOL tells it.
std::string ProtocolName(uint32_t domain, uint32_t type, uint32_t protocol);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_SOCKET_ADDRESS_H_
