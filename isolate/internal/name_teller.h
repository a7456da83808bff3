#ifndef ISOLATE_INTERNAL_NAME_TELLER_H_
#define ISOLATE_INTERNAL_NAME_TELLER_H_

// Tells the runner of names that were used, as records (name_record.h).  Lives in an init.  Raw
// system calls only.

#include <cstdint>

#include "isolate/internal/frame_channel.h"
#include "isolate/internal/name_record.h"
#include "isolate/internal/record_writer.h"

namespace isolate::internal {

class NameTeller {
 public:
  // Writes to `channel`, which must outlive it.
  explicit NameTeller(FrameChannel& channel) : channel_(channel) {}

  // Before the first name.
  void Begin();

  // The stretch to which the names belong that are told from now on.
  void SetStretch(uint32_t stretch) { stretch_ = stretch; }

  // A record of which Tell is to tell, with the fields that are still to be added.
  RecordWriter& Record(NameType type, uint32_t deeds);
  // Tells of it, unless that was done a short while ago: the runner takes each name once in a
  // stretch.
  void Tell();

  // A call used names that cannot be told.
  void CountUntold() { ++untold_; }

  // Tells how many such calls there were.
  void TellRest();

 private:
  FrameChannel& channel_;
  RecordWriter record_;
  uint32_t stretch_ = 0;
  uint64_t* seen_ = nullptr;  // hashes of records, each where its low bits say
  uint32_t told_ = 0;
  uint32_t untold_ = 0;
};

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_NAME_TELLER_H_
