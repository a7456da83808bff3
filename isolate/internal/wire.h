#ifndef ISOLATE_INTERNAL_WIRE_H_
#define ISOLATE_INTERNAL_WIRE_H_

// What goes over the report pipe: frames, each a tag, a length and a payload.
//
//   byte 0      tag
//   bytes 1-4   length of the payload, little-endian, at most kMaxPayload
//   then        the payload
//
// A report is: one hello with the version and the time, any number of messages, time limits,
// evidence, stretches and names, that nothing was left, one end.
// Instead of what follows the hello, or of the hello, a set-up failure may
// come, and is the last frame then.  A report without an end is that of a
// process that died.
//
// The reader takes the writer for hostile: whatever comes, it gives frames or
// one error, holds no more than kMaxPayload bytes of an unfinished frame, and
// takes no more than kMaxReport bytes and kMaxFrames frames.  Pure code: no system call, no clock.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace isolate::internal {

inline constexpr uint32_t kWireVersion = 2;
inline constexpr size_t kFrameHeaderSize = 5;
inline constexpr size_t kHelloSize = 12;
inline constexpr size_t kMaxPayload = size_t{16} << 20;
inline constexpr size_t kMaxReport = size_t{256} << 20;
inline constexpr uint64_t kNoLimit = ~uint64_t{0};
inline constexpr size_t kMaxFrames = size_t{1} << 19;

enum class Tag : uint8_t {
  kHello = 1,         // u32 version, u64 when it was written (realtime.h)
  kSetupFailure = 2,  // u32 step, u32 errno, detail; after a hello only of kExec
  kMessage = 3,       // the caller's own bytes
  kEnd = 4,           // u32 the function's value, as two's complement
  kTimeLimit = 5,     // u64 nanoseconds from now on; kNoLimit: none
  kEvidence = 6,      // a record of something that was left (evidence.h)
  kStretch = 7,       // u32 the stretch in which what the next evidence is of appeared
  kName = 8,          // a record of a name that was used (name_record.h)
  kNothingLeft = 9,   // nothing: LeakCheck::NothingIsLeft
};

struct Frame {
  Tag tag = Tag::kHello;
  std::string payload;
};

// The header of a frame with a payload of `size` bytes; `size` is at most
// kMaxPayload.  Allocates nothing: fit for a process between fork and the
// test's first line.
std::array<char, kFrameHeaderSize> FrameHeader(Tag tag, size_t size);

// The payload of a hello, likewise.
std::array<char, kHelloSize> HelloPayload(int64_t now_ns);

// Takes a report apart as it comes.
class FrameReader {
 public:
  // Takes the next bytes, and appends the frames that they complete to
  // `frames`.  DataLoss where the report is damaged; then and ever after
  // nothing more is taken.  Costs O(bytes).
  absl::Status Feed(absl::string_view bytes, std::vector<Frame>& frames);

  // To be called when no more bytes will come: DataLoss if they ended within a
  // frame.  That the end frame is missing is no error; see finished().
  absl::Status Finish();

  // The last frame of a report has come.
  bool finished() const { return state_ == State::kFinished; }

 private:
  enum class State { kStart, kOpen, kTelling, kFinished, kDamaged };

  absl::Status Damage(absl::string_view what);
  absl::Status CheckOrder(Tag tag);
  absl::Status CheckPayload(const Frame& frame);

  State state_ = State::kStart;
  absl::Status damage_;
  std::string buffer_;
  size_t total_ = 0;
  size_t frame_count_ = 0;
};

// Builds and reads payloads: little-endian integers and length-prefixed
// strings.
class Encoder {
 public:
  Encoder& U32(uint32_t value);
  Encoder& U64(uint64_t value);
  Encoder& String(absl::string_view value);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Every read gives nothing where the bytes are too few, and so does every read
// after that.
class Decoder {
 public:
  explicit Decoder(absl::string_view bytes) : bytes_(bytes) {}
  absl::optional<uint32_t> U32();
  absl::optional<uint64_t> U64();
  absl::optional<absl::string_view> String();
  // All was read, and no read failed.
  bool complete() const { return !failed_ && bytes_.empty(); }

 private:
  absl::optional<absl::string_view> Take(size_t size);

  absl::string_view bytes_;
  bool failed_ = false;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_WIRE_H_
