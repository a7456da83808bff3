#include "tests/footprints/catalogue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace isolate {
namespace {

bool Closed(int descriptor) { return descriptor >= 0 && close(descriptor) == 0; }

bool Open(const char* path, int flags) { return Closed(open(path, flags | O_CLOEXEC, 0600)); }

bool Touch(const char* path) { return Open(path, O_CREAT | O_WRONLY); }

bool InChild(bool (*run)()) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(run() ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// --- sockets

bool BindV4(int type, const char* host, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host, &address.sin_addr);
  const int bound = socket(AF_INET, type, 0);
  const bool done = bind(bound, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  return Closed(bound) && done;
}

bool BindV6(const char* host, uint16_t port, bool only_ipv6) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  inet_pton(AF_INET6, host, &address.sin6_addr);
  const int bound = socket(AF_INET6, SOCK_STREAM, 0);
  const int only = only_ipv6 ? 1 : 0;
  setsockopt(bound, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
  const bool done = bind(bound, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  return Closed(bound) && done;
}

// With `name`, whose first character may be a NUL; empty: without.
bool BindUnix(const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name.data(), name.size());
  const int bound = socket(AF_UNIX, SOCK_STREAM, 0);
  const bool done =
      bind(bound, reinterpret_cast<sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())) == 0;
  return Closed(bound) && done;
}

std::vector<FootprintCase> Ports() {
  return {
      {"Tcp",
       [] { return BindV4(SOCK_STREAM, "127.0.0.1", 8080); },
       {"tcp 127.0.0.1:8080 (bound)"}},
      {"TcpOnAllAddresses",
       [] { return BindV4(SOCK_STREAM, "0.0.0.0", 8080); },
       {"tcp 0.0.0.0:8080 (bound)"}},
      {"Udp",
       [] { return BindV4(SOCK_DGRAM, "127.0.0.1", 53000); },
       {"udp 127.0.0.1:53000 (bound)"}},
      {"TcpOfIpv6", [] { return BindV6("::1", 8080, false); }, {"tcp [[]::1]:8080 (bound)"}},
      {"TcpOfIpv6Alone", [] { return BindV6("::", 8080, true); }, {"tcp [[]::]:8080 (bound)"}},
      {"TcpMapped",
       [] { return BindV6("::ffff:127.0.0.1", 8080, false); },
       {"tcp 127.0.0.1:8080 (bound)"}},
      {"TcpThatTheKernelChooses",
       [] { return BindV4(SOCK_STREAM, "127.0.0.1", 0); },
       {"tcp 127.0.0.1:[1-9]* (bound)"}},
      {"TcpBelow1024",
       [] { return BindV4(SOCK_STREAM, "127.0.0.1", 80); },
       {"tcp 127.0.0.1:80 (bound)"}},
      {"TcpBelow1024WithoutTheRight",
       [] { return !BindV4(SOCK_STREAM, "127.0.0.1", 80) && errno == EACCES; },
       {}},
      {"TcpOfAnAddressThatIsNotThere",
       [] { return !BindV4(SOCK_STREAM, "192.0.2.1", 8080) && errno == EADDRNOTAVAIL; },
       {}},
      {"TcpTwice",
       [] {
         const int bound = socket(AF_INET, SOCK_STREAM, 0);
         sockaddr_in address = {};
         address.sin_family = AF_INET;
         address.sin_port = htons(8080);
         const auto* any = reinterpret_cast<const sockaddr*>(&address);
         if (bind(bound, any, sizeof(address)) != 0) {
           return false;
         }
         address.sin_port = htons(8081);
         const bool again = bind(bound, any, sizeof(address)) == 0;
         return !again && errno == EINVAL && Closed(bound);
       },
       {"tcp 0.0.0.0:8080 (bound)"}},
      {"TcpOfNoSocket",
       [] {
         sockaddr_in address = {};
         address.sin_family = AF_INET;
         address.sin_port = htons(8080);
         const auto* any = reinterpret_cast<const sockaddr*>(&address);
         return bind(0, any, sizeof(address)) != 0 && errno == ENOTSOCK &&
                bind(999, any, sizeof(address)) != 0 && errno == EBADF;
       },
       {}},
      {"TcpInAThread",
       [] {
         bool done = false;
         std::thread([&] { done = BindV4(SOCK_STREAM, "127.0.0.1", 8080); }).join();
         return done;
       },
       {"tcp 127.0.0.1:8080 (bound)"}},
      {"TcpInAChild",
       [] { return InChild([] { return BindV4(SOCK_STREAM, "127.0.0.1", 8080); }); },
       {"tcp 127.0.0.1:8080 (bound)"}},
      {"TcpInANetworkOfItsOwn",
       [] { return unshare(CLONE_NEWNET) == 0 && BindV4(SOCK_STREAM, "0.0.0.0", 8080); },
       {}},
      {"UnixPath",
       [] { return BindUnix("/tmp/socket") && unlink("/tmp/socket") == 0; },
       {"/tmp/socket (bound, made, removed)"}},
      {"UnixPathFromTheWorkingDirectory",
       [] { return chdir("/var/tmp") == 0 && BindUnix("socket"); },
       {"/var/tmp/socket (bound, made)"}},
      {"UnixPathInAFolderThatIsNotThere",
       [] { return !BindUnix("/tmp/folder/socket") && errno == ENOENT; },
       {}},
      {"UnixAbstract", [] { return BindUnix(std::string("\0name", 5)); }, {"unix @name (bound)"}},
      {"UnixThatTheKernelNames", [] { return BindUnix(""); }, {}},
  };
}

// --- IPC

std::vector<FootprintCase> IpcObjects() {
  constexpr key_t kKey = 0x1234;
  return {
      {"SharedMemory",
       [] { return shmctl(shmget(kKey, 4096, IPC_CREAT | 0600), IPC_RMID, nullptr) == 0; },
       {"shm 0x1234 (made)"}},
      {"SharedMemoryWithoutAKey",
       [] { return shmctl(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600), IPC_RMID, nullptr) == 0; },
       {}},
      {"SharedMemoryThatIsNotThere", [] { return shmget(kKey, 4096, 0600) < 0; }, {}},
      {"SharedMemoryTwice",
       [] {
         return shmget(kKey, 4096, IPC_CREAT | IPC_EXCL | 0600) >= 0 &&
                shmget(kKey, 4096, IPC_CREAT | IPC_EXCL | 0600) < 0 &&
                shmget(kKey, 4096, 0600) >= 0;
       },
       {"shm 0x1234 (made, used)"}},
      {"Semaphores", [] { return semget(kKey, 3, IPC_CREAT | 0600) >= 0; }, {"sem 0x1234 (made)"}},
      {"Messages", [] { return msgget(kKey, IPC_CREAT | 0600) >= 0; }, {"msg 0x1234 (made)"}},
      {"Queue",
       [] {
         const mqd_t queue = mq_open("/queue", O_CREAT | O_RDWR, 0600, nullptr);
         return queue >= 0 && mq_close(queue) == 0 && mq_unlink("/queue") == 0;
       },
       {"mq /queue (made, removed)"}},
      {"QueueThatIsNotThere", [] { return mq_open("/queue", O_RDWR) < 0; }, {}},
      {"PosixSharedMemory",
       [] { return Closed(shm_open("/name", O_CREAT | O_RDWR, 0600)) && shm_unlink("/name") == 0; },
       {"shm /name (made, removed)"}},
      {"PosixSemaphore",
       [] {
         // glibc makes it under another name, and gives it this one when it is whole.
         sem_t* const semaphore = sem_open("/name", O_CREAT, 0600, 1);
         return semaphore != SEM_FAILED && sem_close(semaphore) == 0;
       },
       {"sem /?????? (made, removed)", "sem /name (made)"}},
  };
}

