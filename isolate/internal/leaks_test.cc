#include "isolate/internal/leaks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/mappings.h"
#include "isolate/internal/wire.h"
#include "isolate/leak.h"

namespace isolate::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<Mapping> None() { return {}; }
std::string NoCommand() { return ""; }

Encoder Record(EvidenceType type) {
  Encoder encoder;
  encoder.U32(static_cast<uint32_t>(type));
  return encoder;
}

std::string Address(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return {reinterpret_cast<const char*>(&address), sizeof(address)};
}

std::string Socket(uint64_t inode, uint32_t pid, uint32_t flags, uint32_t state, uint16_t port) {
  return Record(EvidenceType::kSocket)
      .U64(inode)
      .U32(pid)
      .U32(7)
      .U32(AF_INET)
      .U32(SOCK_STREAM)
      .U32(IPPROTO_TCP)
      .U32(flags)
      .U32(state)
      .String(Address(port))
      .String("")
      .bytes();
}

std::string Process(uint32_t pid, absl::string_view command) {
  return Record(EvidenceType::kProcess).U32(pid).U32(1).U32('S').U32(0).String(command).bytes();
}

std::string File(absl::string_view path) {
  return Record(EvidenceType::kFile).String(path).U32(S_IFREG).U64(1).U32(0).U32(0).bytes();
}

std::vector<std::string> Described(Leaks& leaks) {
  std::vector<std::string> described;
  for (const Leak& leak : leaks.Take()) {
    described.push_back(Describe(leak));
  }
  return described;
}

TEST(Leaks, AreSortedByKindAndName) {
  Leaks leaks(AllLeakKinds(), None, NoCommand);
  EXPECT_TRUE(leaks.Add(File("/tmp/b"), absl::nullopt));
  EXPECT_TRUE(leaks.Add(File("/tmp/a"), absl::nullopt));
  EXPECT_TRUE(leaks.Add(Socket(1, 2, kListening, TCP_LISTEN, 80), 0));
  EXPECT_THAT(Described(leaks),
              ElementsAre("tcp 127.0.0.1:80 (listening; descriptor 7 of the test's process)",
                          "/tmp/a (1 byte)", "/tmp/b (1 byte)"));
}

TEST(Leaks, AreToldOnceAsTheyWereToldFirst) {
  Leaks leaks(AllLeakKinds(), None, NoCommand);
  EXPECT_TRUE(leaks.Add(File("/tmp/a"), 3));
  EXPECT_TRUE(leaks.Add(File("/tmp/a"), absl::nullopt));
  const std::vector<Leak> told = leaks.Take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].stretch, 3);
}

TEST(Leaks, OfOtherKindsArePassedOver) {
  LeakKinds kinds;
  kinds[static_cast<size_t>(LeakKind::kPosix)] = true;
  Leaks leaks(kinds, None, NoCommand);
  EXPECT_TRUE(leaks.Add(File("/tmp/a"), absl::nullopt));
  EXPECT_TRUE(leaks.Add(File("/dev/shm/sem.a"), absl::nullopt));
  EXPECT_THAT(Described(leaks), ElementsAre("sem /a"));
}

TEST(Leaks, OfAnotherProcessNameIt) {
  Leaks leaks(AllLeakKinds(), None, NoCommand);
  EXPECT_TRUE(leaks.Add(Process(5, "server --x"), absl::nullopt));
  EXPECT_TRUE(leaks.Add(Socket(1, 5, kListening, TCP_LISTEN, 80), absl::nullopt));
  // It is connected, and keeps nobody from a port.
  EXPECT_TRUE(leaks.Add(Socket(2, 5, 0, TCP_ESTABLISHED, 81), absl::nullopt));
  EXPECT_THAT(Described(leaks),
              ElementsAre("tcp 127.0.0.1:80 (listening; descriptor 7 of process 5: server --x)",
                          "server --x (process 5, whose parent has ended; alive)"));
}

TEST(Leaks, OfTheTestsProcessHaveItsCommand) {
  const auto command = [] { return std::string("server_test --x"); };
  Leaks leaks(AllLeakKinds(), None, command);
  EXPECT_TRUE(leaks.Add(Socket(1, 2, kListening, TCP_LISTEN, 80), 0));
  const std::vector<Leak> told = leaks.Take();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].attributes.back().name, "command");
  EXPECT_EQ(absl::get<std::string>(told[0].attributes.back().value), "server_test --x");
}

TEST(Leaks, AreNoMappingsThatTheRunnerHas) {
  const auto inherited = [] { return std::vector<Mapping>{{"00:01 5", "/memfd:a", 1}}; };
  Leaks leaks(AllLeakKinds(), inherited, NoCommand);
  for (const char* identity : {"00:01 5", "00:01 6"}) {
    EXPECT_TRUE(leaks.Add(
        Record(EvidenceType::kMapping).String(identity).String("/memfd:a").U64(4096).bytes(), 0));
  }
  EXPECT_THAT(leaks.Take(), SizeIs(1));
}

