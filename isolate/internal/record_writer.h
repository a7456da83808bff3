#ifndef ISOLATE_INTERNAL_RECORD_WRITER_H_
#define ISOLATE_INTERNAL_RECORD_WRITER_H_

// Builds a record of facts, as they go from a test process or an init to the runner: u32 and u64
// little-endian, strings with their u32 length (wire.h's Decoder).  No malloc, stdio or locks, as
// an init must.

#include <stddef.h>

#include <cstdint>

namespace isolate::internal {

class RecordWriter {
 public:
  // The largest record, in bytes.
  static constexpr size_t kMaxRecord = 5120;

  void Clear() { size_ = 0; }
  RecordWriter& U32(uint32_t value);
  RecordWriter& U64(uint64_t value);
  // Cut where the record would grow too long.
  RecordWriter& Bytes(const void* data, size_t size);

  const char* data() const { return record_; }
  size_t size() const { return size_; }

 private:
  void Append(uint64_t value, size_t size);

  size_t size_ = 0;
  char record_[kMaxRecord];
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_RECORD_WRITER_H_
