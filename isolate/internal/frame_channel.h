#ifndef ISOLATE_INTERNAL_FRAME_CHANNEL_H_
#define ISOLATE_INTERNAL_FRAME_CHANNEL_H_

// Frames (wire.h) on their way from an init to the runner, which is to be woken seldom.  Raw system
// calls only.

#include <stddef.h>

#include <cstdint>

#include "isolate/internal/wire.h"

namespace isolate::internal {

class FrameChannel {
 public:
  explicit FrameChannel(int descriptor) : descriptor_(descriptor) {}

  // Begins the report with its hello, if nothing has been written yet.
  void Begin();

  // `size` is at most half of the buffer's.
  void Write(Tag tag, const char* payload, size_t size);
  void Write(Tag tag, uint32_t number);

  // It fails only where the runner is gone, and then so are we, soon.
  void Flush();

 private:
  void Append(const char* data, size_t size);

  const int descriptor_;
  bool begun_ = false;
  size_t size_ = 0;
  char buffer_[16384];
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_FRAME_CHANNEL_H_