TEST(Leaks, AreNoTimeWaitsBesideASocketOnThePort) {
  const auto time_wait = [](uint16_t port) {
    return Record(EvidenceType::kTimeWait)
        .U32(AF_INET)
        .U32(port)
        .U32(TCP_TIME_WAIT)
        .String(Address(port))
        .String(Address(9))
        .bytes();
  };
  Leaks leaks(AllLeakKinds(), None, NoCommand);
  EXPECT_TRUE(leaks.Add(time_wait(80), 0));
  EXPECT_TRUE(leaks.Add(time_wait(81), 0));
  EXPECT_TRUE(leaks.Add(Socket(1, 2, kListening, TCP_LISTEN, 80), 0));
  EXPECT_THAT(Described(leaks),
              ElementsAre(HasSubstr(":80 (listening"), HasSubstr(":81 (TIME_WAIT")));
}

TEST(Leaks, ShowControlCharactersAndKeepLetters) {
  Leaks leaks(AllLeakKinds(), None, NoCommand);
  EXPECT_TRUE(leaks.Add(File("/tmp/\xc3\xa4\n\x1b["), absl::nullopt));
  EXPECT_THAT(Described(leaks), ElementsAre("/tmp/\xc3\xa4\\n\\x1b[ (1 byte)"));
}

// --- of what a hostile test may write ----------------------------------------------

TEST(LeaksOfAHostileTest, AreNothingThatIsCutOrTooLong) {
  const std::string whole[] = {
      Socket(1, 2, kListening, TCP_LISTEN, 80),
      Process(5, "command"),
      File("/tmp/a"),
      Record(EvidenceType::kDescriptor).U32(1).String("x").U32(0).U64(0).U32(0).bytes(),
      Record(EvidenceType::kThread).U32(1).String("x").String("y").String("f").String("s").bytes(),
      Record(EvidenceType::kState).String("x").String("y").String("z").bytes(),
      Record(EvidenceType::kQueue).String("x").U64(0).U32(0).bytes(),
      Record(EvidenceType::kMapping).String("x").String("y").U64(0).bytes(),
      Record(EvidenceType::kMore).U32(static_cast<uint32_t>(EvidenceType::kFile)).U64(1).bytes(),
  };
  for (const std::string& record : whole) {
    EXPECT_TRUE(Leaks(AllLeakKinds(), None, NoCommand).Add(record, 0));
    for (size_t size = 0; size < record.size(); ++size) {
      EXPECT_FALSE(Leaks(AllLeakKinds(), None, NoCommand).Add(record.substr(0, size), 0)) << size;
    }
    EXPECT_FALSE(Leaks(AllLeakKinds(), None, NoCommand).Add(record + "x", 0));
  }
}

TEST(LeaksOfAHostileTest, AreNothingOfAnUnknownType) {
  Leaks leaks(AllLeakKinds(), None, NoCommand);
  for (const uint32_t type : {0U, 12U, ~0U}) {
    EXPECT_FALSE(leaks.Add(Encoder().U32(type).bytes(), 0));
  }
  EXPECT_FALSE(leaks.Add(Record(EvidenceType::kMore).U32(99).U64(1).bytes(), 0));
  EXPECT_THAT(leaks.Take(), IsEmpty());
}

TEST(LeaksOfAHostileTest, AreNoMoreThanAnHonestOneTells) {
  Leaks leaks(AllLeakKinds(), None, NoCommand);
  for (uint32_t i = 0; i < 100'000; ++i) {
    leaks.Add(Process(i, "command"), 0);
    leaks.Add(Socket(i, i, kListening, TCP_LISTEN, 80), 0);
  }
  EXPECT_THAT(leaks.Take(), SizeIs(4 * (kMaxEvidence + 1)));
}

TEST(LeaksOfAHostileTest, HaveAddressesOfAnyLength) {
  for (size_t size = 0; size < 200; ++size) {
    for (const uint32_t domain : {AF_UNIX, AF_INET, AF_INET6, AF_PACKET, AF_NETLINK, 999}) {
      std::string address(size, '\x11');
      if (size >= sizeof(sa_family_t)) {
        address[0] = static_cast<char>(domain);
        address[1] = 0;
      }
      const std::string record = Record(EvidenceType::kSocket)
                                     .U64(1)
                                     .U32(2)
                                     .U32(3)
                                     .U32(domain)
                                     .U32(SOCK_STREAM)
                                     .U32(0)
                                     .U32(0)
                                     .U32(0)
                                     .String(address)
                                     .String(address)
                                     .bytes();
      Leaks leaks(AllLeakKinds(), None, NoCommand);
      EXPECT_TRUE(leaks.Add(record, 0));
      EXPECT_THAT(leaks.Take(), SizeIs(1));
    }
  }
}

}  // namespace
}  // namespace isolate::internal
