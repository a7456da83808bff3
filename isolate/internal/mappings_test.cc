#include "isolate/internal/mappings.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

TEST(NamelessMappings, AreSharedOnesOfWhatIsRemoved) {
  EXPECT_THAT(
      NamelessMappings("7f0000-7f2000 rw-s 00000000 00:01 2054           "
                       "            /memfd:a name (deleted)\n"
                       "7f4000-7f5000 rw-s 00000000 00:1c 7   /dev/shm/x (deleted)\n"),
      ElementsAre(AllOf(Field(&Mapping::identity, "00:01 2054"),
                        Field(&Mapping::path, "/memfd:a name"), Field(&Mapping::size, 0x2000)),
                  AllOf(Field(&Mapping::identity, "00:1c 7"), Field(&Mapping::path, "/dev/shm/x"),
                        Field(&Mapping::size, 0x1000))));
}

TEST(NamelessMappings, AreOneForAllPartsOfAFile) {
  EXPECT_THAT(NamelessMappings("1000-2000 r--s 00000000 00:01 5 /memfd:m (deleted)\n"
                               "2000-4000 rw-s 00001000 00:01 5 /memfd:m (deleted)\n"),
              ElementsAre(Field(&Mapping::size, 0x3000)));
}

TEST(NamelessMappings, AreNoOthers) {
  for (const char* line : {
           "1000-2000 rw-p 00000000 00:01 5 /memfd:m (deleted)",   // private
           "1000-2000 rw-s 00000000 00:1c 5 /dev/shm/x",           // has a name
           "1000-2000 rw-s 00000000 00:01 5 /dev/zero (deleted)",  // anonymous
           "1000-2000 rw-s 00000000 00:01 5 /anon_hugepage (deleted)",
           "1000-2000 rw-s 00000000 00:01 5 /[aio] (deleted)",
           "1000-2000 rw-s 00000000 00:01 5 /SYSV00001234 (deleted)",
           "1000-2000 rw-s (deleted)",
           " (deleted)",
           "",
       }) {
    EXPECT_THAT(NamelessMappings(line), IsEmpty()) << line;
  }
}

}  // namespace
}  // namespace isolate::internal
