#include "isolate/internal/evidence.h"

#include <stddef.h>
#include <string.h>

#include <cstdint>

namespace isolate::internal {

// Numbers always fit: strings leave room for them.
constexpr size_t kRoomForNumbers = 128;

void EvidenceWriter::Append(uint64_t value, size_t size) {
  for (size_t i = 0; i < size && size_ < sizeof(record_); ++i) {
    record_[size_++] = static_cast<char>(value >> (8 * i));
  }
}

EvidenceWriter& EvidenceWriter::Begin(EvidenceType type) {
  size_ = 0;
  key_size_ = 0;
  type_ = type;
  return U32(static_cast<uint32_t>(type));
}

EvidenceWriter& EvidenceWriter::U32(uint32_t value) {
  Append(value, sizeof(value));
  return *this;
}

EvidenceWriter& EvidenceWriter::U64(uint64_t value) {
  Append(value, sizeof(value));
  return *this;
}

EvidenceWriter& EvidenceWriter::Bytes(const void* data, size_t size) {
  constexpr size_t kMost = kMaxRecord - kRoomForNumbers;
  const size_t room = size_ < kMost ? kMost - size_ : 0;
  const size_t taken = size < room ? size : room;
  U32(static_cast<uint32_t>(taken));
  memcpy(record_ + size_, data, taken);
  size_ += taken;
  return *this;
}

EvidenceWriter& EvidenceWriter::String(const char* text) { return Bytes(text, strlen(text)); }

EvidenceWriter& EvidenceWriter::EndKey() {
  key_size_ = size_;
  return *this;
}

void EvidenceWriter::End() {
  if (++counts_[static_cast<size_t>(type_)] <= most_) {
    sink_(record_, size_, key_size_);
  }
}

void EvidenceWriter::EndAll() {
  for (int type = 0; type < kEvidenceTypes; ++type) {
    if (counts_[type] > most_) {
      Begin(EvidenceType::kMore).U32(static_cast<uint32_t>(type)).EndKey();
      U64(static_cast<uint64_t>(counts_[type] - most_));
      sink_(record_, size_, key_size_);
    }
  }
}

}  // namespace isolate::internal
