#include "isolate/internal/footprints.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/footprint.h"
#include "isolate/internal/name_record.h"
#include "isolate/internal/wire.h"

namespace isolate::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Encoder Record(NameType type, uint32_t stretch, uint32_t deeds) {
  return Encoder().U32(static_cast<uint32_t>(type)).U32(stretch).U32(deeds);
}

std::string Path(absl::string_view path, uint32_t deeds, uint32_t stretch = 0) {
  return Record(NameType::kPath, stretch, deeds).String(path).bytes();
}

template <typename Address>
std::string Socket(int domain, int type, int protocol, const Address& address, uint32_t flags = 0) {
  return Record(NameType::kSocket, 0, kBound)
      .U32(static_cast<uint32_t>(domain))
      .U32(static_cast<uint32_t>(type))
      .U32(static_cast<uint32_t>(protocol))
      .U32(flags)
      .String({reinterpret_cast<const char*>(&address), sizeof(address)})
      .bytes();
}

Footprint Of(const std::vector<std::string>& records, std::vector<std::string> passed_over = {}) {
  FootprintBuilder builder(std::move(passed_over));
  for (const std::string& record : records) {
    EXPECT_TRUE(builder.Add(record));
  }
  return builder.Take();
}

std::vector<std::string> Told(const Footprint& footprint) {
  std::vector<std::string> told;
  for (const NameUse& use : footprint.names) {
    told.push_back(Describe(use));
  }
  return told;
}

TEST(FootprintBuilder, TakesDeedsOfANameTogether) {
  EXPECT_THAT(Told(Of({Path("/tmp/x", kMade), Path("/tmp/x", kWritten), Path("/tmp/x", kRemoved)})),
              ElementsAre("/tmp/x (made, written, removed)"));
}

TEST(FootprintBuilder, KeepsStretchesApart) {
  const Footprint footprint = Of({Path("/tmp/x", kMade, 1), Path("/tmp/x", kRemoved, 2)});
  EXPECT_THAT(Told(footprint), ElementsAre("/tmp/x (made)", "/tmp/x (removed)"));
  EXPECT_EQ(footprint.names[0].stretch, 1);
  EXPECT_EQ(footprint.names[1].stretch, 2);
}

TEST(FootprintBuilder, KnowsPosixObjectsByTheirFiles) {
  EXPECT_THAT(
      Told(Of({Path("/dev/shm/x", kMade), Path("/dev/shm/sem.x", kMade),
               Path("/dev/mqueue/x", kRemoved), Path("/dev/shm/folder/x", kMade)})),
      ElementsAre("mq /x (removed)", "sem /x (made)", "shm /x (made)", "/dev/shm/folder/x (made)"));
}

TEST(FootprintBuilder, PassesOverWhatIsNobodysAndNothingElse) {
  EXPECT_THAT(Told(Of({Path("/dev/pts/1", kWritten), Path("/cover/x", kMade), Path("/cover", kMade),
                       Path("/covered", kMade)},
                      {"/cover"})),
              ElementsAre("/covered (made)"));
}

TEST(FootprintBuilder, TellsSocketsByAddressAndProtocol) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(80);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(80);
  sockaddr_vm vsock = {};
  vsock.svm_family = AF_VSOCK;
  vsock.svm_port = 1234;
  vsock.svm_cid = VMADDR_CID_ANY;
  const Footprint footprint = Of({Socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, v4, kChosen),
                                  Socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP, v6, kOnlyIpv6),
                                  Socket(AF_VSOCK, 0, 0, vsock)});
  EXPECT_THAT(Told(footprint), ElementsAre("tcp [::]:80 (bound)", "udp 0.0.0.0:80 (bound)",
                                           "vsock 4294967295:1234 (bound)"));
  EXPECT_TRUE(footprint.names[0].port->wildcard);
  EXPECT_TRUE(footprint.names[0].port->only_ipv6);
  EXPECT_FALSE(footprint.names[0].port->chosen);
  EXPECT_TRUE(footprint.names[1].port->chosen);
  EXPECT_TRUE(footprint.names[2].port->wildcard);
}

TEST(FootprintBuilder, TakesAMappedAddressForWhatItIs) {
  sockaddr_in6 mapped = {};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(80);
  mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
  const Footprint footprint = Of({Socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP, mapped)});
  EXPECT_THAT(Told(footprint), ElementsAre("tcp 0.0.0.0:80 (bound)"));
  EXPECT_TRUE(footprint.names[0].port->wildcard);
}

TEST(FootprintBuilder, CountsWhatCouldNotBeTold) {
  EXPECT_EQ(Of({Record(NameType::kUntold, 0, 0).U32(3).bytes(),
                Record(NameType::kUntold, 0, 0).U32(4).bytes()})
                .untold,
            7);
}

TEST(FootprintBuilder, EscapesWhatWouldBreakALine) {
  EXPECT_THAT(Told(Of({Path("/tmp/a\nb", kMade)})), ElementsAre("/tmp/a\\nb (made)"));
}

// Of each kind of record, every beginning, and what follows it.
TEST(FootprintBuilder, RefusesRecordsThatAreCutOrTooLong) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  for (const std::string& record :
       {Path("/tmp/x", kMade), Socket(AF_INET, SOCK_STREAM, IPPROTO_TCP, v4),
        Record(NameType::kSysv, 0, kMade).String("shm").U32(1).bytes(),
        Record(NameType::kQueue, 0, kMade).String("x").bytes(),
        Record(NameType::kHostname, 0, kSet).String("host name").bytes(),
        Record(NameType::kUntold, 0, 0).U32(1).bytes()}) {
    for (size_t size = 0; size < record.size(); ++size) {
      FootprintBuilder builder({});
      EXPECT_FALSE(builder.Add(record.substr(0, size))) << size;
      EXPECT_THAT(builder.Take().names, IsEmpty());
    }
    EXPECT_FALSE(FootprintBuilder({}).Add(record + "x"));
    EXPECT_TRUE(FootprintBuilder({}).Add(record));
  }
}

TEST(FootprintBuilder, SurvivesWhateverComes) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same each time
  FootprintBuilder builder({});
  for (int i = 0; i < 100'000; ++i) {
    std::string record = Record(static_cast<NameType>(random() % 8), 0, 0).bytes();
    for (size_t size = random() % 40; size > 0; --size) {
      record.push_back(static_cast<char>(random() % 4 == 0 ? random() : 0));
    }
    (void)builder.Add(record);
  }
  for (const NameUse& use : builder.Take().names) {
    EXPECT_FALSE(use.name.empty());
  }
}

}  // namespace
}  // namespace isolate::internal
