#include "isolate/internal/name_teller.h"

#include <stddef.h>
#include <sys/mman.h>

#include <cstdint>

#include "isolate/internal/audit_mark.h"
#include "isolate/internal/frame_channel.h"
#include "isolate/internal/name_record.h"
#include "isolate/internal/record_writer.h"
#include "isolate/internal/wire.h"

namespace isolate::internal {
namespace {

constexpr size_t kSeen = 4096;

uint64_t Hash(const char* data, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<unsigned char>(data[i])) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

void NameTeller::Begin() {
  // Not a member: an init that records nothing would have to clear it.
  void* const memory = mmap(nullptr, kSeen * sizeof(*seen_), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  seen_ = memory != MAP_FAILED ? static_cast<uint64_t*>(memory) : nullptr;
  channel_.Begin();
}

RecordWriter& NameTeller::Record(NameType type, uint32_t deeds) {
  record_.Clear();
  return record_.U32(static_cast<uint32_t>(type)).U32(stretch_).U32(deeds);
}

void NameTeller::Tell() {
  const uint64_t hash = Hash(record_.data(), record_.size());
  if (seen_ != nullptr) {
    uint64_t& seen = seen_[hash % kSeen];
    if (seen == hash) {
      return;
    }
    seen = hash;
  }
  if (told_ >= kMaxNames) {
    ++untold_;
    return;
  }
  ++told_;
  channel_.Write(Tag::kName, record_.data(), record_.size());
}

void NameTeller::TellRest() {
  if (untold_ > 0) {
    stretch_ = kNoStretch;
    Record(NameType::kUntold, 0).U32(untold_);
    channel_.Write(Tag::kName, record_.data(), record_.size());
    untold_ = 0;
  }
}

}  // namespace isolate::internal
