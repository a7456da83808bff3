#include "isolate/internal/footprints.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "isolate/footprint.h"
#include "isolate/internal/name_record.h"
#include "isolate/internal/posix_object.h"
#include "isolate/internal/socket_address.h"
#include "isolate/internal/wire.h"

namespace isolate::internal {
namespace {

bool IsInOrBelow(absl::string_view path, absl::string_view folder) {
  return absl::ConsumePrefix(&path, folder) && (path.empty() || path.front() == '/');
}

bool ReadSocket(Decoder& decoder, NameUse& use) {
  const auto domain = decoder.U32();
  const auto type = decoder.U32();
  const auto protocol = decoder.U32();
  const auto flags = decoder.U32();
  const auto bytes = decoder.String();
  if (!decoder.complete()) {
    return false;
  }
  const SocketAddress address(*bytes);
  use.kind = NameKind::kPort;
  if (*domain == AF_UNIX) {
    use.name = absl::StrCat("unix ", address.unix_name());
    return true;
  }
  NameUse::Port port;
  port.chosen = (*flags & kChosen) != 0;
  if (*domain == AF_VSOCK) {
    if (address.size() < sizeof(sockaddr_vm)) {
      return false;
    }
    const auto& vsock = address.As<sockaddr_vm>();
    port.protocol = "vsock";
    port.host = absl::StrCat(vsock.svm_cid);
    port.number = static_cast<int>(vsock.svm_port);
    port.wildcard = vsock.svm_cid == VMADDR_CID_ANY;
  } else if (address.family() == AF_INET || address.family() == AF_INET6) {
    port.protocol = ProtocolName(*domain, *type, *protocol);
    port.host = address.host();
    port.number = address.port();
    port.wildcard = address.is_wildcard();
    port.only_ipv6 = (*flags & kOnlyIpv6) != 0;
    // "[::ffff:127.0.0.1]" is 127.0.0.1.
    if (absl::string_view host = port.host;
        absl::ConsumePrefix(&host, "[::ffff:") && absl::StrContains(host, '.')) {
      port.host = std::string(absl::StripSuffix(host, "]"));
      port.wildcard = port.host == "0.0.0.0";
    }
  } else {
    return false;
  }
  use.name = absl::StrCat(port.protocol, " ", port.host, ":", port.number);
  use.port = std::move(port);
  return true;
}

bool ReadSysv(Decoder& decoder, NameUse& use) {
  const auto type = decoder.String();
  const auto key = decoder.U32();
  if (!decoder.complete()) {
    return false;
  }
  use.kind = NameKind::kSysv;
  use.name = absl::StrCat(*type, " 0x", absl::Hex(*key));
  return true;
}

}  // namespace

bool FootprintBuilder::IsPassedOver(absl::string_view path) const {
  // Devices have been left out; the rest of this folder belongs to the system.
  if (absl::StartsWith(path, "/dev/")) {
    return true;
  }
  return std::any_of(passed_over_.begin(), passed_over_.end(),
                     [&](const std::string& folder) { return IsInOrBelow(path, folder); });
}

bool FootprintBuilder::Read(Decoder& decoder, NameUse& use) {
  const auto type = decoder.U32();
  const auto stretch = decoder.U32();
  const auto deeds = decoder.U32();
  use.stretch = stretch.value_or(0);
  use.deeds = deeds.value_or(0);
  switch (static_cast<NameType>(type.value_or(0))) {
    case NameType::kPath: {
      const auto path = decoder.String();
      if (!decoder.complete()) {
        return false;
      }
      absl::string_view queue = *path;
      if (const absl::optional<PosixObject> object = PosixObjectAt(*path); object.has_value()) {
        use.kind = NameKind::kPosix;
        use.name = absl::StrCat(object->type, " ", object->name);
      } else if (absl::ConsumePrefix(&queue, "/dev/mqueue/")) {
        use.kind = NameKind::kPosix;
        use.name = absl::StrCat("mq /", queue);
      } else if (absl::StartsWith(*path, "/dev/shm/") || !IsPassedOver(*path)) {
        use.kind = NameKind::kFile;
        use.name = std::string(*path);
      }
      return true;
    }
    case NameType::kSocket:
      return ReadSocket(decoder, use);
    case NameType::kSysv:
      return ReadSysv(decoder, use);
    case NameType::kQueue:
    case NameType::kHostname: {
      const auto name = decoder.String();
      if (!decoder.complete()) {
        return false;
      }
      const bool queue = *type == static_cast<uint32_t>(NameType::kQueue);
      use.kind = queue ? NameKind::kPosix : NameKind::kHostname;
      use.name = absl::StrCat(queue ? "mq /" : "", *name);
      return true;
    }
    case NameType::kUntold: {
      const auto count = decoder.U32();
      if (!decoder.complete()) {
        return false;
      }
      untold_ += *count;
      return true;
    }
  }
  return false;
}

bool FootprintBuilder::Add(absl::string_view record) {
  Decoder decoder(record);
  NameUse use;
  if (!Read(decoder, use)) {
    return false;
  }
  if (use.name.empty()) {
    return true;
  }
  // It is shown on a line.
  if (std::any_of(use.name.begin(), use.name.end(),
                  [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); })) {
    use.name = absl::Utf8SafeCHexEscape(use.name);
  }
  NameUse& known = uses_[Key(use.stretch, use.kind, use.name)];
  use.deeds |= known.deeds;
  if (use.port.has_value() && known.port.has_value()) {
    use.port->only_ipv6 = use.port->only_ipv6 && known.port->only_ipv6;
    use.port->chosen = use.port->chosen && known.port->chosen;
  }
  known = std::move(use);
  return true;
}

Footprint FootprintBuilder::Take() {
  Footprint footprint;
  footprint.untold = untold_;
  footprint.names.reserve(uses_.size());
  for (auto& [key, use] : uses_) {
    footprint.names.push_back(std::move(use));
  }
  return footprint;
}

}  // namespace isolate::internal
