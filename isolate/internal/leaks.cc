#include "isolate/internal/leaks.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/mappings.h"
#include "isolate/internal/posix_object.h"
#include "isolate/internal/socket_address.h"
#include "isolate/internal/wire.h"
#include "isolate/leak.h"

namespace isolate::internal {
namespace {

// A longer one of a variable or of a command is cut.
constexpr size_t kMaxShown = 200;

std::string Shown(absl::string_view text) {
  return text.size() <= kMaxShown ? std::string(text)
                                  : absl::StrCat(text.substr(0, kMaxShown), "...");
}

void Note(Leak& leak, absl::string_view name, int64_t value) {
  leak.attributes.push_back({std::string(name), value});
}

void Note(Leak& leak, absl::string_view name, absl::string_view value) {
  leak.attributes.push_back({std::string(name), std::string(value)});
}

std::string WithoutControls(absl::string_view text) {
  const bool has = std::any_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  return has ? absl::Utf8SafeCHexEscape(text) : std::string(text);
}

int PortOf(const Leak& leak) {
  for (const Leak::Attribute& attribute : leak.attributes) {
    if (attribute.name == "port") {
      return static_cast<int>(absl::get<int64_t>(attribute.value));
    }
  }
  return 0;
}

std::string Bytes(uint64_t size) { return absl::StrCat(size, size == 1 ? " byte" : " bytes"); }

// --- sockets

struct Socket {
  uint32_t domain = 0;
  uint32_t type = 0;
  uint32_t protocol = 0;
  uint32_t flags = 0;
  uint32_t tcp_state = 0;
  SocketAddress address{""};
  SocketAddress peer{""};

