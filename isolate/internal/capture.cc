#include "isolate/internal/capture.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace isolate::internal {
namespace {

// The length of the longest end of `bytes` with which `word` could begin.
size_t PartialMatch(absl::string_view bytes, absl::string_view word) {
  size_t size = std::min(bytes.size(), word.size() - 1);
  while (size > 0 && !absl::EndsWith(bytes, word.substr(0, size))) {
    --size;
  }
  return size;
}

}  // namespace

std::array<char, kMarkSize> Mark(const Nonce& nonce, uint32_t number) {
  std::array<char, kMarkSize> mark;
  std::copy(nonce.begin(), nonce.end(), mark.begin());
  for (size_t i = 0; i < 4; ++i) {
    mark[kNonceSize + i] = static_cast<char>(number >> (8 * i));
  }
  return mark;
}

Capture::Capture(const Nonce& nonce, size_t limit, Overflow overflow)
    : nonce_(nonce), half_(limit / 2), overflow_(std::move(overflow)) {}

void Capture::Append(absl::string_view bytes) {
  pending_.append(bytes.data(), bytes.size());
  const absl::string_view nonce(nonce_.data(), nonce_.size());
  absl::string_view rest = pending_;
  for (;;) {
    const size_t at = rest.find(nonce);
    if (at == absl::string_view::npos) {
      const size_t held = PartialMatch(rest, nonce);
      Keep(rest.substr(0, rest.size() - held));
      rest.remove_prefix(rest.size() - held);
      break;
    }
    Keep(rest.substr(0, at));
    rest.remove_prefix(at);
    if (rest.size() < kMarkSize) {
      break;
    }
    uint32_t number = 0;
    for (size_t i = 4; i > 0; --i) {
      number = number << 8 | static_cast<unsigned char>(rest[kNonceSize + i - 1]);
    }
    if (marks_.size() < kMaxMarks) {
      marks_.emplace(number, seen_);
    }
    rest.remove_prefix(kMarkSize);
  }
  pending_.erase(0, pending_.size() - rest.size());
}

void Capture::Keep(absl::string_view bytes) {
  if (overflow_ != nullptr && seen_ + bytes.size() > 2 * half_) {
    if (seen_ <= 2 * half_) {
      // All that there was so far.
      overflow_(head_);
      overflow_(tail_);
    }
    overflow_(bytes);
  }
  seen_ += bytes.size();
  const size_t room = half_ - head_.size();
  const absl::string_view to_head = bytes.substr(0, room);
  head_.append(to_head.data(), to_head.size());
  bytes.remove_prefix(to_head.size());
  if (bytes.size() > half_) {
    tail_.clear();
    bytes.remove_prefix(bytes.size() - half_);
  }
  tail_.append(bytes.data(), bytes.size());
  // Cut only when it is twice too long, so that the cost stays linear.
  if (tail_.size() > 2 * half_) {
    tail_.erase(0, tail_.size() - half_);
  }
}

Captured Capture::Take() {
  Keep(pending_);
  pending_.clear();
  if (tail_.size() > half_) {
    tail_.erase(0, tail_.size() - half_);
  }

  Captured captured;
  const size_t tail_start = seen_ - tail_.size();
  const size_t omitted = tail_start - head_.size();
  std::string note;
  if (omitted > 0) {
    note = absl::StrCat("\n[isolate: ", omitted, " bytes of output left out here]\n");
  }
  captured.omitted_bytes = static_cast<int64_t>(omitted);
  for (const auto& [number, seen] : marks_) {
    size_t position = seen;
    if (seen > tail_start) {
      position = head_.size() + note.size() + (seen - tail_start);
    } else if (seen > head_.size()) {
      position = head_.size() + note.size();
    }
    captured.marks.emplace(number, position);
  }
  captured.text = std::move(head_);
  captured.text += note;
  captured.text += tail_;
  return captured;
}

}  // namespace isolate::internal
