#include "gtest_plugin/collisions.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/footprint.h"
#include "isolate/leak.h"

namespace isolate::gtest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

NameUse Use(NameKind kind, const std::string& name, uint32_t deeds) {
  NameUse use;
  use.kind = kind;
  use.name = name;
  use.deeds = deeds;
  return use;
}

NameUse File(const std::string& path, uint32_t deeds) { return Use(NameKind::kFile, path, deeds); }

NameUse Port(const std::string& host, int number, const std::string& protocol = "tcp") {
  NameUse use = Use(NameKind::kPort, absl::StrCat(protocol, " ", host, ":", number), kBound);
  use.port = NameUse::Port();
  use.port->protocol = protocol;
  use.port->host = host;
  use.port->number = number;
  use.port->wildcard = host == "0.0.0.0" || host == "[::]";
  return use;
}

Leak LeftPort(const std::string& address, int64_t number) {
  Leak leak;
  leak.kind = LeakKind::kPort;
  leak.name = absl::StrCat("tcp ", address, ":", number);
  leak.attributes = {{"protocol", std::string("tcp")}, {"address", address}, {"port", number}};
  return leak;
}

Leak LeftFile(const std::string& path) {
  Leak leak;
  leak.kind = LeakKind::kFile;
  leak.name = path;
  return leak;
}

// "tcp 8080: A B" of each.
std::vector<std::string> Told(const std::vector<Collision>& collisions) {
  std::vector<std::string> told;
  for (const Collision& collision : collisions) {
    std::string text = absl::StrCat(collision.name, ":");
    for (const Collision::Party& party : collision.parties) {
      absl::StrAppend(&text, " ", party.test);
    }
    told.push_back(text);
  }
  return told;
}

std::vector<std::string> Told(const std::vector<Prediction>& predictions) {
  std::vector<std::string> told;
  for (const Prediction& prediction : predictions) {
    told.push_back(absl::StrCat(absl::StrJoin(prediction.polluters, " "), " leaves ",
                                prediction.name, " ", NameOf(prediction.effect), " ",
                                absl::StrJoin(prediction.victims, " ")));
  }
  return told;
}

// Of tests A, B, C... that used these.
Encounters Of(const std::vector<std::vector<NameUse>>& uses) {
  Collisions collisions;
  char test = 'A';
  for (const std::vector<NameUse>& names : uses) {
    collisions.Add(std::string(1, test++), {names, 0}, {});
  }
  return collisions.Find();
}

// --- ports -------------------------------------------------------------------------

struct PortCase {
  const char* name;
  NameUse one;
  NameUse other;
  bool meet;
};

NameUse OnlyIpv6(NameUse use) {
  use.port->only_ipv6 = true;
  return use;
}

NameUse Chosen(NameUse use) {
  use.port->chosen = true;
  return use;
}

class Ports : public testing::TestWithParam<PortCase> {};

