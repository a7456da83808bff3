#include "isolate/internal/explanation.h"

#include <errno.h>

#include <ostream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolate/internal/restrictions.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* name;
  SetupFailure failure;
  void (*restrict)(Restrictions& restrictions);
  const char* meaning;
  const char* remedy;
};

std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.name; }

class Cause : public testing::TestWithParam<Case> {};

TEST_P(Cause, IsTheRestrictionThatIsThere) {
  Restrictions restrictions;
  GetParam().restrict(restrictions);
  const Explanation explanation = Explain(GetParam().failure, restrictions);
  EXPECT_THAT(explanation.meaning, HasSubstr(GetParam().meaning));
  EXPECT_THAT(explanation.remedy, HasSubstr(GetParam().remedy));
}

// Without it, the step and the errno have to do.
TEST_P(Cause, IsNotTheRestrictionThatIsNotThere) {
  const Explanation explanation = Explain(GetParam().failure, Restrictions());
  EXPECT_EQ(explanation.meaning, Meaning(GetParam().failure));
  EXPECT_EQ(explanation.remedy, Remedy(GetParam().failure));
}

INSTANTIATE_TEST_SUITE_P(
    Causes, Cause,
    testing::Values(Case{"Filter",
                         {Step::kUserNamespace, EPERM, ""},
                         [](Restrictions& r) {
                           r.filtered = {{"mount", EPERM}, {"unshare", EPERM}};
                         },
                         "answers the system call unshare with EPERM",
                         "seccomp=unconfined"},
                    Case{"FilterThatHides",
                         {Step::kJoin, ENOSYS, ""},
                         [](Restrictions& r) {
                           r.filtered = {{"setns", ENOSYS}};
                         },
                         "answers the system call setns with ENOSYS",
                         "permits setns"},
                    Case{"FilterBeforeSysctl",
                         {Step::kUserNamespace, EPERM, ""},
                         [](Restrictions& r) {
                           r.filtered = {{"unshare", EPERM}};
                           r.sysctls = {{"kernel.unprivileged_userns_clone", 0}};
                         },
                         "seccomp filter",
                         "permits unshare"},
                    Case{"Chroot",
                         {Step::kUserNamespace, EPERM, ""},
                         [](Restrictions& r) { r.in_chroot = true; },
                         "chroot",
                         "pivot_root"},
                    Case{"IdsThatAreNotMapped",
                         {Step::kUserNamespace, EPERM, ""},
                         [](Restrictions& r) { r.own_ids_mapped = false; },
                         "uid or gid is not mapped",
                         "--map-user=ID"},
                    Case{"ChrootOfRoot",
                         {Step::kHelperMounts, EINVAL, ""},
                         [](Restrictions& r) { r.in_chroot = true; },
                         "chroot",
                         "mount --bind DIR DIR"},
                    Case{"DebiansSysctl",
                         {Step::kUserNamespace, EPERM, ""},
                         [](Restrictions& r) {
                           r.sysctls = {{"kernel.unprivileged_userns_clone", 0}};
                         },
                         "kernel.unprivileged_userns_clone is 0",
                         "kernel.unprivileged_userns_clone=1"},
                    Case{"UbuntusAppArmor",
                         {Step::kIdMaps, EPERM, ""},
                         [](Restrictions& r) {
                           r.sysctls = {{"kernel.apparmor_restrict_unprivileged_userns", 1}};
                         },
                         "apparmor_restrict_unprivileged_userns is 1",
                         "=0"},
                    Case{"UbuntusAppArmorAtMounts",
                         {Step::kHelperMounts, EACCES, ""},
                         [](Restrictions& r) {
                           r.sysctls = {{"kernel.apparmor_restrict_unprivileged_userns", 1}};
                         },
                         "apparmor_restrict_unprivileged_userns is 1",
                         "=0"},
                    Case{"NoUserNamespaces",
                         {Step::kUserNamespace, ENOSPC, ""},
                         [](Restrictions& r) {
                           r.sysctls = {{"user.max_user_namespaces", 0}};
                         },
                         "user.max_user_namespaces is 0",
                         "sysctl user.max_user_namespaces="},
                    Case{"FewNetNamespaces",
                         {Step::kCloneInit, ENOSPC, "network"},
                         [](Restrictions& r) {
                           r.sysctls = {{"user.max_net_namespaces", 7}};
                         },
                         "user.max_net_namespaces is 7",
                         "fewer jobs"},
                    Case{"NoMountNamespaces",
                         {Step::kHelperMounts, ENOSPC, ""},
                         [](Restrictions& r) {
                           r.sysctls = {{"user.max_mnt_namespaces", 0}};
                         },
                         "user.max_mnt_namespaces is 0",
                         "sysctl user.max_mnt_namespaces="},
                    Case{"MaskedProc",
                         {Step::kMountProc, EPERM, "/proc"},
                         [](Restrictions& r) {
                           r.covered_proc = {"/proc/kcore", "/proc/sys"};
                         },
                         "/proc/kcore, /proc/sys",
                         "systempaths=unconfined"},
                    Case{"MaskedSys",
                         {Step::kMountSysfs, EPERM, "/sys"},
                         [](Restrictions& r) { r.covered_sys = {"/sys/firmware"}; },
                         "/sys/firmware",
                         "unmask=ALL"},
                    Case{"NoSysfs",
                         {Step::kMountSysfs, EPERM, "/sys"},
                         [](Restrictions& r) { r.covered_sys = {"/sys"}; },
                         "no whole /sys",
                         "Mount sysfs"},
                    Case{"NoDevices",
                         {Step::kForkHelper, EACCES, ""},
                         [](Restrictions& r) { r.has_null_device = false; },
                         "no /dev/null",
                         "--dev /dev"},
                    Case{"Descriptors",
                         {Step::kStandardStreams, EMFILE, ""},
                         [](Restrictions& r) { r.max_descriptors = 12; },
                         "is 12",
                         "ulimit -n"},
                    Case{"Processes",
                         {Step::kForkHelper, EAGAIN, ""},
                         [](Restrictions& r) {
                           r.max_processes = 1;
                           r.max_pids = 20;
                         },
                         "1 of this user (ulimit -u), and 20 of the cgroup (pids.max)",
                         "pids.max"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Explain, DoesNotBlameWhatDoesNotHinderRoot) {
  Restrictions restrictions;
  restrictions.may_administer = true;
  restrictions.sysctls = {{"kernel.unprivileged_userns_clone", 0},
                          {"kernel.apparmor_restrict_unprivileged_userns", 1}};
  const SetupFailure failure = {Step::kUserNamespace, EPERM, ""};
  EXPECT_EQ(Explain(failure, restrictions).meaning, Meaning(failure));
}

TEST(Explain, DoesNotBlameAFilterForAnotherErrno) {
  Restrictions restrictions;
  restrictions.filtered = {{"clone", EPERM}, {"clone3", ENOSYS}};
  const SetupFailure failure = {Step::kCloneInit, ENOSPC, "network"};
  EXPECT_EQ(Explain(failure, restrictions).meaning, Meaning(failure));
}

}  // namespace
}  // namespace isolate::internal
