#include "isolate/internal/record_writer.h"

#include <stddef.h>
#include <string.h>

#include <cstdint>

namespace isolate::internal {

// Numbers always fit: strings leave room for them.
constexpr size_t kRoomForNumbers = 128;

void RecordWriter::Append(uint64_t value, size_t size) {
  for (size_t i = 0; i < size && size_ < sizeof(record_); ++i) {
    record_[size_++] = static_cast<char>(value >> (8 * i));
  }
}

RecordWriter& RecordWriter::U32(uint32_t value) {
  Append(value, sizeof(value));
  return *this;
}

RecordWriter& RecordWriter::U64(uint64_t value) {
  Append(value, sizeof(value));
  return *this;
}

RecordWriter& RecordWriter::Bytes(const void* data, size_t size) {
  constexpr size_t kMost = kMaxRecord - kRoomForNumbers;
  const size_t room = size_ < kMost ? kMost - size_ : 0;
  const size_t taken = size < room ? size : room;
  U32(static_cast<uint32_t>(taken));
  memcpy(record_ + size_, data, taken);
  size_ += taken;
  return *this;
}

}  // namespace isolate::internal
