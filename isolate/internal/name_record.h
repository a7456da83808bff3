#ifndef ISOLATE_INTERNAL_NAME_RECORD_H_
#define ISOLATE_INTERNAL_NAME_RECORD_H_

// What an auditor tells the runner of: records (record_writer.h) of names that were used, out of
// which footprints.h makes a footprint.

#include <cstdint>

namespace isolate::internal {

// Each begins with u32 NameType, u32 stretch, u32 NameDeeds.
enum class NameType : uint32_t {
  // path
  kPath = 1,
  // u32 domain, u32 type, u32 protocol, u32 NameFlags, address
  kSocket = 2,
  // "shm", "sem" or "msg", u32 key
  kSysv = 3,
  // name, without a slash
  kQueue = 4,
  // "host name" or "domain name"
  kHostname = 5,
  // u32 how many calls could not be told of
  kUntold = 6,
};

enum NameFlags : uint32_t {
  kOnlyIpv6 = 1,
  kChosen = 2,  // the kernel chose the port
};

// How many are told of a sandbox.
inline constexpr uint32_t kMaxNames = 100'000;

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_NAME_RECORD_H_
