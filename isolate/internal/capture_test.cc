#include "isolate/internal/capture.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isolate::internal {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr size_t kPlenty = 1 << 20;

Nonce MakeNonce(absl::string_view text) {
  Nonce nonce;
  EXPECT_EQ(text.size(), nonce.size());
  std::copy(text.begin(), text.end(), nonce.begin());
  return nonce;
}

const Nonce& TheNonce() {
  static const Nonce kNonce = MakeNonce("0123456789abcdef");
  return kNonce;
}

std::string MarkText(uint32_t number, const Nonce& nonce = TheNonce()) {
  const auto mark = Mark(nonce, number);
  return std::string(mark.data(), mark.size());
}

std::vector<std::string> Pieces(absl::string_view bytes, size_t size) {
  std::vector<std::string> pieces;
  for (size_t at = 0; at < bytes.size(); at += size) {
    pieces.emplace_back(bytes.substr(at, size));
  }
  return pieces;
}

Captured CaptureAll(const std::vector<std::string>& pieces, size_t limit = kPlenty,
                    const Nonce& nonce = TheNonce()) {
  Capture capture(nonce, limit);
  for (const std::string& piece : pieces) {
    capture.Append(piece);
  }
  return capture.Take();
}

std::string Note(size_t omitted) {
  return absl::StrCat("\n[isolate: ", omitted, " bytes of output left out here]\n");
}

// What has to be kept of an output without marks.
std::string Shortened(const std::string& output, size_t limit) {
  const size_t half = limit / 2;
  if (output.size() <= 2 * half) {
    return output;
  }
  return absl::StrCat(output.substr(0, half), Note(output.size() - 2 * half),
                      output.substr(output.size() - half));
}

std::string Alphabet(size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += static_cast<char>('A' + i % 26);
  }
  return text;
}

// All that went over when so much may be kept.
std::string Overflown(const std::vector<std::string>& pieces, size_t limit) {
  std::string overflown;
  Capture capture(TheNonce(), limit,
                  [&](absl::string_view bytes) { overflown.append(bytes.data(), bytes.size()); });
  for (const std::string& piece : pieces) {
    capture.Append(piece);
  }
  (void)capture.Take();
  return overflown;
}

TEST(Overflow, IsTheWholeOutputOnceThatIsLongerThanTheLimit) {
  for (const size_t size : {0, 1, 9, 10, 11, 15, 16, 20, 21, 100}) {
    for (const size_t limit : {0, 1, 2, 10, 11}) {
      for (const size_t piece : {1, 3, 7, 100}) {
        const std::string text = Alphabet(size);
        EXPECT_EQ(Overflown(Pieces(text, piece), limit), size > limit / 2 * 2 ? text : "")
            << size << " bytes in pieces of " << piece << ", limit " << limit;
      }
    }
  }
}

TEST(Overflow, HasNoMarks) {
  EXPECT_EQ(Overflown({"abc" + MarkText(1) + "def" + MarkText(2)}, 4), "abcdef");
}

TEST(Mark, IsTheNonceAndTheNumberInLittleEndian) {
  EXPECT_EQ(MarkText(0x01020304), "0123456789abcdef\4\3\2\1");
}

TEST(Capture, OfNothingIsEmpty) {
  const Captured captured = CaptureAll({});
  EXPECT_EQ(captured.text, "");
  EXPECT_EQ(captured.omitted_bytes, 0);
  EXPECT_THAT(captured.marks, IsEmpty());
}

TEST(Capture, KeepsBinaryBytes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  EXPECT_EQ(CaptureAll({all, all}).text, all + all);
}

TEST(Capture, TakesMarksOutAndTellsWhereTheyWere) {
  const Captured captured =
      CaptureAll({"ab" + MarkText(0) + "c" + MarkText(1) + MarkText(2) + "d"});
  EXPECT_EQ(captured.text, "abcd");
  EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(0, 2), Pair(1, 3), Pair(2, 3)));
}

TEST(Capture, FindsAMarkAtTheVeryBeginning) {
  const Captured captured = CaptureAll({MarkText(0) + "ab"});
  EXPECT_EQ(captured.text, "ab");
  EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(0, 0)));
}

TEST(Capture, FindsAMarkAtTheVeryEnd) {
  const Captured captured = CaptureAll({"ab" + MarkText(0)});
  EXPECT_EQ(captured.text, "ab");
  EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(0, 2)));
}

TEST(Capture, ReadsEveryBitOfAMarksNumber) {
  const Captured captured = CaptureAll({MarkText(0xfffefdfc) + MarkText(0x30313233)});
  EXPECT_EQ(captured.text, "");
  EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(0xfffefdfc, 0), Pair(0x30313233, 0)));
}

TEST(Capture, TheFirstOfEqualMarksCounts) {
  const Captured captured = CaptureAll({"a" + MarkText(3) + "b" + MarkText(3)});
  EXPECT_EQ(captured.text, "ab");
  EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(3, 1)));
}

TEST(Capture, FindsMarksHoweverTheReadsSplitThem) {
  const std::string output = "ab" + MarkText(7) + "c" + MarkText(8) + MarkText(9) + "d";
  for (size_t at = 0; at <= output.size(); ++at) {
    SCOPED_TRACE(at);
    const Captured captured = CaptureAll({output.substr(0, at), output.substr(at)});
    EXPECT_EQ(captured.text, "abcd");
    EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(7, 2), Pair(8, 3), Pair(9, 3)));
  }
}

TEST(Capture, FindsMarksOneByteAtATime) {
  const Captured captured =
      CaptureAll(Pieces("ab" + MarkText(7) + "c" + MarkText(8) + MarkText(9) + "d", 1));
  EXPECT_EQ(captured.text, "abcd");
  EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(7, 2), Pair(8, 3), Pair(9, 3)));
}

