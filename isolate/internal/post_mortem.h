#ifndef ISOLATE_INTERNAL_POST_MORTEM_H_
#define ISOLATE_INTERNAL_POST_MORTEM_H_

// The second look at what a test leaves: in the init of its sandbox, when the test's own process is
// gone.  So it finds what outlived that, and it finds something, too, where the test crashed.  Raw
// system calls only.

#include <stddef.h>

#include <cstdint>

#include "isolate/internal/frame_channel.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/left_files.h"

namespace isolate::internal {

// What the runner asks for, when the test's process is gone: that the init looks, and then lives
// on, or ends the sandbox; in capitals where the process has not looked itself, as it did not come
// to its end.
enum PostMortemRequest : char {
  kLookAndStay = 's',
  kLookAndEnd = 'e',
  kLookAlone = 'S',
  kLookAloneAndEnd = 'E',
};

// The most private folders.
inline constexpr size_t kMaxFolders = 16;

class PostMortem {
 public:
  // In an init.  `plan` must outlive it; null: there is nothing to look for.
  explicit PostMortem(const LeakPlan* plan);

  // Where a folder began as a copy: the place that shows what has been put there.  Before Begin.
  void SetTree(const char* folder, int tree);

  // When nothing has been put into the sandbox.  How many files there are all the same, in all
  // private folders; negative where that cannot be told.
  int64_t Begin();

  // Tells of what is there in evidence frames, the last of a report (wire.h).  Costs about 15 us
  // where there is nothing.
  // `alone`: the test's process has told nothing, so what it would have seen of what is left in the
  // network is looked for, too; 12 us more.
  void Tell(bool alone, FrameChannel& channel) const;

 private:
  void TellLeft(bool alone, FrameChannel& channel) const;

  const LeakPlan* const plan_;
  PrivateFolder folders_[kMaxFolders];
  size_t folder_count_ = 0;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_POST_MORTEM_H_