TEST_P(Ports, MeetAsTheKernelHasIt) {
  EXPECT_EQ(Of({{GetParam().one}, {GetParam().other}}).collisions.size(), GetParam().meet ? 1 : 0);
  EXPECT_EQ(Of({{GetParam().other}, {GetParam().one}}).collisions.size(), GetParam().meet ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(
    Pairs, Ports,
    testing::Values(
        PortCase{"TheSame", Port("127.0.0.1", 80), Port("127.0.0.1", 80), true},
        PortCase{"OtherPorts", Port("127.0.0.1", 80), Port("127.0.0.1", 81), false},
        PortCase{"OtherProtocols", Port("127.0.0.1", 80), Port("127.0.0.1", 80, "udp"), false},
        PortCase{"OtherAddresses", Port("127.0.0.1", 80), Port("127.0.0.2", 80), false},
        PortCase{"AllAddressesAndOne", Port("0.0.0.0", 80), Port("127.0.0.1", 80), true},
        PortCase{"AllOfIpv6AndOne", Port("[::]", 80), Port("[::1]", 80), true},
        PortCase{"AllOfIpv6AndOneOfIpv4", Port("[::]", 80), Port("127.0.0.1", 80), true},
        PortCase{"AllOfBoth", Port("[::]", 80), Port("0.0.0.0", 80), true},
        PortCase{"AllOfIpv6AloneAndOfIpv4", OnlyIpv6(Port("[::]", 80)), Port("0.0.0.0", 80), false},
        PortCase{"AllOfIpv6AloneAndOne", OnlyIpv6(Port("[::]", 80)), Port("[::1]", 80), true},
        PortCase{"OneOfEach", Port("[::1]", 80), Port("127.0.0.1", 80), false},
        PortCase{"AllOfIpv4AndOneOfIpv6", Port("0.0.0.0", 80), Port("[::1]", 80), false},
        PortCase{"ChosenByTheKernel", Chosen(Port("0.0.0.0", 40000)), Port("0.0.0.0", 40000),
                 false}),
    [](const auto& pair) { return std::string(pair.param.name); });

// --- files -------------------------------------------------------------------------

struct FileCase {
  const char* name;
  uint32_t one;
  uint32_t other;
  bool meet;
};

class Files : public testing::TestWithParam<FileCase> {};

TEST_P(Files, MeetWhereOneChangesWhatTheOtherUses) {
  EXPECT_EQ(
      Of({{File("/tmp/x", GetParam().one)}, {File("/tmp/x", GetParam().other)}}).collisions.size(),
      GetParam().meet ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(
    Pairs, Files,
    testing::Values(FileCase{"BothMake", kMade, kMade, true},
                    FileCase{"OneMakesAndOneRemoves", kMade, kRemoved, true},
                    FileCase{"BothRemoveWhatNobodyMakes", kRemoved, kRemoved, false},
                    FileCase{"BothWrite", kWritten, kWritten, true},
                    FileCase{"BothLock", kLocked, kLocked, true},
                    FileCase{"OneLocksAndOneRemoves", kLocked, kRemoved, false},
                    FileCase{"OneLocksAndOneWrites", kLocked, kWritten, true}),
    [](const auto& pair) { return std::string(pair.param.name); });

TEST(Collisions, AreNotOfATestWithItself) {
  Collisions collisions;
  collisions.Add("A", {{File("/tmp/x", kMade)}, 0}, {});
  collisions.Add("A", {{File("/tmp/x", kMade), File("/tmp/x", kRemoved)}, 0}, {});
  const Encounters found = collisions.Find();
  EXPECT_THAT(found.collisions, IsEmpty());
  EXPECT_THAT(found.safe, ElementsAre("A"));
}

TEST(Collisions, OfOneKindAreNotOfAnother) {
  EXPECT_THAT(
      Of({{Use(NameKind::kSysv, "shm 0x1", kMade)}, {Use(NameKind::kPosix, "shm 0x1", kMade)}})
          .collisions,
      IsEmpty());
}

TEST(Collisions, WithMostTestsComeFirst) {
  EXPECT_THAT(Told(Of({{File("/a", kMade), File("/b", kMade)},
                       {File("/a", kMade), File("/b", kMade)},
                       {File("/b", kMade)}})
                       .collisions),
              ElementsAre("/b: A B C", "/a: A B"));
}

TEST(Collisions, BelowAFolderOnWhichTheSameTestsMeetSaySo) {
  const Encounters found = Of({{File("/d", kMade), File("/d/e", kMade), File("/d/e/x", kMade)},
                               {File("/d", kMade), File("/d/e", kMade), File("/d/e/x", kMade)},
                               {File("/d/e/x", kWritten)},
                               {File("/dd", kMade)},
                               {File("/dd", kMade)}});
  std::vector<std::string> told;
  for (const Collision& collision : found.collisions) {
    told.push_back(absl::StrCat(collision.name, " below ", collision.below));
  }
  // The third test meets the others on the innermost alone.
  EXPECT_THAT(told, ElementsAre("/d/e/x below ", "/d below ", "/dd below ", "/d/e below /d"));
}

TEST(Collisions, OfAPortHaveEachTestsAddresses) {
  const Encounters found =
      Of({{Port("127.0.0.1", 80), Port("127.0.0.2", 80)}, {Port("0.0.0.0", 80)}});
  ASSERT_EQ(found.collisions.size(), 1);
  EXPECT_THAT(found.collisions[0].parties[0].names,
              ElementsAre("tcp 127.0.0.1:80", "tcp 127.0.0.2:80"));
  EXPECT_THAT(found.collisions[0].parties[1].names, ElementsAre("tcp 0.0.0.0:80"));
}

TEST(Collisions, PartTestsIntoThoseThatMeetNobodyAndTheRest) {
  Collisions collisions;
  collisions.Add("A", {{Port("127.0.0.1", 80)}, 0}, {});
  collisions.Add("B", {{}, 1}, {});
  collisions.Add("C", {{Port("127.0.0.1", 80)}, 2}, {});
  collisions.Add("D", {{File("/d", kMade)}, 0}, {});
  const Encounters found = collisions.Find();
  EXPECT_THAT(found.safe, ElementsAre("D"));
  EXPECT_THAT(found.unsafe, ElementsAre("A", "C"));
  EXPECT_THAT(found.unknown, ElementsAre("B"));
}

// --- predictions -------------------------------------------------------------------

TEST(Predictions, AreOfWhatIsLeftAndNeeded) {
  Collisions collisions;
  collisions.Add("A", {{Port("0.0.0.0", 80)}, 0}, {LeftPort("0.0.0.0", 80)});
  collisions.Add("B", {{Port("127.0.0.1", 80)}, 0}, {});
  collisions.Add("C", {{Port("127.0.0.1", 81)}, 0}, {});
  EXPECT_THAT(Told(collisions.Find().predictions), ElementsAre("A leaves tcp 80 breaks B"));
}

TEST(Predictions, OfIpv6AndMappedAddressesAreThoseOfTheFootprint) {
  Collisions collisions;
  collisions.Add("A", {{Port("[::1]", 80), Port("127.0.0.1", 81)}, 0},
                 {LeftPort("::1", 80), LeftPort("::ffff:127.0.0.1", 81)});
  collisions.Add("B", {{Port("[::1]", 80), Port("127.0.0.1", 81)}, 0}, {});
  EXPECT_THAT(Told(collisions.Find().predictions),
              ElementsAre("A leaves tcp 80 breaks B", "A leaves tcp 81 breaks B"));
}

TEST(Predictions, TellWhatFailsFromWhatIsFound) {
  Collisions collisions;
  collisions.Add("A", {{File("/x", kMade)}, 0}, {LeftFile("/x")});
  collisions.Add("B", {{File("/x", kMade)}, 0}, {});
  collisions.Add("C", {{File("/x", kMade | kExclusive)}, 0}, {});
  collisions.Add("D", {{File("/x", kRemoved)}, 0}, {});
  EXPECT_THAT(Told(collisions.Find().predictions),
              UnorderedElementsAre("A leaves /x breaks C", "A leaves /x is found B"));
}

TEST(Predictions, AreNotOfATestAlone) {
  Collisions collisions;
  collisions.Add("A", {{File("/x", kMade)}, 0}, {LeftFile("/x")});
  EXPECT_THAT(collisions.Find().predictions, IsEmpty());
}

TEST(Predictions, OfSeveralThatLeaveAreOfEachForTheOthers) {
  Collisions collisions;
  collisions.Add("A", {{File("/x", kMade)}, 0}, {LeftFile("/x")});
  collisions.Add("B", {{File("/x", kMade)}, 0}, {LeftFile("/x")});
  EXPECT_THAT(Told(collisions.Find().predictions), ElementsAre("A B leaves /x is found A B"));
}

// All of 50,000 tests on one name: in time, and in one row.
TEST(Collisions, OfManyTestsAreOneRow) {
  Collisions collisions;
  for (int i = 0; i < 50'000; ++i) {
    collisions.Add(absl::StrCat("Test.", i), {{Port("0.0.0.0", 80)}, 0}, {LeftPort("0.0.0.0", 80)});
  }
  const Encounters found = collisions.Find();
  ASSERT_EQ(found.collisions.size(), 1);
  EXPECT_EQ(found.collisions[0].parties.size(), 50'000);
  ASSERT_EQ(found.predictions.size(), 1);
  EXPECT_EQ(found.predictions[0].victims.size(), 50'000);
}

}  // namespace
}  // namespace isolate::gtest
