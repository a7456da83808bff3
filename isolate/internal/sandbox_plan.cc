#include "isolate/internal/sandbox_plan.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/internal/wire.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

void Append(const MountOp& op, Encoder& encoder) {
  encoder.U32(static_cast<uint32_t>(op.action))
      .U32(static_cast<uint32_t>(op.step))
      .String(op.path)
      .String(op.data)
      .U64(op.slot)
      .U32(op.optional ? 1 : 0);
}

absl::optional<MountOp> ReadMountOp(Decoder& decoder) {
  MountOp op;
  op.action = static_cast<MountOp::Action>(decoder.U32().value_or(0));
  op.step = static_cast<Step>(decoder.U32().value_or(0));
  op.path = std::string(decoder.String().value_or(""));
  op.data = std::string(decoder.String().value_or(""));
  op.slot = decoder.U64().value_or(0);
  // After a read that failed, every other fails, too.
  const absl::optional<uint32_t> optional = decoder.U32();
  if (!optional.has_value()) {
    return absl::nullopt;
  }
  op.optional = *optional != 0;
  return op;
}

}  // namespace

std::string Encode(const SandboxPlan& plan) {
  Encoder encoder;
  encoder.U32(static_cast<uint32_t>(plan.runner))
      .U32(static_cast<uint32_t>(plan.runner_group))
      .U32(static_cast<uint32_t>(plan.namespaces))
      .U32(plan.loopback ? 1 : 0)
      .U32(plan.tells_namespaces ? 1 : 0)
      .U64(plan.audit_token);
  encoder.U32(plan.hostname != nullptr ? 1 : 0).String(plan.hostname ? plan.hostname : "");
  encoder.U32(plan.leaks != nullptr ? 1 : 0).String(plan.leaks ? Encode(*plan.leaks) : "");
  encoder.U64(plan.mount_op_count);
  for (size_t i = 0; i < plan.mount_op_count; ++i) {
    Append(plan.mount_ops[i], encoder);
  }
  return encoder.bytes();
}

std::unique_ptr<DecodedPlan> DecodedPlan::Decode(absl::string_view bytes) {
  Decoder decoder(bytes);
  std::unique_ptr<DecodedPlan> decoded(new DecodedPlan);
  SandboxPlan& plan = decoded->plan_;
  plan.runner = static_cast<pid_t>(decoder.U32().value_or(0));
  plan.runner_group = static_cast<pid_t>(decoder.U32().value_or(0));
  plan.namespaces = static_cast<int>(decoder.U32().value_or(0));
  plan.loopback = decoder.U32().value_or(0) != 0;
  plan.tells_namespaces = decoder.U32().value_or(0) != 0;
  plan.audit_token = decoder.U64().value_or(0);
  const bool has_hostname = decoder.U32().value_or(0) != 0;
  decoded->hostname_ = std::string(decoder.String().value_or(""));
  plan.hostname = has_hostname ? decoded->hostname_.c_str() : nullptr;
  const bool looks_for_leaks = decoder.U32().value_or(0) != 0;
  const absl::string_view leaks = decoder.String().value_or("");
  if (looks_for_leaks) {
    absl::StatusOr<LeakPlan> leak_plan = DecodeLeakPlan(leaks);
    if (!leak_plan.ok()) {
      return nullptr;
    }
    decoded->leaks_ = *std::move(leak_plan);
    plan.leaks = &decoded->leaks_;
  }
  for (uint64_t left = decoder.U64().value_or(0); left > 0; --left) {
    absl::optional<MountOp> op = ReadMountOp(decoder);
    if (!op.has_value()) {
      return nullptr;
    }
    decoded->mount_ops_.push_back(*std::move(op));
  }
  plan.mount_ops = decoded->mount_ops_.data();
  plan.mount_op_count = decoded->mount_ops_.size();
  return decoder.complete() ? std::move(decoded) : nullptr;
}

}  // namespace isolate::internal
