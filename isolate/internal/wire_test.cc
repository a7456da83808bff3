#include "isolate/internal/wire.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {

static bool operator==(const Frame& a, const Frame& b) {
  return a.tag == b.tag && a.payload == b.payload;
}

static std::ostream& operator<<(std::ostream& out, const Frame& frame) {
  return out << "tag " << static_cast<int>(frame.tag) << " with "
             << ::testing::PrintToString(frame.payload);
}

namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Frames as they go over the pipe.
std::string Header(Tag tag, size_t size) {
  const auto header = FrameHeader(tag, size);
  return std::string(header.data(), header.size());
}
std::string Bytes(Tag tag, absl::string_view payload) {
  return absl::StrCat(Header(tag, payload.size()), payload);
}
std::string Bytes(const Frame& frame) { return Bytes(frame.tag, frame.payload); }

std::string U32(uint32_t value) { return Encoder().U32(value).bytes(); }

std::string HelloOf(uint32_t version) { return Encoder().U32(version).U64(7).bytes(); }
std::string Hello() { return Bytes(Tag::kHello, HelloOf(kWireVersion)); }
std::string Message(absl::string_view text) { return Bytes(Tag::kMessage, text); }
std::string End() { return Bytes(Tag::kEnd, U32(0)); }
std::string Failure(Step step = Step::kExec) {
  return Bytes(Tag::kSetupFailure,
               Encoder().U32(static_cast<uint32_t>(step)).U32(1).String("why").bytes());
}

// A report with everything that a report of a function may have.
std::vector<Frame> ReportFrames() {
  return {
      {Tag::kHello, HelloOf(kWireVersion)},
      {Tag::kMessage, "one"},
      {Tag::kMessage, ""},
      {Tag::kMessage, std::string("\0\x03\xff\n", 4)},
      {Tag::kTimeLimit, U32(1) + U32(2)},
      {Tag::kStretch, U32(3)},
      {Tag::kEvidence, "record"},
      {Tag::kNothingLeft, ""},
      {Tag::kEnd, U32(0xffffffff)},
  };
}

std::string Report() {
  std::string bytes;
  for (const Frame& frame : ReportFrames()) {
    bytes += Bytes(frame);
  }
  return bytes;
}

// Where frames of the report end, and so the report may end too.
std::vector<size_t> Borders() {
  std::vector<size_t> borders = {0};
  for (const Frame& frame : ReportFrames()) {
    borders.push_back(borders.back() + Bytes(frame).size());
  }
  return borders;
}

std::vector<std::string> OneByteAtATime(absl::string_view bytes) {
  std::vector<std::string> pieces;
  for (const char byte : bytes) {
    pieces.emplace_back(1, byte);
  }
  return pieces;
}

struct Reading {
  std::vector<Frame> frames;
  absl::Status status;  // the first error
  bool finished = false;
};

// What a reader makes of these pieces and the end of the stream.  Every reading
// in this file goes through here, and so is held to what holds for all.
Reading Read(const std::vector<std::string>& pieces) {
  FrameReader reader;
  Reading reading;
  size_t fed = 0;
  for (const std::string& piece : pieces) {
    const size_t before = reading.frames.size();
    const absl::Status status = reader.Feed(piece, reading.frames);
    fed += piece.size();
    if (reading.status.ok()) {
      reading.status = status;
    } else {
      EXPECT_EQ(status, reading.status) << "damage is remembered";
      EXPECT_EQ(reading.frames.size(), before) << "nothing is taken after damage";
    }
  }
  const absl::Status status = reader.Finish();
  if (reading.status.ok()) {
    reading.status = status;
  }
  EXPECT_EQ(status, reading.status);
  EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
  EXPECT_EQ(reader.Finish(), status) << "the end may be told twice";
  reading.finished = reader.finished();
  EXPECT_FALSE(reading.finished && !status.ok()) << "damaged, and finished all the same";

  size_t used = 0;
  for (const Frame& frame : reading.frames) {
    used += kFrameHeaderSize + frame.payload.size();
  }
  EXPECT_LE(used, fed) << "frames were made of nothing";
  return reading;
}

