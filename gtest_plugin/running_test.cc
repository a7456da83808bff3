#include "gtest_plugin/running_test.h"

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/internal/wire.h"

namespace isolate::gtest {
namespace {

using ::isolate::internal::Decoder;
using ::isolate::internal::Encoder;

// FNV-1a: the same in every build, unlike absl::Hash, as reader and writer are two programs.
uint64_t Checksum(absl::string_view bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return sum;
}

}  // namespace

std::string Encode(const RunningTest& running) {
  Encoder payload;
  payload.U32(static_cast<uint32_t>(running.process)).String(running.suite).String(running.test);
  Encoder record;
  record.String(payload.bytes()).U64(Checksum(payload.bytes()));
  return record.bytes();
}

absl::optional<RunningTest> DecodeRunningTest(absl::string_view bytes) {
  Decoder record(bytes);
  const auto payload = record.String();
  const auto sum = record.U64();
  if (!sum.has_value() || *sum != Checksum(*payload)) {
    return absl::nullopt;
  }
  Decoder decoder(*payload);
  const auto process = decoder.U32();
  const auto suite = decoder.String();
  const auto test = decoder.String();
  if (!decoder.complete()) {
    return absl::nullopt;
  }
  return RunningTest{static_cast<pid_t>(*process), std::string(*suite), std::string(*test)};
}

}  // namespace isolate::gtest
