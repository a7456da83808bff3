#ifndef ISOLATE_INTERNAL_EVIDENCE_H_
#define ISOLATE_INTERNAL_EVIDENCE_H_

// What was found at the end of a test, as it goes from a test process or an init to the runner:
// records of raw facts, out of which leaks.h makes leaks.  Written without malloc, stdio or locks,
// as an init must.
//
// A record is its type, the fields that say which thing it is about (its key), and those that say
// how that thing is: u32 and u64 little-endian, strings with their u32 length (wire.h's Decoder).

#include <stddef.h>

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "isolate/internal/record_writer.h"

namespace isolate::internal {

enum class EvidenceType : uint32_t {
  // u64 inode | u32 pid, u32 descriptor, u32 domain, u32 type, u32 protocol, u32 SocketFlags,
  // u32 TCP state, address, peer's address
  kSocket = 1,
  // u32 descriptor, target | u32 mode, u64 size, u32 1: another one was there before
  kDescriptor = 2,
  // u32 pid | u32 parent, u32 state, u32 1: a child of the test process's, command
  kProcess = 3,
  // u32 tid | name, what it waits in, the program's function that it is in, its stack
  kThread = 4,
  // "shm", "sem" or "msg", u32 id | u32 key, u64 size or count, u32 mode, u64 attached, u32
  // creator's uid, u32 creator's pid or 0
  kSysv = 5,
  // name | u64 bytes of messages, u32 uid
  kQueue = 6,
  // path | u32 mode, u64 size, u32 uid, u32 gid
  kFile = 7,
  // u32 family, u32 port | u32 TCP state, address, peer's address
  kTimeWait = 8,
  // what | before, after
  kState = 9,
  // u32 EvidenceType | u64 how many more of that type were found than are told of
  kMore = 10,
  // identity (mappings.h) | path, u64 size
  kMapping = 11,
};
inline constexpr int kEvidenceTypes = 12;

enum SocketFlags : uint32_t {
  kListening = 1,
  kSharesPort = 2,  // SO_REUSEPORT
  kHoldsPort = 4,   // of a closed TCP socket: it keeps others from its port
};

// How many of a type are told of, and how many are counted.
inline constexpr int kMaxEvidence = 1000;
inline constexpr int kMaxCounted = 100'000;

class EvidenceWriter {
 public:
  // `key_size`: how many bytes of the record, from its beginning, are type and key.
  using Sink = absl::FunctionRef<void(const char* record, size_t size, size_t key_size)>;

  // What `sink` refers to must outlive it.  Tells of `most` of a type.
  explicit EvidenceWriter(Sink sink, int most = kMaxEvidence) : most_(most), sink_(sink) {}

  EvidenceWriter& Begin(EvidenceType type);
  EvidenceWriter& U32(uint32_t value);
  EvidenceWriter& U64(uint64_t value);
  // Cut where the record would grow too long.
  EvidenceWriter& Bytes(const void* data, size_t size);
  EvidenceWriter& String(const char* text);
  EvidenceWriter& EndKey();
  // Gives the record to the sink.
  void End();
  // When all has been told: tells how many were left out.
  void EndAll();
  // Whether more of this type would not even be counted.
  bool IsFull(EvidenceType type) const { return counts_[static_cast<size_t>(type)] >= kMaxCounted; }

 private:
  const int most_;
  const Sink sink_;
  RecordWriter record_;
  size_t key_size_ = 0;
  EvidenceType type_ = EvidenceType::kMore;
  int counts_[kEvidenceTypes] = {};
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_EVIDENCE_H_