TEST(FrameHeader, IsTheTagAndTheLengthInLittleEndian) {
  EXPECT_EQ(Header(Tag::kMessage, 0x00a1b2c3), std::string("\x03\xc3\xb2\xa1\x00", 5));
}

TEST(FrameReader, TakesAWholeReport) {
  const Reading reading = Read({Report()});
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_THAT(reading.frames, ElementsAreArray(ReportFrames()));
  EXPECT_TRUE(reading.finished);
}

TEST(HelloPayload, IsTheVersionAndTheTime) {
  for (const int64_t now : {int64_t{0}, int64_t{1} << 60 | 0x0102030405, int64_t{-1}}) {
    const auto payload = HelloPayload(now);
    EXPECT_EQ(std::string(payload.data(), payload.size()),
              Encoder().U32(kWireVersion).U64(static_cast<uint64_t>(now)).bytes());
  }
}

TEST(FrameReader, TakesASetUpFailureInPlaceOfAHello) {
  const Reading reading = Read({Failure(Step::kJoin)});
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_EQ(reading.frames.size(), 1);
  EXPECT_TRUE(reading.finished);
}

TEST(FrameReader, TakesTheFailureToExecuteACommandAfterAHello) {
  const Reading reading = Read({Hello() + Failure()});
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_EQ(reading.frames.size(), 2);
  EXPECT_TRUE(reading.finished);
}

TEST(FrameReader, TakesAReportInTwoPiecesHoweverItIsSplit) {
  for (size_t at = 0; at <= Report().size(); ++at) {
    SCOPED_TRACE(at);
    const Reading reading = Read({Report().substr(0, at), Report().substr(at)});
    EXPECT_EQ(reading.status, absl::OkStatus());
    EXPECT_THAT(reading.frames, ElementsAreArray(ReportFrames()));
    EXPECT_TRUE(reading.finished);
  }
}

TEST(FrameReader, TakesAReportOneByteAtATime) {
  const Reading reading = Read(OneByteAtATime(Report()));
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_THAT(reading.frames, ElementsAreArray(ReportFrames()));
  EXPECT_TRUE(reading.finished);
}

TEST(FrameReader, GivesAFrameWithItsLastByte) {
  FrameReader reader;
  std::vector<Frame> frames;
  for (const std::string& byte : OneByteAtATime(Hello())) {
    EXPECT_THAT(frames, IsEmpty());
    EXPECT_EQ(reader.Feed(byte, frames), absl::OkStatus());
  }
  EXPECT_EQ(frames.size(), 1);
}

TEST(FrameReader, AReportMayStopBetweenFramesAndIsNotFinishedThen) {
  const std::vector<size_t> borders = Borders();
  for (size_t count = 0; count + 1 < borders.size(); ++count) {
    SCOPED_TRACE(count);
    const Reading reading = Read({Report().substr(0, borders[count])});
    EXPECT_EQ(reading.status, absl::OkStatus());
    EXPECT_EQ(reading.frames.size(), count);
    EXPECT_FALSE(reading.finished);
  }
}

TEST(FrameReader, NoticesAReportThatStopsWithinAFrameAndGivesTheFramesBefore) {
  const std::vector<size_t> borders = Borders();
  int cuts = 0;
  for (size_t size = 0; size < Report().size(); ++size) {
    const auto whole = std::upper_bound(borders.begin(), borders.end(), size) - borders.begin() - 1;
    if (borders[static_cast<size_t>(whole)] == size) {
      continue;
    }
    SCOPED_TRACE(size);
    ++cuts;
    const Reading reading = Read({Report().substr(0, size)});
    EXPECT_THAT(reading.status.message(), HasSubstr("ends within a frame"));
    std::vector<Frame> expected = ReportFrames();
    expected.resize(static_cast<size_t>(whole));
    EXPECT_THAT(reading.frames, ElementsAreArray(expected));
    EXPECT_FALSE(reading.finished);
  }
  EXPECT_GT(cuts, 20);
}