// --- files

std::vector<FootprintCase> Files() {
  return {
      {"File",
       [] { return Touch("/tmp/file") && unlink("/tmp/file") == 0; },
       {"/tmp/file (made, removed)"}},
      {"FileKept", [] { return Touch("/tmp/file"); }, {"/tmp/file (made)"}},
      {"FileByStream",
       [] {
         std::ofstream("/tmp/file") << "text";
         return true;
       },
       {"/tmp/file (made)"}},
      {"FileByItsOldCalls",
       [] {
#ifdef SYS_open
         return Closed(static_cast<int>(syscall(SYS_open, "/tmp/a", O_CREAT | O_WRONLY, 0600))) &&
                Closed(static_cast<int>(syscall(SYS_creat, "/tmp/b", 0600))) &&
                syscall(SYS_mkdir, "/tmp/c", 0700) == 0 && syscall(SYS_rmdir, "/tmp/c") == 0 &&
                syscall(SYS_link, "/tmp/a", "/tmp/d") == 0 &&
                syscall(SYS_symlink, "x", "/tmp/e") == 0 &&
                syscall(SYS_rename, "/tmp/d", "/tmp/f") == 0 &&
                syscall(SYS_unlink, "/tmp/b") == 0 &&
                syscall(SYS_mknod, "/tmp/g", S_IFIFO | 0600, 0) == 0;
#else
         return false;
#endif
       },
       {"/tmp/a (made)", "/tmp/b (made, removed)", "/tmp/c (made, removed)",
        "/tmp/d (made, removed)", "/tmp/e (made)", "/tmp/f (made)", "/tmp/g (made)"}},
      {"FileByOpenat2",
       [] {
         open_how how = {};
         how.flags = O_CREAT | O_WRONLY;
         how.mode = 0600;
         return Closed(
             static_cast<int>(syscall(SYS_openat2, AT_FDCWD, "/tmp/file", &how, sizeof(how))));
       },
       {"/tmp/file (made)"}},
      {"FileThatIsThere",
       [] { return Touch("/tmp/file") && Open("/tmp/file", O_RDWR | O_APPEND); },
       {"/tmp/file (made, written)"}},
      {"FileThatIsRead", [] { return Open("/etc/passwd", O_RDONLY); }, {}},
      {"FileThatIsThereAndMayBeMade", [] { return Open("/etc/passwd", O_RDONLY | O_CREAT); }, {}},
      {"FileOfSomebodyElse",
       [] {
         return geteuid() != 0 && !Open("/etc/passwd", O_WRONLY) && errno == EACCES &&
                !Touch("/etc/new") && errno == EACCES;
       },
       {}},
      {"FileThatMayNotBeThereAgain",
       [] { return Touch("/tmp/file") && !Open("/tmp/file", O_CREAT | O_EXCL); },
       {"/tmp/file (made)"}},
      {"FileInAFolderThatIsNotThere",
       [] { return !Touch("/tmp/folder/file") && errno == ENOENT; },
       {}},
      {"FileInAFolderThatWasRemoved",
       [] {
         return mkdir("/tmp/gone", 0700) == 0 && chdir("/tmp/gone") == 0 &&
                rmdir("/tmp/gone") == 0 && !Touch("file") && errno == ENOENT;
       },
       {"/tmp/gone (made, removed)"}},
      {"FileByALoopOfLinks",
       [] { return symlink("loop", "/tmp/loop") == 0 && !Touch("/tmp/loop") && errno == ELOOP; },
       {"/tmp/loop (made)"}},
      {"FileInAFileSystemOfTheKernels",
       [] { return !Touch("/proc/1/new") && !Touch("/sys/new"); },
       {}},
      {"FileWithoutAName", [] { return Closed(open("/tmp", O_TMPFILE | O_RDWR, 0600)); }, {}},
      {"FileFromTheWorkingDirectory",
       [] { return chdir("/var/tmp") == 0 && Touch("./file") && Touch("../tmp/other"); },
       {"/var/tmp/file (made)", "/var/tmp/other (made)"}},
      {"FileFromADescriptor",
       [] {
         const int folder = open("/var/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
         return Closed(openat(folder, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) &&
                mkdirat(folder, "sub", 0700) == 0 && unlinkat(folder, "sub", AT_REMOVEDIR) == 0 &&
                Closed(folder);
       },
       {"/var/tmp/file (made)", "/var/tmp/sub (made, removed)"}},
      {"FileOverALink",
       [] { return symlink("/var/tmp", "/tmp/link") == 0 && Touch("/tmp/link/file"); },
       {"/tmp/link (made)", "/var/tmp/file (made)"}},
      {"FileByALinkToIt",
       [] {
         return symlink("../var/tmp/target", "/tmp/link") == 0 && Touch("/tmp/link") &&
                unlink("/tmp/link") == 0;
       },
       {"/tmp/link (made, removed)", "/var/tmp/target (made)"}},
      {"FileInANewRoot",
       [] {
         return mkdir("/tmp/jail", 0700) == 0 && mkdir("/tmp/jail/tmp", 0700) == 0 &&
                symlink("/tmp", "/tmp/jail/link") == 0 && InChild([] {
                  return chroot("/tmp/jail") == 0 && Touch("/tmp/one") && Touch("/link/two");
                });
       },
       {"/tmp/jail (made)", "/tmp/jail/link (made)", "/tmp/jail/tmp (made)",
        "/tmp/jail/tmp/one (made)", "/tmp/jail/tmp/two (made)"}},
      {"FileInAChild",
       [] { return InChild([] { return Touch("/tmp/file"); }); },
       {"/tmp/file (made)"}},
      {"FileInAProgram",
       [] { return system("echo text > /tmp/file") == 0; },  // NOLINT(cert-env33-c)
       {"/tmp/file (made)"}},
      {"FileByALongPath",
       [] {
         std::string path = "/tmp";
         for (int i = 0; i < 15; ++i) {
           absl::StrAppend(&path, "/", std::string(200, 'x'));
           if (mkdir(path.c_str(), 0700) != 0) {
             return false;
           }
         }
         return Touch((path + "/file").c_str());
       },
       {"/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)",
        "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)",
        "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)", "/tmp/x* (made)",
        "/tmp/x*/file (made)"}},
      {"FileByAPathThatIsNone",
       [] {
         return !Open(nullptr, O_CREAT) && errno == EFAULT && !Open("", O_CREAT) &&
                errno == ENOENT && !Open(std::string(5000, 'x').c_str(), O_CREAT) &&
                errno == ENAMETOOLONG;
       },
       {}},
      {"FileWithANameOfTwoLines",
       [] { return Touch("/tmp/one\ntwo"); },
       {"/tmp/one\\\\ntwo (made)"}},
      {"Folder",
       [] { return mkdir("/tmp/folder/", 0700) == 0 && mkdir("/tmp/folder", 0700) != 0; },
       {"/tmp/folder (made)"}},
      {"FolderThatIsThere", [] { return mkdir("/tmp", 0700) != 0 && errno == EEXIST; }, {}},
      {"Fifo", [] { return mkfifo("/tmp/fifo", 0600) == 0; }, {"/tmp/fifo (made)"}},
      {"HardLink",
       [] { return Touch("/tmp/a") && link("/tmp/a", "/tmp/b") == 0; },
       {"/tmp/a (made)", "/tmp/b (made)"}},
      {"Renamed",
       [] { return Touch("/tmp/a") && rename("/tmp/a", "/tmp/b") == 0; },
       {"/tmp/a (made, removed)", "/tmp/b (made)"}},
      {"RenamedOverAnother",
       [] { return Touch("/tmp/a") && Touch("/tmp/b") && rename("/tmp/a", "/tmp/b") == 0; },
       {"/tmp/a (made, removed)", "/tmp/b (made, written)"}},
      {"Exchanged",
       [] {
         return Touch("/tmp/a") && Touch("/tmp/b") &&
                renameat2(AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", RENAME_EXCHANGE) == 0;
       },
       {"/tmp/a (made, written)", "/tmp/b (made, written)"}},
      {"RenamedFromNowhere", [] { return rename("/tmp/a", "/tmp/b") != 0; }, {}},
      {"RemovedThoughNotThere",
       [] { return unlink("/tmp/file") != 0 && errno == ENOENT; },
       {"/tmp/file (removed)"}},
      {"Truncated",
       [] { return Touch("/tmp/file") && truncate("/tmp/file", 100) == 0; },
       {"/tmp/file (made, written)"}},
      {"LockedByFlock",
       [] {
         const int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
         return flock(file, LOCK_SH) == 0 && flock(file, LOCK_UN) == 0 && Closed(file);
       },
       {"/etc/passwd (locked)"}},
      {"LockedByFcntl",
       [] {
         const int file = open("/tmp/file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
         struct flock lock = {};
         lock.l_type = F_WRLCK;
         return fcntl(file, F_SETLK, &lock) == 0 && fcntl(file, F_GETFL) >= 0 && Closed(file);
       },
       {"/tmp/file (made, locked)"}},
      {"LockedThoughRemoved",
       [] {
         const int file = open("/tmp/file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
         return unlink("/tmp/file") == 0 && flock(file, LOCK_EX) == 0 && Closed(file);
       },
       {"/tmp/file (made, removed)"}},
      {"Unlocked",
       [] {
         const int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
         struct flock lock = {};
         lock.l_type = F_UNLCK;
         return flock(file, LOCK_UN) == 0 && fcntl(file, F_SETLK, &lock) == 0 && Closed(file);
       },
       {}},
      {"Device", [] { return Open("/dev/null", O_RDWR); }, {}},
      {"Memory", [] { return Closed(memfd_create("name", 0)); }, {}},
      {"SettingOfTheKernel",
       [] { return Open("/proc/sys/net/ipv4/ip_forward", O_WRONLY); },
       {"/proc/sys/net/ipv4/ip_forward (written)"}},
      {"FileOfAProcess", [] { return Open("/proc/self/oom_score_adj", O_WRONLY); }, {}},
      {"HostName", [] { return sethostname("other", 5) == 0; }, {"host name (set)"}},
      {"HostNameWithoutTheRight",
       [] { return sethostname("other", 5) != 0 && errno == EPERM; },
       {}},
      {"Nothing", [] { return true; }, {}},
  };
}

}  // namespace

const std::vector<FootprintCase>& Catalogue() {
  static const auto* const kCatalogue = [] {
    auto* cases = new std::vector<FootprintCase>;
    for (const auto& part : {Ports(), IpcObjects(), Files()}) {
      cases->insert(cases->end(), part.begin(), part.end());
    }
    return cases;
  }();
  return *kCatalogue;
}

std::string Differences(const FootprintCase& footprint_case, const std::vector<std::string>& told) {
  std::string differences;
  std::vector<std::string> expected = footprint_case.names;
  for (const std::string& name : told) {
    auto match = expected.begin();
    while (match != expected.end() && fnmatch(match->c_str(), name.c_str(), 0) != 0) {
      ++match;
    }
    if (match == expected.end()) {
      absl::StrAppend(&differences, "\n  told, though not used: ", name);
    } else {
      expected.erase(match);
    }
  }
  for (const std::string& name : expected) {
    absl::StrAppend(&differences, "\n  used, and not told: ", name);
  }
  return differences;
}

}  // namespace isolate
