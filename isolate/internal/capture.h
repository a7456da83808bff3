#ifndef ISOLATE_INTERNAL_CAPTURE_H_
#define ISOLATE_INTERNAL_CAPTURE_H_

// Keeps what a sandboxed process writes to an output stream, up to a limit, and
// finds the marks in it.
//
// A mark is a nonce and a number that the process writes into its own output
// the moment it sends a message, so that message and output can be put in order
// although they come over two pipes.  Only the order depends on marks: a test
// that forges or swallows one spoils its own order, no more.
//
// Pure code: no system call, no clock.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace isolate::internal {

inline constexpr size_t kNonceSize = 16;
inline constexpr size_t kMarkSize = kNonceSize + 4;
// More marks than this are not remembered, so that a test which forges them does
// not make the runner grow.
inline constexpr size_t kMaxMarks = size_t{1} << 20;

using Nonce = std::array<char, kNonceSize>;

// What to write for the mark of this number.
std::array<char, kMarkSize> Mark(const Nonce& nonce, uint32_t number);

struct Captured {
  std::string text;
  int64_t omitted_bytes = 0;
  absl::flat_hash_map<uint32_t, size_t> marks;  // number -> offset into text
};

class Capture {
 public:
  using Overflow = std::function<void(absl::string_view)>;

  // Keeps at most `limit` bytes, half from the beginning, half from the end.  Of an output that is
  // longer `overflow`, if there is one, gets every byte but the marks, in order.
  Capture(const Nonce& nonce, size_t limit, Overflow overflow = nullptr);

  // Costs O(bytes), and no more memory than twice the limit.
  void Append(absl::string_view bytes);

  // What was kept.  To be called once, at the end.
  Captured Take();

 private:
  void Keep(absl::string_view bytes);

  const Nonce nonce_;
  const size_t half_;
  const Overflow overflow_;
  std::string pending_;  // bytes that may be the beginning of a mark
  std::string head_;
  std::string tail_;
  size_t seen_ = 0;  // bytes without marks, kept or not
  absl::flat_hash_map<uint32_t, size_t> marks_;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_CAPTURE_H_