TEST(FrameReader, NoticesLessThanAHeaderAfterTheEnd) {
  const Reading reading = Read({Hello() + End() + "\3"});
  EXPECT_TRUE(absl::IsDataLoss(reading.status)) << reading.status;
  EXPECT_EQ(reading.frames.size(), 2);
}

struct DamageCase {
  const char* name;
  std::string before;   // what is right, and given
  std::string damaged;  // what is not
  const char* message;
};

std::ostream& operator<<(std::ostream& out, const DamageCase& damage) { return out << damage.name; }

class Damage : public ::testing::TestWithParam<DamageCase> {
 protected:
  static void Check(const Reading& reading) {
    EXPECT_TRUE(absl::IsDataLoss(reading.status)) << reading.status;
    EXPECT_THAT(reading.status.message(), HasSubstr(GetParam().message));
    EXPECT_FALSE(reading.finished);
    EXPECT_THAT(reading.frames, ElementsAreArray(Read({GetParam().before}).frames));
  }
};

TEST_P(Damage, IsAnErrorAndWhatCameBeforeIsGiven) {
  Check(Read({GetParam().before + GetParam().damaged}));
}

TEST_P(Damage, IsAnErrorOneByteAtATime) {
  Check(Read(OneByteAtATime(GetParam().before + GetParam().damaged)));
}

TEST_P(Damage, IsRememberedWhateverComesNext) {
  Check(Read({GetParam().before + GetParam().damaged, Report(), "", End()}));
}