TEST(Capture, KeepsTheBeginningOfAMarkThatTheOutputEndsWith) {
  for (size_t size = 1; size < kMarkSize; ++size) {
    SCOPED_TRACE(size);
    const std::string output = "x" + MarkText(0x41424344).substr(0, size);
    for (const auto& pieces : {Pieces(output, kPlenty), Pieces(output, 1)}) {
      const Captured captured = CaptureAll(pieces);
      EXPECT_EQ(captured.text, output);
      EXPECT_THAT(captured.marks, IsEmpty());
    }
  }
}

TEST(Capture, FindsAMarkAfterTheBeginningOfAMark) {
  // With the second nonce the beginning and the mark have bytes in common.
  for (const Nonce& nonce : {TheNonce(), MakeNonce("abababababababac")}) {
    for (size_t size = 1; size < kNonceSize; ++size) {
      const std::string beginning = MarkText(5, nonce).substr(0, size);
      const std::string output = beginning + MarkText(5, nonce) + "z";
      SCOPED_TRACE(output);
      for (const auto& pieces : {Pieces(output, kPlenty), Pieces(output, 1)}) {
        const Captured captured = CaptureAll(pieces, kPlenty, nonce);
        EXPECT_EQ(captured.text, beginning + "z");
        EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(5, size)));
      }
    }
  }
}

TEST(Capture, LeavesTheMiddleOutWhereTheLimitIsPassed) {
  for (const size_t limit : {0, 1, 2, 3, 10, 11, 64}) {
    for (size_t size = 0; size <= 3 * limit + 5; ++size) {
      const std::string output = Alphabet(size);
      for (const size_t piece : {size_t{1}, size_t{7}, kPlenty}) {
        SCOPED_TRACE(absl::StrCat(size, " bytes, ", piece, " at a time, limit ", limit));
        const Captured captured = CaptureAll(Pieces(output, piece), limit);
        EXPECT_EQ(captured.text, Shortened(output, limit));
        const size_t kept = std::min(size, limit / 2 * 2);
        EXPECT_EQ(captured.omitted_bytes, static_cast<int64_t>(size - kept));
      }
    }
  }
}

TEST(Capture, MarksDoNotCountAgainstTheLimit) {
  std::string output;
  for (uint32_t i = 0; i < 10; ++i) {
    output += MarkText(i) + "x";
  }
  const Captured captured = CaptureAll({output}, 10);
  EXPECT_EQ(captured.text, "xxxxxxxxxx");
  EXPECT_EQ(captured.omitted_bytes, 0);
}

TEST(Capture, MovesMarksInTheOmittedPartBehindTheNote) {
  // Every letter has a mark before it with its position as number.
  const std::string letters = "abcdefghij";
  std::string output;
  for (uint32_t i = 0; i < letters.size(); ++i) {
    output += MarkText(i) + letters[i];
  }
  output += MarkText(10);

  const size_t note = Note(6).size();
  for (const size_t piece : {size_t{1}, size_t{13}, kPlenty}) {
    SCOPED_TRACE(piece);
    const Captured captured = CaptureAll(Pieces(output, piece), 4);
    EXPECT_EQ(captured.text, "ab" + Note(6) + "ij");
    EXPECT_EQ(captured.omitted_bytes, 6);
    EXPECT_THAT(captured.marks,
                UnorderedElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 2), Pair(3, note + 2),
                                     Pair(4, note + 2), Pair(5, note + 2), Pair(6, note + 2),
                                     Pair(7, note + 2), Pair(8, note + 2), Pair(9, note + 3),
                                     Pair(10, note + 4)));
  }
}

TEST(Capture, WithNoRoomAtAllKeepsTheOrderOfMarksAndNote) {
  const Captured captured = CaptureAll({MarkText(0) + "abc" + MarkText(1)}, 0);
  EXPECT_EQ(captured.text, Note(3));
  EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(0, 0), Pair(1, Note(3).size())));
}

TEST(Capture, KeepsAPartialMarkWithinTheLimitToo) {
  EXPECT_EQ(CaptureAll({"abcdef", "01234567"}, 8).text, "abcd" + Note(6) + "4567");
}

// The most memory that the process ever had resident.
int64_t PeakMemoryBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      int64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  }
  ADD_FAILURE() << "/proc/self/status has no VmHWM";
  return 0;
}

TEST(Capture, OfALongStreamTakesNoMoreMemoryThanOfAShortOne) {
  // More than the limit at a time, and less.
  for (const size_t piece_size : {size_t{64} << 10, size_t{128}}) {
    SCOPED_TRACE(piece_size);
    const std::string piece(piece_size, 'x');
    const size_t count = (size_t{64} << 20) / piece_size;
    Capture capture(TheNonce(), 1024);
    capture.Append("head" + MarkText(0));
    capture.Append(piece);
    const int64_t before = PeakMemoryBytes();
    for (size_t i = 1; i < count; ++i) {
      capture.Append(piece);
    }
    EXPECT_LT(PeakMemoryBytes() - before, 8 << 20) << "64 MiB went through";
    capture.Append("tail" + MarkText(1));

    const Captured captured = capture.Take();
    const size_t omitted = (size_t{64} << 20) + 8 - 1024;
    const std::string kept(508, 'x');
    EXPECT_EQ(captured.text, absl::StrCat("head", kept, Note(omitted), kept, "tail"));
    EXPECT_EQ(captured.omitted_bytes, static_cast<int64_t>(omitted));
    EXPECT_THAT(captured.marks, UnorderedElementsAre(Pair(0, 4), Pair(1, captured.text.size())));
  }
}

}  // namespace
}  // namespace isolate::internal
