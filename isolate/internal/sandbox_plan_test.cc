#include "isolate/internal/sandbox_plan.h"

#include <sched.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/internal/leak_check.h"
#include "isolate/internal/mount_plan.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Operations(const SandboxPlan& plan) {
  std::vector<std::string> told;
  for (size_t i = 0; i < plan.mount_op_count; ++i) {
    const MountOp& op = plan.mount_ops[i];
    told.push_back(absl::StrCat(static_cast<int>(op.action), " ", StepName(op.step), " ", op.path,
                                " ", op.data, " ", op.slot, op.optional ? " optional" : ""));
  }
  return told;
}

TEST(SandboxPlan, IsTheSameWhenItHasBeenDecoded) {
  const std::vector<MountOp> ops = {
      {MountOp::Action::kKeep, Step::kKeepPath, "/tmp/kept", "", 3, true},
      {MountOp::Action::kTmpfs, Step::kMountTmpfs, "/tmp", "mode=1777", 0, false},
  };
  LeakPlan leaks;
  leaks.kinds.set(2);
  leaks.folders = {"/tmp", "/dev/shm"};
  SandboxPlan plan;
  plan.runner = 17;
  plan.runner_group = 16;
  plan.namespaces = CLONE_NEWNET | CLONE_NEWPID;
  plan.mount_ops = ops.data();
  plan.mount_op_count = ops.size();
  plan.loopback = true;
  plan.hostname = "node-1";
  plan.leaks = &leaks;
  plan.tells_namespaces = false;
  plan.audit_token = 0x123456789abcdef0;

  const std::unique_ptr<DecodedPlan> decoded = DecodedPlan::Decode(Encode(plan));
  ASSERT_NE(decoded, nullptr);
  const SandboxPlan& same = decoded->plan();
  EXPECT_EQ(same.runner, plan.runner);
  EXPECT_EQ(same.runner_group, plan.runner_group);
  EXPECT_EQ(same.namespaces, plan.namespaces);
  EXPECT_EQ(same.loopback, plan.loopback);
  EXPECT_STREQ(same.hostname, plan.hostname);
  ASSERT_NE(same.leaks, nullptr);
  EXPECT_EQ(same.leaks->kinds, leaks.kinds);
  EXPECT_EQ(same.leaks->folders, leaks.folders);
  EXPECT_EQ(same.tells_namespaces, plan.tells_namespaces);
  EXPECT_EQ(same.audit_token, plan.audit_token);
  EXPECT_EQ(Operations(same), Operations(plan));
  EXPECT_EQ(Encode(same), Encode(plan));
}

TEST(SandboxPlan, KeepsWhatIsNotThereApartFromWhatIsEmpty) {
  const std::unique_ptr<DecodedPlan> decoded = DecodedPlan::Decode(Encode(SandboxPlan()));
  ASSERT_NE(decoded, nullptr);
  EXPECT_EQ(decoded->plan().hostname, nullptr);
  EXPECT_EQ(decoded->plan().leaks, nullptr);
  EXPECT_THAT(Operations(decoded->plan()), ElementsAre());
}

TEST(SandboxPlan, OfDamagedBytesIsNone) {
  const std::vector<MountOp> ops = {
      {MountOp::Action::kTmpfs, Step::kMountTmpfs, "/tmp", "", 0, false}};
  SandboxPlan plan;
  plan.mount_ops = ops.data();
  plan.mount_op_count = ops.size();
  const std::string bytes = Encode(plan);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodedPlan::Decode(bytes.substr(0, size)), nullptr) << size;
  }
  EXPECT_EQ(DecodedPlan::Decode(bytes + "x"), nullptr);
}

}  // namespace
}  // namespace isolate::internal