INSTANTIATE_TEST_SUITE_P(
    FrameReader, Damage,
    ::testing::Values(
        DamageCase{"TagZero", Hello(), Bytes(Tag{0}, ""), "unknown tag 0"},
        DamageCase{"TagBeyondTheLast", Hello(), Bytes(Tag{10}, ""), "unknown tag 10"},
        DamageCase{"TagWithTheHighBit", "", Bytes(Tag{255}, ""), "unknown tag 255"},
        DamageCase{"UnknownTagAfterTheEnd", Hello() + End(), Bytes(Tag{10}, ""), "unknown tag 10"},
        DamageCase{"MessageFirst", "", Message("early"), "does not begin with a hello"},
        DamageCase{"EndFirst", "", End(), "does not begin with a hello"},
        DamageCase{"SecondHello", Hello(), Hello(), "second hello"},
        DamageCase{"SecondHelloAfterAMessage", Hello() + Message("one"), Hello(), "second hello"},
        DamageCase{"EmptyHello", "", Bytes(Tag::kHello, ""), "version is not ours"},
        DamageCase{"ShortHello", "", Bytes(Tag::kHello, "\1\0"), "version is not ours"},
        DamageCase{"HelloWithoutATime", "", Bytes(Tag::kHello, U32(kWireVersion)),
                   "version is not ours"},
        DamageCase{"OtherVersion", "", Bytes(Tag::kHello, HelloOf(kWireVersion + 1)),
                   "version is not ours"},
        DamageCase{"HelloWithMore", "", Bytes(Tag::kHello, HelloOf(kWireVersion) + "x"),
                   "version is not ours"},
        DamageCase{"ShortStretch", Hello(), Bytes(Tag::kStretch, "1"), "a stretch cannot be read"},
        DamageCase{"ShortTimeLimit", Hello(), Bytes(Tag::kTimeLimit, U32(0)),
                   "a time limit cannot be read"},
        DamageCase{"ShortEnd", Hello(), Bytes(Tag::kEnd, "\0\0"), "its end cannot be read"},
        DamageCase{"EndWithMore", Hello(), Bytes(Tag::kEnd, U32(0) + "x"),
                   "its end cannot be read"},
        DamageCase{"SetUpFailureWithoutDetail", "", Bytes(Tag::kSetupFailure, U32(1) + U32(1)),
                   "set-up failure cannot be read"},
        DamageCase{"SetUpFailureWithHalfADetail", "",
                   Bytes(Tag::kSetupFailure, U32(1) + U32(1) + U32(4) + "why"),
                   "set-up failure cannot be read"},
        DamageCase{"SetUpFailureWithMore", Hello(),
                   Bytes(Tag::kSetupFailure, U32(1) + U32(1) + U32(2) + "why"),
                   "set-up failure cannot be read"},
        DamageCase{"SetUpFailureAfterTheSetUp", Hello(), Failure(Step::kMountProc),
                   "a set-up failure follows the set-up"},
        DamageCase{"MessageAfterTheEnd", Hello() + End(), Message("late"), "follows its last"},
        DamageCase{"SecondEnd", Hello() + End(), End(), "follows its last"},
        DamageCase{"HelloAfterTheEnd", Hello() + End(), Hello(), "follows its last"},
        DamageCase{"EndAfterASetUpFailure", Failure(), End(), "follows its last"},
        DamageCase{"OneByteTooMuchAnnounced", Hello(), Header(Tag::kMessage, kMaxPayload + 1),
                   "announces 16777217 bytes"},
        DamageCase{"FourGigabytesAnnounced", Hello(), Header(Tag::kMessage, 0xffffffff),
                   "announces 4294967295 bytes"},
        DamageCase{"HugeHelloAnnounced", "", Header(Tag::kHello, 0x80000000),
                   "announces 2147483648 bytes"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(FrameReader, TakesAFrameOfTheLargestSize) {
  const Reading reading = Read({Hello() + Message(std::string(kMaxPayload, 'x')) + End()});
  EXPECT_EQ(reading.status, absl::OkStatus());
  ASSERT_EQ(reading.frames.size(), 3);
  EXPECT_EQ(reading.frames[1].payload.size(), kMaxPayload);
}

TEST(FrameReader, RefusesAReportThatIsTooLong) {
  FrameReader reader;
  std::vector<Frame> frames;
  ASSERT_EQ(reader.Feed(Hello(), frames), absl::OkStatus());
  size_t left = kMaxReport - Hello().size();
  while (left > 0) {
    const size_t size = std::min(left - kFrameHeaderSize, kMaxPayload);
    frames.clear();
    ASSERT_EQ(reader.Feed(Message(std::string(size, 'x')), frames), absl::OkStatus()) << left;
    ASSERT_EQ(frames.size(), 1);
    left -= kFrameHeaderSize + size;
  }
  frames.clear();
  const absl::Status status = reader.Feed("\3", frames);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("longer than 268435456 bytes"));
  EXPECT_EQ(reader.Feed(End(), frames), status);
  EXPECT_THAT(frames, IsEmpty());
}

TEST(FrameReader, RefusesAReportOfTooManyFrames) {
  FrameReader reader;
  std::vector<Frame> frames;
  ASSERT_EQ(reader.Feed(Hello(), frames), absl::OkStatus());
  const std::string empty = Message("");
  for (size_t i = 1; i < kMaxFrames; ++i) {
    frames.clear();
    ASSERT_EQ(reader.Feed(empty, frames), absl::OkStatus()) << i;
  }
  frames.clear();
  EXPECT_TRUE(absl::IsDataLoss(reader.Feed(empty, frames)));
  EXPECT_THAT(frames, IsEmpty());
}

TEST(FrameReader, RefusesASetUpFailureAfterAMessage) {
  FrameReader reader;
  std::vector<Frame> frames;
  ASSERT_EQ(reader.Feed(Hello() + Message("hi"), frames), absl::OkStatus());
  EXPECT_TRUE(absl::IsDataLoss(reader.Feed(Failure(), frames)));
}

// Damages reports in the ways in which a writer gone wild would.
class Mutator {
 public:
  std::string Mutate(std::string bytes) {
    for (size_t i = Below(4) + 1; i > 0; --i) {
      const size_t at = Below(bytes.size());
      switch (Below(6)) {
        case 0:
          bytes[at] = static_cast<char>(Below(256));
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(Below(256)));
          break;
        case 3:
          bytes.erase(at, Below(8));
          break;
        case 4:
          bytes += bytes.substr(at, Below(32));
          break;
        case 5:
          bytes.resize(at);
          break;
      }
      if (bytes.empty()) {
        bytes = Report();
      }
    }
    return bytes;
  }

  std::vector<std::string> Split(absl::string_view bytes) {
    std::vector<std::string> pieces;
    while (!bytes.empty()) {
      pieces.emplace_back(bytes.substr(0, Below(16) + 1));
      bytes.remove_prefix(pieces.back().size());
    }
    return pieces;
  }

 private:
  // Not std::uniform_int_distribution, whose numbers differ between libraries.
  size_t Below(size_t bound) { return random_() % bound; }

  std::mt19937 random_{20240607};
};

TEST(FrameReader, GivesFramesOrOneErrorForAHundredThousandDamagedReports) {
  Mutator mutator;
  int damaged = 0;
  int finished = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string bytes = mutator.Mutate(Report());
    const Reading whole = Read({bytes});
    const Reading split = Read(mutator.Split(bytes));
    damaged += whole.status.ok() ? 0 : 1;
    finished += whole.finished ? 1 : 0;
    ASSERT_EQ(split.status, whole.status) << ::testing::PrintToString(bytes);
    ASSERT_EQ(split.frames, whole.frames) << ::testing::PrintToString(bytes);
    ASSERT_FALSE(HasFailure()) << ::testing::PrintToString(bytes);
  }
  EXPECT_GT(damaged, 10'000);
  EXPECT_GT(finished, 1'000);
}

TEST(Encoder, WritesLittleEndianNumbersAndStringsWithTheirLength) {
  EXPECT_EQ(Encoder().U32(0x01020304).bytes(), "\4\3\2\1");
  EXPECT_EQ(Encoder().U64(0x0102030405060708).bytes(), "\x8\7\6\5\4\3\2\1");
  EXPECT_EQ(Encoder().String("ab").bytes(), std::string("\2\0\0\0ab", 6));
  EXPECT_EQ(Encoder().String("").bytes(), std::string(4, '\0'));
}

TEST(Decoder, ReadsWhatTheEncoderWrote) {
  const std::string binary("\0\xff\n", 3);
  const std::string bytes =
      Encoder().U32(0xfffefdfc).String(binary).U64(0xfffefdfcfbfaf9f8).String("").bytes();
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.U32(), 0xfffefdfc);
  EXPECT_EQ(decoder.String(), binary);
  EXPECT_EQ(decoder.U64(), 0xfffefdfcfbfaf9f8);
  EXPECT_FALSE(decoder.complete()) << "a string is left";
  EXPECT_EQ(decoder.String(), "");
  EXPECT_TRUE(decoder.complete());
}

TEST(Decoder, GivesNothingWhereverTheBytesStop) {
  const std::string bytes = Encoder().U32(7).U64(8).String("nine").bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    const std::string some = bytes.substr(0, size);
    Decoder decoder(some);
    const bool has_u32 = decoder.U32().has_value();
    const bool has_u64 = decoder.U64().has_value();
    const bool has_string = decoder.String().has_value();
    EXPECT_EQ(has_u32, size >= 4);
    EXPECT_EQ(has_u64, size >= 12);
    EXPECT_FALSE(has_string);
    EXPECT_FALSE(decoder.complete());
  }
}

TEST(Decoder, GivesNothingAfterAReadThatFailed) {
  const std::string bytes = Encoder().U32(100).U32(7).bytes();
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.String(), absl::nullopt) << "100 bytes are not there";
  EXPECT_EQ(decoder.U32(), absl::nullopt);
  EXPECT_EQ(decoder.U64(), absl::nullopt);
  EXPECT_EQ(decoder.String(), absl::nullopt);
  EXPECT_FALSE(decoder.complete());
}

TEST(Decoder, IsNotMisledByTheLongestLength) {
  const std::string bytes = Encoder().U32(0xffffffff).bytes() + "abc";
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.String(), absl::nullopt);
}

}  // namespace
}  // namespace isolate::internal
