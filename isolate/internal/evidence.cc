#include "isolate/internal/evidence.h"

#include <stddef.h>
#include <string.h>

#include <cstdint>

namespace isolate::internal {

EvidenceWriter& EvidenceWriter::Begin(EvidenceType type) {
  record_.Clear();
  key_size_ = 0;
  type_ = type;
  return U32(static_cast<uint32_t>(type));
}

EvidenceWriter& EvidenceWriter::U32(uint32_t value) {
  record_.U32(value);
  return *this;
}

EvidenceWriter& EvidenceWriter::U64(uint64_t value) {
  record_.U64(value);
  return *this;
}

EvidenceWriter& EvidenceWriter::Bytes(const void* data, size_t size) {
  record_.Bytes(data, size);
  return *this;
}

EvidenceWriter& EvidenceWriter::String(const char* text) { return Bytes(text, strlen(text)); }

EvidenceWriter& EvidenceWriter::EndKey() {
  key_size_ = record_.size();
  return *this;
}

void EvidenceWriter::End() {
  if (++counts_[static_cast<size_t>(type_)] <= most_) {
    sink_(record_.data(), record_.size(), key_size_);
  }
}

void EvidenceWriter::EndAll() {
  for (int type = 0; type < kEvidenceTypes; ++type) {
    if (counts_[type] > most_) {
      Begin(EvidenceType::kMore).U32(static_cast<uint32_t>(type)).EndKey();
      U64(static_cast<uint64_t>(counts_[type] - most_));
      sink_(record_.data(), record_.size(), key_size_);
    }
  }
}

}  // namespace isolate::internal