  bool is_internet() const { return domain == AF_INET || domain == AF_INET6; }
  bool listens() const { return (flags & kListening) != 0; }
};

std::string ProtocolName(const Socket& socket) {
  return internal::ProtocolName(socket.domain, socket.type, socket.protocol);
}

const char* TcpStateName(uint32_t state) {
  switch (state) {
    case TCP_ESTABLISHED:
      return "established";
    case TCP_SYN_SENT:
      return "SYN_SENT";
    case TCP_SYN_RECV:
      return "SYN_RECV";
    case TCP_FIN_WAIT1:
      return "FIN_WAIT1";
    case TCP_FIN_WAIT2:
      return "FIN_WAIT2";
    case TCP_TIME_WAIT:
      return "TIME_WAIT";
    case TCP_CLOSE_WAIT:
      return "CLOSE_WAIT";
    case TCP_LAST_ACK:
      return "LAST_ACK";
    case TCP_CLOSING:
      return "CLOSING";
    default:
      return "closed";
  }
}

// Whether it keeps others from a name.
bool HoldsName(const Socket& socket) {
  if (socket.domain == AF_PACKET) {
    return socket.address.size() >= offsetof(sockaddr_ll, sll_addr) &&
           socket.address.As<sockaddr_ll>().sll_protocol != 0;
  }
  if (socket.domain == AF_UNIX) {
    return !socket.address.unix_name().empty() &&
           (socket.type == SOCK_DGRAM || socket.peer.size() == 0);
  }
  if (!socket.is_internet()) {
    return false;
  }
  if (socket.type == SOCK_RAW) {
    return true;
  }
  if (socket.protocol == IPPROTO_TCP) {
    return socket.listens() || (socket.flags & kHoldsPort) != 0;
  }
  return socket.address.port() != 0;
}

// "127.0.0.1:8080", "/tmp/socket"
std::string EndName(const Socket& socket, const SocketAddress& address) {
  if (socket.domain == AF_UNIX) {
    return address.unix_name();
  }
  if (socket.domain == AF_PACKET) {
    const auto& packet = address.As<sockaddr_ll>();
    return absl::StrCat("protocol 0x", absl::Hex(ntohs(packet.sll_protocol), absl::kZeroPad4),
                        " on interface ", packet.sll_ifindex);
  }
  if (!socket.is_internet()) {
    return "";
  }
  return socket.type == SOCK_RAW ? absl::StrCat(address.host(), " protocol ", socket.protocol)
                                 : absl::StrCat(address.host(), ":", address.port());
}

std::string SocketName(const Socket& socket) {
  const std::string protocol = ProtocolName(socket);
  if (HoldsName(socket)) {
    return absl::StrCat(protocol, " ", EndName(socket, socket.address));
  }
  const std::string peer = socket.peer.size() > 0 ? EndName(socket, socket.peer) : "";
  if (peer.empty()) {
    return absl::StrCat(protocol, " socket");
  }
  return absl::StrCat(protocol, " ", EndName(socket, socket.address), " -> ", peer);
}

std::string SocketState(const Socket& socket) {
  if (socket.listens()) {
    return "listening";
  }
  if (HoldsName(socket)) {
    return "bound";
  }
  if (socket.protocol == IPPROTO_TCP && socket.is_internet()) {
    return TcpStateName(socket.tcp_state);
  }
  return socket.peer.size() > 0 ? "connected" : "not bound";
}

bool ReadTimeWait(Decoder& decoder, Reading& reading) {
  const auto family = decoder.U32();
  const auto port = decoder.U32();
  const auto state = decoder.U32();
  const SocketAddress address(decoder.String().value_or(""));
  const SocketAddress peer(decoder.String().value_or(""));
  if (!decoder.complete()) {
    return false;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("time_wait ", *family, " ", *port);
  leak.kind = LeakKind::kTimeWait;
  leak.name = absl::StrCat("tcp ", address.host(), ":", *port);
  leak.detail = absl::StrCat(TcpStateName(*state),
                             ", nobody has it; set SO_REUSEADDR on the socket ", "that listens");
  leak.consequence =
      absl::StrCat("for a minute, a test that binds tcp ", *port, " would have failed");
  Note(leak, "protocol", "tcp");
  Note(leak, "address", absl::StripSuffix(absl::StripPrefix(address.host(), "["), "]"));
  Note(leak, "port", *port);
  Note(leak, "peer", absl::StrCat(peer.host(), ":", peer.port()));
  Note(leak, "state", TcpStateName(*state));
  return true;
}

// --- descriptors, threads and processes

// "/memfd:x (deleted)" is "memfd:x", "anon_inode:[eventpoll]" is "epoll".
std::string DescriptorName(absl::string_view target) {
  if (absl::ConsumePrefix(&target, "anon_inode:")) {
    absl::ConsumePrefix(&target, "[");
    absl::ConsumeSuffix(&target, "]");
    return target == "eventpoll" ? "epoll" : std::string(target);
  }
  if (absl::ConsumePrefix(&target, "/memfd:")) {
    absl::ConsumeSuffix(&target, " (deleted)");
    return absl::StrCat("memfd:", target);
  }
  if (absl::StartsWith(target, "pipe:[")) {
    return "pipe";
  }
  return std::string(target);
}

bool ReadDescriptor(Decoder& decoder, Reading& reading) {
  const auto number = decoder.U32();
  const auto target = decoder.String();
  const auto mode = decoder.U32();
  const auto size = decoder.U64();
  const auto replaced = decoder.U32();
  if (!decoder.complete()) {
    return false;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("descriptor ", *number, " ", *target);
  leak.kind = LeakKind::kDescriptor;
  leak.name = DescriptorName(*target);
  leak.detail =
      absl::StrCat("descriptor ", *number, *replaced != 0 ? ", which led elsewhere before" : "");
  Note(leak, "fd", *number);
  Note(leak, "target", *target);
  if (S_ISREG(*mode)) {
    Note(leak, "size", static_cast<int64_t>(*size));
  }
  return true;
}

bool ReadThread(Decoder& decoder, Reading& reading) {
  const auto thread = decoder.U32();
  const auto name = decoder.String();
  const auto waits_in = decoder.String();
  const auto function = decoder.String();
  const auto stack = decoder.String();
  if (!decoder.complete()) {
    return false;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("thread ", *thread);
  leak.kind = LeakKind::kThread;
  leak.name = std::string(*name);
  const bool waits = !waits_in->empty() && *waits_in != "0";
  leak.detail = absl::StrCat(
      "thread ", *thread, waits ? absl::StrCat(", waits in ", *waits_in) : ", still runs",
      function->empty() ? "" : absl::StrCat("; it is in ", Shown(*function)));
  Note(leak, "tid", *thread);
  if (waits) {
    Note(leak, "waits_in", *waits_in);
  }
  if (!function->empty()) {
    Note(leak, "function", *function);
  }
  if (!stack->empty()) {
    Note(leak, "stack", *stack);
  }
  return true;
}

// --- names

bool ReadSysv(Decoder& decoder, Reading& reading) {
  const auto type = decoder.String();
  const auto id = decoder.U32();
  const auto key = decoder.U32();
  const auto size = decoder.U64();
  const auto mode = decoder.U32();
  const auto attached = decoder.U64();
  const auto uid = decoder.U32();
  const auto pid = decoder.U32();
  if (!decoder.complete()) {
    return false;
  }
  // From the kernel's <linux/shm.h>: removed, and there until the last process lets go of it.
  constexpr uint32_t kRemoved = 01000;
  const bool is_shm = *type == "shm";
  const bool removed = is_shm && (*mode & kRemoved) != 0;
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("sysv ", *type, " ", *id);
  leak.kind = LeakKind::kSysv;
  const std::string key_text = absl::StrCat("0x", absl::Hex(*key));
  leak.name = *key != 0 ? absl::StrCat(*type, " ", key_text) : absl::StrCat(*type, " id ", *id);
  const std::string what = is_shm           ? Bytes(*size)
                           : *type == "sem" ? absl::StrCat(*size, " semaphores")
                                            : absl::StrCat(*size, " messages");
  leak.detail = absl::StrCat("id ", *id, ", ", what,
                             *attached != 0 ? absl::StrCat(", attached ", *attached, " times") : "",
                             removed ? ", removed but still attached" : "");
  if (*key != 0 && !removed) {
    leak.consequence =
        absl::StrCat("the next test that creates key ", key_text, " would have met it");
  }
  Note(leak, "type", *type);
  Note(leak, "id", *id);
  Note(leak, "key", key_text);
  Note(leak, is_shm ? "size" : "count", static_cast<int64_t>(*size));
  if (is_shm) {
    Note(leak, "attached", static_cast<int64_t>(*attached));
  }
  Note(leak, "creator_uid", *uid);
  if (*pid != 0) {
    Note(leak, "creator_pid", *pid);
  }
  return true;
}

std::string MetConsequence(absl::string_view name) {
  return absl::StrCat("the next test that opens ", name, " would have met it");
}

bool ReadQueue(Decoder& decoder, Reading& reading) {
  const auto name = decoder.String();
  const auto size = decoder.U64();
  const auto uid = decoder.U32();
  if (!decoder.complete()) {
    return false;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("mq ", *name);
  leak.kind = LeakKind::kPosix;
  leak.name = absl::StrCat("mq /", *name);
  leak.detail = absl::StrCat(Bytes(*size), " of messages");
  leak.consequence = MetConsequence(leak.name);
  Note(leak, "type", "mq");
  Note(leak, "object", absl::StrCat("/", *name));
  Note(leak, "size", static_cast<int64_t>(*size));
  Note(leak, "creator_uid", *uid);
  return true;
}

const char* FileType(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "folder";
    case S_IFLNK:
      return "symbolic link";
    case S_IFIFO:
      return "FIFO";
    case S_IFSOCK:
      return "socket";
    case S_IFREG:
      return "file";
    default:
      return "device";
  }
}

bool ReadFileRecord(Decoder& decoder, Reading& reading) {
  const auto path = decoder.String();
  const auto mode = decoder.U32();
  const auto size = decoder.U64();
  const auto uid = decoder.U32();
  const auto gid = decoder.U32();
  if (!decoder.complete()) {
    return false;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("file ", *path);
  const absl::optional<PosixObject> object = S_ISREG(*mode) ? PosixObjectAt(*path) : absl::nullopt;
  if (object.has_value()) {
    leak.kind = LeakKind::kPosix;
    leak.name = absl::StrCat(object->type, " ", object->name);
    leak.detail = object->type == "sem" ? "" : Bytes(*size);
    leak.consequence = MetConsequence(leak.name);
    Note(leak, "type", object->type);
    Note(leak, "object", object->name);
    Note(leak, "size", static_cast<int64_t>(*size));
    Note(leak, "uid", *uid);
    Note(leak, "gid", *gid);
  } else {
    leak = LeakOfFile(*path, *mode, *size, *uid, *gid);
  }
  return true;
}

bool ReadState(Decoder& decoder, Reading& reading) {
  const auto what = decoder.String();
  const auto before = decoder.String();
  const auto after = decoder.String();
  if (!decoder.complete()) {
    return false;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("state ", *what);
  leak.kind = LeakKind::kState;
  leak.name = std::string(*what);
  const auto value = [&](absl::string_view text) {
    return text.empty() ? std::string("not set") : Shown(text);
  };
  leak.detail = absl::StrCat("was ", value(*before), ", is ", value(*after));
  Note(leak, "before", Shown(*before));
  Note(leak, "after", Shown(*after));
  return true;
}

absl::optional<LeakKind> KindOf(EvidenceType type) {
  switch (type) {
    case EvidenceType::kSocket:
      return LeakKind::kPort;
    case EvidenceType::kDescriptor:
      return LeakKind::kDescriptor;
    case EvidenceType::kProcess:
      return LeakKind::kProcess;
    case EvidenceType::kThread:
      return LeakKind::kThread;
    case EvidenceType::kSysv:
      return LeakKind::kSysv;
    case EvidenceType::kQueue:
    case EvidenceType::kMapping:
      return LeakKind::kPosix;
    case EvidenceType::kFile:
      return LeakKind::kFile;
    case EvidenceType::kTimeWait:
      return LeakKind::kTimeWait;
    case EvidenceType::kState:
      return LeakKind::kState;
    case EvidenceType::kMore:
      break;
  }
  return absl::nullopt;
}

bool ReadMore(Decoder& decoder, Reading& reading) {
  const auto type = decoder.U32();
  const auto count = decoder.U64();
  if (!decoder.complete()) {
    return false;
  }
  const absl::optional<LeakKind> kind = KindOf(static_cast<EvidenceType>(*type));
  if (!kind.has_value()) {
    return false;
  }
  reading.key = absl::StrCat("more ", *type);
  reading.leak.kind = *kind;
  reading.leak.name = "(and more)";
  reading.leak.count = static_cast<int64_t>(std::min<uint64_t>(*count, kMaxCounted));
  reading.leak.detail = absl::StrCat(
      reading.leak.count, reading.leak.count + kMaxEvidence >= kMaxCounted ? " or more" : "",
      " that are not told of one by one");
  return true;
}

}  // namespace

Leak LeakOfFile(absl::string_view path, uint32_t mode, uint64_t size, uint32_t uid, uint32_t gid) {
  Leak leak;
  leak.kind = LeakKind::kFile;
  leak.name = std::string(path);
  leak.detail = S_ISREG(mode) ? Bytes(size) : FileType(mode);
  Note(leak, "path", path);
  Note(leak, "type", FileType(mode));
  Note(leak, "size", static_cast<int64_t>(size));
  Note(leak, "uid", uid);
  Note(leak, "gid", gid);
  return leak;
}

bool Leaks::ReadSocket(Decoder& decoder, bool in_process, Reading& reading) {
  const auto inode = decoder.U64();
  const auto pid = decoder.U32();
  const auto descriptor = decoder.U32();
  Socket socket;
  for (uint32_t* field :
       {&socket.domain, &socket.type, &socket.protocol, &socket.flags, &socket.tcp_state}) {
    *field = decoder.U32().value_or(0);
  }
  socket.address = SocketAddress(decoder.String().value_or(""));
  socket.peer = SocketAddress(decoder.String().value_or(""));
  if (!decoder.complete()) {
    return false;
  }
  if (socket.protocol == IPPROTO_TCP && socket.is_internet()) {
    tcp_ports_.insert(socket.address.port());
  }
  // Another process is told of before its sockets are.
  const auto other = commands_.find(*pid);
  const bool own = in_process && other == commands_.end();
  // What a process that lives on has open beside is its own affair.
  if (!own && !HoldsName(socket)) {
    return true;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("socket ", *inode);
  leak.kind = HoldsName(socket) ? LeakKind::kPort : LeakKind::kDescriptor;
  leak.name = SocketName(socket);
  std::string owner = "the test's process";
  const std::string command = other != commands_.end() ? other->second
                              : own                    ? Shown(own_command_())
                                                       : "";
  if (!own) {
    owner = absl::StrCat("process ", *pid, command.empty() ? "" : absl::StrCat(": ", command));
  }
  const bool shares = (socket.flags & kSharesPort) != 0;
  leak.detail = absl::StrCat(SocketState(socket), shares ? ", SO_REUSEPORT" : "", "; descriptor ",
                             *descriptor, " of ", owner);
  if (leak.kind == LeakKind::kPort && !shares && socket.domain != AF_PACKET &&
      socket.type != SOCK_RAW) {
    leak.consequence = absl::StrCat(
        "the next test that binds ", ProtocolName(socket), " ",
        socket.is_internet() ? absl::StrCat(socket.address.port()) : socket.address.unix_name(),
        " would have failed");
  }
  Note(leak, "protocol", ProtocolName(socket));
  if (socket.is_internet() && socket.address.size() > 0) {
    Note(leak, "address", absl::StripSuffix(absl::StripPrefix(socket.address.host(), "["), "]"));
    Note(leak, "port", socket.address.port());
  } else if (socket.domain == AF_UNIX && !socket.address.unix_name().empty()) {
    Note(leak, "address", socket.address.unix_name());
  }
  if (socket.peer.size() > 0) {
    Note(leak, "peer", EndName(socket, socket.peer));
  }
  Note(leak, "state", SocketState(socket));
  Note(leak, "reuse_port", shares ? 1 : 0);
  Note(leak, "fd", *descriptor);
  Note(leak, "pid", *pid);
  if (!command.empty()) {
    Note(leak, "command", command);
  }
  return true;
}

bool Leaks::ReadProcess(Decoder& decoder, Reading& reading) {
  const auto pid = decoder.U32();
  const auto parent = decoder.U32();
  const auto state = decoder.U32();
  const auto child = decoder.U32();
  const auto command = decoder.String();
  if (!decoder.complete()) {
    return false;
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("process ", *pid);
  leak.kind = LeakKind::kProcess;
  leak.name = Shown(*command);
  commands_.emplace(*pid, leak.name);
  const std::string relation = *child != 0    ? ", a child of the test's process"
                               : *parent == 1 ? ", whose parent has ended"
                                              : absl::StrCat(", a child of process ", *parent);
  leak.detail =
      absl::StrCat("process ", *pid, relation,
                   *state == 'Z' ? "; it has ended, and nobody has waited for it" : "; alive");
  Note(leak, "pid", *pid);
  Note(leak, "parent", *parent);
  Note(leak, "state", *state == 'Z' ? "unreaped" : "alive");
  Note(leak, "command", *command);
  return true;
}

bool Leaks::ReadMapping(Decoder& decoder, Reading& reading) {
  const auto identity = decoder.String();
  const auto path = decoder.String();
  const auto size = decoder.U64();
  if (!decoder.complete()) {
    return false;
  }
  if (!inherited_mappings_.has_value()) {
    inherited_mappings_ = inherited_();
  }
  for (const Mapping& mapping : *inherited_mappings_) {
    if (mapping.identity == *identity) {
      return true;
    }
  }
  Leak& leak = reading.leak;
  reading.key = absl::StrCat("mapping ", *identity);
  leak.kind = LeakKind::kPosix;
  leak.name =
      absl::StrCat("mapping of ", absl::StartsWith(*path, "/memfd:") ? path->substr(1) : *path);
  leak.detail = absl::StrCat(Bytes(*size), ", still mapped; it has no name any more");
  Note(leak, "type", "mapping");
  Note(leak, "object", *path);
  Note(leak, "size", static_cast<int64_t>(*size));
  return true;
}

bool Leaks::Read(absl::string_view record, bool in_process, Reading& reading) {
  Decoder decoder(record);
  const auto type = decoder.U32();
  // Twice, as there are two looks.
  constexpr int kMostRecords = 2 * (kMaxEvidence + 1);
  if (!type.has_value() || ++counts_[*type] > kMostRecords) {
    return false;
  }
  switch (static_cast<EvidenceType>(*type)) {
    case EvidenceType::kSocket:
      return ReadSocket(decoder, in_process, reading);
    case EvidenceType::kDescriptor:
      return ReadDescriptor(decoder, reading);
    case EvidenceType::kProcess:
      return ReadProcess(decoder, reading);
    case EvidenceType::kThread:
      return ReadThread(decoder, reading);
    case EvidenceType::kSysv:
      return ReadSysv(decoder, reading);
    case EvidenceType::kQueue:
      return ReadQueue(decoder, reading);
    case EvidenceType::kFile:
      return ReadFileRecord(decoder, reading);
    case EvidenceType::kTimeWait:
      return ReadTimeWait(decoder, reading);
    case EvidenceType::kState:
      return ReadState(decoder, reading);
    case EvidenceType::kMore:
      return ReadMore(decoder, reading);
    case EvidenceType::kMapping:
      return ReadMapping(decoder, reading);
  }
  return false;
}

bool Leaks::Add(absl::string_view record, absl::optional<uint32_t> stretch) {
  Reading reading;
  if (!Read(record, stretch.has_value(), reading)) {
    return false;
  }
  Leak& leak = reading.leak;
  if (!reading.key.empty() && Has(kinds_, leak.kind) && keys_.insert(reading.key).second) {
    // They are shown on lines.
    leak.name = WithoutControls(leak.name);
    leak.detail = WithoutControls(leak.detail);
    leak.consequence = WithoutControls(leak.consequence);
    leak.stretch = stretch;
    leaks_.push_back(std::move(leak));
  }
  return true;
}

std::vector<Leak> Leaks::Take() {
  // A port that a socket has is not the kernel's alone.
  leaks_.erase(std::remove_if(leaks_.begin(), leaks_.end(),
                              [&](const Leak& leak) {
                                return leak.kind == LeakKind::kTimeWait &&
                                       tcp_ports_.contains(PortOf(leak));
                              }),
               leaks_.end());
  std::stable_sort(leaks_.begin(), leaks_.end(), [](const Leak& a, const Leak& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  });
  return std::move(leaks_);
}

}  // namespace isolate::internal
