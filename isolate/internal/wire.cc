#include "isolate/internal/wire.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

void AppendLittleEndian(uint64_t value, size_t size, std::string& out) {
  for (size_t i = 0; i < size; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

uint64_t LittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

}  // namespace

std::array<char, kFrameHeaderSize> FrameHeader(Tag tag, size_t size) {
  return {static_cast<char>(tag), static_cast<char>(size), static_cast<char>(size >> 8),
          static_cast<char>(size >> 16), static_cast<char>(size >> 24)};
}

std::array<char, kHelloSize> HelloPayload(int64_t now_ns) {
  std::array<char, kHelloSize> payload;
  for (size_t i = 0; i < sizeof(uint32_t); ++i) {
    payload[i] = static_cast<char>(kWireVersion >> (8 * i));
  }
  for (size_t i = 0; i < sizeof(now_ns); ++i) {
    payload[sizeof(uint32_t) + i] = static_cast<char>(static_cast<uint64_t>(now_ns) >> (8 * i));
  }
  return payload;
}

absl::Status FrameReader::Feed(absl::string_view bytes, std::vector<Frame>& frames) {
  if (state_ == State::kDamaged) {
    return damage_;
  }
  total_ += bytes.size();
  if (total_ > kMaxReport) {
    return Damage(absl::StrCat("it is longer than ", kMaxReport, " bytes"));
  }
  buffer_.append(bytes.data(), bytes.size());

  absl::string_view rest = buffer_;
  while (rest.size() >= kFrameHeaderSize) {
    const Tag tag = static_cast<Tag>(rest[0]);
    if (absl::Status status = CheckOrder(tag); !status.ok()) {
      return status;
    }
    const size_t size = LittleEndian(rest.substr(1, 4));
    if (size > kMaxPayload) {
      return Damage(absl::StrCat("a frame announces ", size, " bytes"));
    }
    if (rest.size() - kFrameHeaderSize < size) {
      break;
    }
    Frame frame{tag, std::string(rest.substr(kFrameHeaderSize, size))};
    if (absl::Status status = CheckPayload(frame); !status.ok()) {
      return status;
    }
    if (++frame_count_ > kMaxFrames) {
      return Damage(absl::StrCat("it has more than ", kMaxFrames, " frames"));
    }
    frames.push_back(std::move(frame));
    rest.remove_prefix(kFrameHeaderSize + size);
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  return absl::OkStatus();
}

absl::Status FrameReader::Finish() {
  if (state_ != State::kDamaged && !buffer_.empty()) {
    return Damage("it ends within a frame");
  }
  return damage_;
}

absl::Status FrameReader::Damage(absl::string_view what) {
  state_ = State::kDamaged;
  buffer_.clear();
  damage_ = absl::DataLossError(absl::StrCat("the report is damaged: ", what));
  return damage_;
}

absl::Status FrameReader::CheckOrder(Tag tag) {
  switch (tag) {
    case Tag::kHello:
    case Tag::kSetupFailure:
    case Tag::kMessage:
    case Tag::kEnd:
    case Tag::kTimeLimit:
    case Tag::kEvidence:
    case Tag::kStretch:
    case Tag::kName:
    case Tag::kNothingLeft:
      break;
    default:
      return Damage(absl::StrCat("unknown tag ", static_cast<int>(tag)));
  }
  if (state_ == State::kFinished) {
    return Damage("something follows its last frame");
  }
  if (state_ == State::kStart && tag != Tag::kHello && tag != Tag::kSetupFailure) {
    return Damage("it does not begin with a hello");
  }
  if (state_ == State::kTelling && tag == Tag::kSetupFailure) {
    return Damage("a set-up failure follows a message");
  }
  if ((state_ == State::kOpen || state_ == State::kTelling) && tag == Tag::kHello) {
    return Damage("it has a second hello");
  }
  return absl::OkStatus();
}

absl::Status FrameReader::CheckPayload(const Frame& frame) {
  Decoder decoder(frame.payload);
  switch (frame.tag) {
    case Tag::kHello: {
      const absl::optional<uint32_t> version = decoder.U32();
      decoder.U64();
      if (!decoder.complete() || *version != kWireVersion) {
        return Damage("its version is not ours");
      }
      state_ = State::kOpen;
      break;
    }
    case Tag::kSetupFailure: {
      const absl::optional<uint32_t> step = decoder.U32();
      decoder.U32();
      decoder.String();
      if (!decoder.complete()) {
        return Damage("a set-up failure cannot be read");
      }
      // From here on the function runs, and may not say that it does not.
      if (state_ == State::kOpen && *step != static_cast<uint32_t>(Step::kExec)) {
        return Damage("a set-up failure follows the set-up");
      }
      state_ = State::kFinished;
      break;
    }
    case Tag::kMessage:
    case Tag::kEvidence:
    case Tag::kName:
    case Tag::kNothingLeft:
      state_ = State::kTelling;
      break;
    case Tag::kStretch:
      decoder.U32();
      if (!decoder.complete()) {
        return Damage("a stretch cannot be read");
      }
      state_ = State::kTelling;
      break;
    case Tag::kTimeLimit:
      decoder.U64();
      if (!decoder.complete()) {
        return Damage("a time limit cannot be read");
      }
      state_ = State::kTelling;
      break;
    case Tag::kEnd:
      decoder.U32();
      if (!decoder.complete()) {
        return Damage("its end cannot be read");
      }
      state_ = State::kFinished;
      break;
  }
  return absl::OkStatus();
}

Encoder& Encoder::U32(uint32_t value) {
  AppendLittleEndian(value, 4, bytes_);
  return *this;
}

Encoder& Encoder::U64(uint64_t value) {
  AppendLittleEndian(value, 8, bytes_);
  return *this;
}

Encoder& Encoder::String(absl::string_view value) {
  U32(static_cast<uint32_t>(value.size()));
  bytes_.append(value.data(), value.size());
  return *this;
}

absl::optional<uint32_t> Decoder::U32() {
  const absl::optional<absl::string_view> bytes = Take(4);
  if (!bytes.has_value()) {
    return absl::nullopt;
  }
  return static_cast<uint32_t>(LittleEndian(*bytes));
}

absl::optional<uint64_t> Decoder::U64() {
  const absl::optional<absl::string_view> bytes = Take(8);
  if (!bytes.has_value()) {
    return absl::nullopt;
  }
  return LittleEndian(*bytes);
}

absl::optional<absl::string_view> Decoder::String() {
  const absl::optional<uint32_t> size = U32();
  if (!size.has_value()) {
    return absl::nullopt;
  }
  return Take(*size);
}

absl::optional<absl::string_view> Decoder::Take(size_t size) {
  if (failed_ || bytes_.size() < size) {
    failed_ = true;
    return absl::nullopt;
  }
  const absl::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

}  // namespace isolate::internal
