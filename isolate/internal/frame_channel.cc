#include "isolate/internal/frame_channel.h"

#include <stddef.h>
#include <string.h>

#include <cstdint>

#include "isolate/internal/raw.h"
#include "isolate/internal/realtime.h"
#include "isolate/internal/wire.h"

namespace isolate::internal {

void FrameChannel::Begin() {
  if (!begun_) {
    begun_ = true;
    const auto hello = HelloPayload(RealtimeNanoseconds());
    Write(Tag::kHello, hello.data(), hello.size());
  }
}

void FrameChannel::Write(Tag tag, const char* payload, size_t size) {
  const auto header = FrameHeader(tag, size);
  Append(header.data(), header.size());
  Append(payload, size);
}

void FrameChannel::Write(Tag tag, uint32_t number) {
  const char bytes[] = {static_cast<char>(number), static_cast<char>(number >> 8),
                        static_cast<char>(number >> 16), static_cast<char>(number >> 24)};
  Write(tag, bytes, sizeof(bytes));
}

void FrameChannel::Flush() {
  raw::WriteAll(descriptor_, buffer_, size_);
  size_ = 0;
}

void FrameChannel::Append(const char* data, size_t size) {
  if (size_ + size > sizeof(buffer_)) {
    Flush();
  }
  memcpy(buffer_ + size_, data, size);
  size_ += size;
}

}  // namespace isolate::internal
