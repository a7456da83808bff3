#ifndef ISOLATE_INTERNAL_OWN_DESCRIPTOR_H_
#define ISOLATE_INTERNAL_OWN_DESCRIPTOR_H_

// A descriptor of ours in the midst of somebody else's code, which may close any.

#include <sys/types.h>

#include <utility>

#include "isolate/internal/fd.h"

namespace isolate::internal {

class OwnDescriptor {
 public:
  // The numbers that they get, as long as those are free: the first, and the one after the last.
  static std::pair<int, int> Places();

  OwnDescriptor() = default;
  // Takes `descriptor` over, and moves it to a high number: a test that opens and closes files by
  // number, or counts on the lowest ones, must not meet it.
  explicit OwnDescriptor(int descriptor);

  int get() const { return descriptor_.get(); }
  // Whether that number still leads where it did.
  bool IsOurs() const;
  // Closes it, if it is ours.
  void Close();

 private:
  Fd descriptor_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_OWN_DESCRIPTOR_H_
