#ifndef GTEST_PLUGIN_SIGNAL_SAFE_TEXT_H_
#define GTEST_PLUGIN_SIGNAL_SAFE_TEXT_H_

#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <cstdarg>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace isolate::gtest {

// A text that a signal handler composes, in a place that is there before the signal;
// what does not fit is left out.  vsnprintf: glibc's takes no lock and, for strings,
// numbers and pointers, no memory; absl's own failure handler counts on that, too.
class SignalSafeText {
 public:
  __attribute__((format(printf, 2, 3))) void Append(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(bytes_ + size_, sizeof(bytes_) - size_, format, arguments);
    va_end(arguments);
    size_ += std::min(static_cast<size_t>(std::max(size, 0)), sizeof(bytes_) - size_ - 1);
  }

  void AppendBytes(absl::string_view bytes) {
    const size_t size = std::min(bytes.size(), sizeof(bytes_) - size_ - 1);
    memcpy(bytes_ + size_, bytes.data(), size);
    size_ += size;
  }

  void Clear() { size_ = 0; }

  absl::string_view view() const { return {bytes_, size_}; }

 private:
  char bytes_[16384];
  size_t size_ = 0;
};

}  // namespace isolate::gtest

#endif  // GTEST_PLUGIN_SIGNAL_SAFE_TEXT_H_
