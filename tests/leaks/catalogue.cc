#include "tests/leaks/catalogue.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <locale.h>
#include <mqueue.h>
#include <net/ethernet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "isolate/leak.h"

namespace isolate {
namespace {

// --- sockets

sockaddr_in V4(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr_in6 V6(const char* host, uint16_t port) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  inet_pton(AF_INET6, host, &address.sin6_addr);
  return address;
}

template <typename Address>
int Bound(int type, const Address& address, int option = 0) {
  const int bound = socket(reinterpret_cast<const sockaddr&>(address).sa_family, type, 0);
  const int on = 1;
  if (option != 0) {
    setsockopt(bound, SOL_SOCKET, option, &on, sizeof(on));
  }
  if (bind(bound, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    perror("bind");
    abort();
  }
  return bound;
}

int Listening(uint16_t port, int option = 0) {
  const int listening = Bound(SOCK_STREAM, V4(port), option);
  listen(listening, 1);
  return listening;
}

int Connected(uint16_t port) {
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = V4(port);
  (void)connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  return client;
}

int UnixSocket(absl::string_view name, int type = SOCK_STREAM) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name.data(), name.size());
  const int bound = socket(AF_UNIX, type, 0);
  (void)bind(bound, reinterpret_cast<const sockaddr*>(&address),
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
  return bound;
}

// Who closes a connection first keeps its port for a minute.
bool ServerClosesFirst(int option) {
  const int server = Listening(8090, option);
  const int client = Connected(8090);
  close(accept(server, nullptr, nullptr));
  close(client);
  close(server);
  return true;
}

bool ClientClosesFirst() {
  const int server = Listening(8090);
  const int client = Connected(8090);
  const int accepted = accept(server, nullptr, nullptr);
  close(client);
  char byte;
  (void)!read(accepted, &byte, 1);
  close(accepted);
  close(server);
  return true;
}

// --- processes

// A child that does that and then waits for its end; its pid, when it has done it.
template <typename Do>
pid_t Child(Do what) {
  int done[2];
  (void)!pipe(done);
  const pid_t child = fork();
  if (child == 0) {
    what();
    (void)!write(done[1], "x", 1);
    close(done[0]);
    close(done[1]);
    for (;;) {
      pause();
    }
  }
  char byte;
  (void)!read(done[0], &byte, 1);
  close(done[0]);
  close(done[1]);
  return child;
}

// The same, of a process that has left the session and whose parent has ended.
template <typename Do>
pid_t Daemon(Do what) {
  int pid[2];
  (void)!pipe(pid);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const pid_t daemon = Child(what);
    (void)!write(pid[1], &daemon, sizeof(daemon));
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  pid_t daemon = 0;
  (void)!read(pid[0], &daemon, sizeof(daemon));
  close(pid[0]);
  close(pid[1]);
  return daemon;
}

void Nothing() {}

void End(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

// --- the rest

void Touch(const char* path) { close(open(path, O_CREAT | O_WRONLY, 0600)); }

void* Map(int memory) { return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0); }

bool Valid(int descriptor) { return descriptor >= 0; }

// io_uring_setup(2) has no wrapper; the parameters are 120 bytes, all zero.
int Ring() {
  alignas(8) char parameters[120] = {};
  return static_cast<int>(syscall(SYS_io_uring_setup, 1, parameters));
}

// A thread that waits until `end` is written to.
std::thread Waiting(int& end) {
  end = eventfd(0, 0);
  std::promise<void> named;
  std::thread thread([descriptor = end, &named] {
    pthread_setname_np(pthread_self(), "waiting");
    named.set_value();
    eventfd_t value;
    eventfd_read(descriptor, &value);
  });
  named.get_future().wait();
  return thread;
}

constexpr LeakKind kPort = LeakKind::kPort;
constexpr LeakKind kTimeWait = LeakKind::kTimeWait;
constexpr LeakKind kSysv = LeakKind::kSysv;
constexpr LeakKind kPosix = LeakKind::kPosix;
constexpr LeakKind kProcess = LeakKind::kProcess;
constexpr LeakKind kThread = LeakKind::kThread;
constexpr LeakKind kFd = LeakKind::kDescriptor;
constexpr LeakKind kFile = LeakKind::kFile;
constexpr LeakKind kState = LeakKind::kState;

std::vector<LeakCase> Ports() {
  return {
      {"Tcp", [] { return Valid(Listening(8080)); }, {{kPort, "tcp 127.0.0.1:8080"}}},
      {"TcpClosed", [] { return close(Listening(8080)) == 0; }, {}},
      {"TcpBound",
       [] { return Valid(Bound(SOCK_STREAM, V4(8081))); },
       {{kPort, "tcp 127.0.0.1:8081"}}},
      {"TcpBoundClosed", [] { return close(Bound(SOCK_STREAM, V4(8081))) == 0; }, {}},
      {"TcpTransient",
       [] { return Valid(listen(Bound(SOCK_STREAM, V4(0)), 1)); },
       {{kPort, "tcp 127.0.0.1:*"}}},
      {"Tcp6",
       [] { return Valid(listen(Bound(SOCK_STREAM, V6("::1", 8082)), 1)); },
       {{kPort, "tcp \\[::1\\]:8082"}}},
      {"Tcp6Closed", [] { return close(Bound(SOCK_STREAM, V6("::1", 8082))) == 0; }, {}},
      {"TcpMapped",
       [] { return Valid(listen(Bound(SOCK_STREAM, V6("::ffff:127.0.0.1", 8083)), 1)); },
       {{kPort, "tcp \\[::ffff:127.0.0.1\\]:8083"}}},
      {"TcpOfAnyAddress",
       [] { return Valid(listen(Bound(SOCK_STREAM, V6("::", 8083)), 1)); },
       {{kPort, "tcp \\[::\\]:8083"}}},
      {"Udp", [] { return Valid(Bound(SOCK_DGRAM, V4(5300))); }, {{kPort, "udp 127.0.0.1:5300"}}},
      {"UdpClosed", [] { return close(Bound(SOCK_DGRAM, V4(5353))) == 0; }, {}},
      {"Udp6",
       [] { return Valid(Bound(SOCK_DGRAM, V6("::1", 5354))); },
       {{kPort, "udp \\[::1\\]:5354"}}},
      {"SharedPort",
       [] { return Valid(Listening(8084, SO_REUSEPORT)) && Valid(Listening(8084, SO_REUSEPORT)); },
       {{kPort, "tcp 127.0.0.1:8084"}, {kPort, "tcp 127.0.0.1:8084"}}},
      {"SharedPortHalfClosed",
       [] {
         Listening(8084, SO_REUSEPORT);
         return close(Listening(8084, SO_REUSEPORT)) == 0;
       },
       {{kPort, "tcp 127.0.0.1:8084"}}},
      {"UnixPath",
       [] { return listen(UnixSocket("/tmp/socket"), 1) == 0; },
       {{kPort, "unix /tmp/socket"}, {kFile, "/tmp/socket"}}},
      {"UnixPathClosed",
       [] { return close(UnixSocket("/tmp/socket")) == 0; },
       {{kFile, "/tmp/socket"}}},
      {"UnixPathRemoved",
       [] { return close(UnixSocket("/tmp/socket")) == 0 && unlink("/tmp/socket") == 0; },
       {}},
      {"UnixAbstract",
       [] {
         return listen(UnixSocket({"\0name", 5}), 1) == 0;
       },
       {{kPort, "unix @name"}}},
      {"UnixDatagram",
       [] {
         return Valid(UnixSocket({"\0name", 5}, SOCK_DGRAM));
       },
       {{kPort, "unix @name"}}},
      {"UnixAbstractClosed",
       [] {
         return close(UnixSocket({"\0name", 5})) == 0;
       },
       {}},
      {"Raw",
       [] { return Valid(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); },
       {{kPort, "raw 0.0.0.0 protocol 1"}}},
      {"RawClosed",
       [] {
         close(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
         return true;
       },
       {}},
      {"Packet",
       [] { return Valid(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))); },
       {{kPort, "packet protocol 0x0003 on interface 0"}}},
      {"HeldByChild",
       [] { return Child([] { Listening(8085); }) > 0; },
       {{kPort, "tcp 127.0.0.1:8085"}, {kProcess, "*"}}},
      {"HeldByDaemon",
       [] { return Daemon([] { Listening(8086); }) > 0; },
       {{kPort, "tcp 127.0.0.1:8086"}, {kProcess, "*"}}},
      {"HeldByBoth",
       [] {
         Listening(8087);
         return Child(Nothing) > 0;
       },
       {{kPort, "tcp 127.0.0.1:8087"}, {kProcess, "*"}}},
      {"HeldByChildThatEnded",
       [] {
         End(Child([] { Listening(8085); }));
         return true;
       },
       {}},
      {"HeldByThread",
       [] {
         int end = -1;
         std::thread thread = Waiting(end);
         thread.detach();
         std::thread([] { Listening(8088); }).join();
         return true;
       },
       {{kPort, "tcp 127.0.0.1:8088"}, {kThread, "waiting"}, {kFd, "eventfd"}}},
      {"TimeWait", [] { return ServerClosesFirst(0); }, {{kTimeWait, "tcp 127.0.0.1:8090"}}},
      {"TimeWaitWithReuse", [] { return ServerClosesFirst(SO_REUSEADDR); }, {}},
      {"TimeWaitWithSharedPort", [] { return ServerClosesFirst(SO_REUSEPORT); }, {}},
      // It is the listener's, who is told of.
      {"ListenerBesideTimeWait",
       [] {
         const int server = Listening(8091, SO_REUSEADDR);
         const int client = Connected(8091);
         close(accept(server, nullptr, nullptr));
         return close(client) == 0;
       },
       {{kPort, "tcp 127.0.0.1:8091"}}},
      // It still says a port, and has none any more.
      {"ConnectionRefused", [] { return Valid(Connected(8092)); }, {{kFd, "tcp socket"}}},
      {"TimeWaitOfTheClient", [] { return ClientClosesFirst(); }, {}},
  };
}

std::vector<LeakCase> IpcObjects() {
  return {
      {"Segment",
       [] { return Valid(shmget(0x1234, 100, IPC_CREAT | 0600)); },
       {{kSysv, "shm 0x1234"}}},
      {"SegmentRemoved",
       [] { return shmctl(shmget(0x1234, 100, IPC_CREAT | 0600), IPC_RMID, nullptr) == 0; },
       {}},
      {"PrivateSegment",
       [] { return Valid(shmget(IPC_PRIVATE, 100, 0600)); },
       {{kSysv, "shm id *"}}},
      {"SegmentOfAnother",
       [] { return Valid(shmget(0x1235, 100, IPC_CREAT | 0000)); },
       {{kSysv, "shm 0x1235"}}},
      {"SegmentAttached",
       [] {
         const int segment = shmget(0x1237, 100, IPC_CREAT | 0600);
         return shmat(segment, nullptr, 0) != nullptr && shmctl(segment, IPC_RMID, nullptr) == 0;
       },
       {{kSysv, "shm *"}}},
      {"SegmentDetached",
       [] {
         const int segment = shmget(0x1237, 100, IPC_CREAT | 0600);
         void* const address = shmat(segment, nullptr, 0);
         return shmctl(segment, IPC_RMID, nullptr) == 0 && shmdt(address) == 0;
       },
       {}},
      {"SharedMemoryMapped",
       [] {
         const int memory = shm_open("/mapped", O_CREAT | O_RDWR, 0600);
         return ftruncate(memory, 4096) == 0 && Map(memory) != MAP_FAILED && close(memory) == 0 &&
                shm_unlink("/mapped") == 0;
       },
       {{kPosix, "mapping of /dev/shm/mapped"}}},
      {"MemoryMapped",
       [] {
         const int memory = memfd_create("mapped", 0);
         return ftruncate(memory, 4096) == 0 && Map(memory) != MAP_FAILED && close(memory) == 0;
       },
       {{kPosix, "mapping of memfd:mapped"}}},
      {"MemoryUnmapped",
       [] {
         const int memory = memfd_create("mapped", 0);
         return ftruncate(memory, 4096) == 0 && munmap(Map(memory), 4096) == 0 &&
                close(memory) == 0;
       },
       {}},
      {"Semaphores",
       [] { return Valid(semget(0x77, 3, IPC_CREAT | 0600)); },
       {{kSysv, "sem 0x77"}}},
      {"SemaphoresRemoved",
       [] { return semctl(semget(0x77, 3, IPC_CREAT | 0600), 0, IPC_RMID) == 0; },
       {}},
      {"Messages", [] { return Valid(msgget(0x78, IPC_CREAT | 0600)); }, {{kSysv, "msg 0x78"}}},
      {"MessagesRemoved",
       [] { return msgctl(msgget(0x78, IPC_CREAT | 0600), IPC_RMID, nullptr) == 0; },
       {}},
      {"SegmentOfChildThatEnded",
       [] {
         End(Child([] { (void)shmget(0x1236, 100, IPC_CREAT | 0600); }));
         return true;
       },
       {{kSysv, "shm 0x1236"}}},
      {"Queue",
       [] { return mq_close(mq_open("/queue", O_CREAT | O_RDWR, 0600, nullptr)) == 0; },
       {{kPosix, "mq /queue"}}},
      {"QueueOpen",
       [] {
         return Valid(mq_open("/queue", O_CREAT | O_RDWR, 0600, nullptr)) &&
                mq_unlink("/queue") == 0;
       },
       {{kFd, "/queue (deleted)"}}},
      {"QueueRemoved",
       [] {
         return mq_close(mq_open("/queue", O_CREAT | O_RDWR, 0600, nullptr)) == 0 &&
                mq_unlink("/queue") == 0;
       },
       {}},
      {"SharedMemory",
       [] { return close(shm_open("/memory", O_CREAT | O_RDWR, 0600)) == 0; },
       {{kPosix, "shm /memory"}}},
      {"SharedMemoryRemoved",
       [] {
         return close(shm_open("/memory", O_CREAT | O_RDWR, 0600)) == 0 &&
                shm_unlink("/memory") == 0;
       },
       {}},
      {"Semaphore",
       [] { return sem_close(sem_open("/semaphore", O_CREAT, 0600, 1)) == 0; },
       {{kPosix, "sem /semaphore"}}},
      {"SemaphoreRemoved",
       [] {
         return sem_close(sem_open("/semaphore", O_CREAT, 0600, 1)) == 0 &&
                sem_unlink("/semaphore") == 0;
       },
       {}},
  };
}

std::vector<LeakCase> Processes() {
  return {
      {"ChildAlive", [] { return Child(Nothing) > 0; }, {{kProcess, "*"}}},
      {"ChildUnreaped",
       [] {
         const pid_t child = fork();
         if (child == 0) {
           _exit(0);
         }
         siginfo_t info;
         return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0;
       },
       {{kProcess, "*"}}},
      {"ChildEnded",
       [] {
         End(Child(Nothing));
         return true;
       },
       {}},
      {"DaemonAlive", [] { return Daemon(Nothing) > 0; }, {{kProcess, "*"}}},
      // Nobody can wait for it; it is on its way out.
      {"DaemonKilled", [] { return kill(Daemon(Nothing), SIGKILL) == 0; }, {}},
      {"Grandchild",
       [] { return Child([] { Child(Nothing); }) > 0; },
       {{kProcess, "*"}, {kProcess, "*"}}},
      {"ChildWithNamelessSockets",
       [] {
         int ends[2];
         return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && Child(Nothing) > 0 &&
                close(ends[0]) == 0 && close(ends[1]) == 0;
       },
       {{kProcess, "*"}}},
      {"Program",
       [] {
         if (fork() == 0) {
           execl("/bin/sleep", "sleep", "1000", nullptr);
           _exit(1);
         }
         // Until it is that program.
         return true;
       },
       {{kProcess, "*"}}},
      {"ThreadDetached",
       [] {
         int end = -1;
         Waiting(end).detach();
         return true;
       },
       {{kThread, "waiting"}, {kFd, "eventfd"}}},
      {"ThreadJoined",
       [] {
         int end = -1;
         std::thread thread = Waiting(end);
         eventfd_write(end, 1);
         thread.join();
         return close(end) == 0;
       },
       {}},
      {"ManyThreadsJoined",
       [] {
         std::vector<std::thread> threads;
         for (int i = 0; i < 8; ++i) {
           threads.emplace_back(Nothing);
         }
         for (std::thread& thread : threads) {
           thread.join();
         }
         return true;
       },
       {}},
  };
}

std::vector<LeakCase> Descriptors() {
  return {
      {"File", [] { return Valid(open("/etc/passwd", O_RDONLY)); }, {{kFd, "/etc/passwd"}}},
      {"FileClosed", [] { return close(open("/etc/passwd", O_RDONLY)) == 0; }, {}},
      {"FileOfStdio", [] { return fopen("/etc/passwd", "r") != nullptr; }, {{kFd, "/etc/passwd"}}},
      {"UnlinkedFile",
       [] {
         return Valid(open("/tmp/unlinked", O_CREAT | O_RDWR, 0600)) &&
                unlink("/tmp/unlinked") == 0;
       },
       {{kFd, "/tmp/unlinked (deleted)"}}},
      {"Folder", [] { return Valid(open("/etc", O_RDONLY)); }, {{kFd, "/etc"}}},
      {"Pipe",
       [] {
         int ends[2];
         return pipe(ends) == 0;
       },
       {{kFd, "pipe"}, {kFd, "pipe"}}},
      {"PipeClosed",
       [] {
         int ends[2];
         return pipe(ends) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0;
       },
       {}},
      {"Copy", [] { return Valid(dup(1)); }, {{kFd, "pipe"}}},
      {"Event", [] { return Valid(eventfd(0, 0)); }, {{kFd, "eventfd"}}},
      {"EventClosed", [] { return close(eventfd(0, 0)) == 0; }, {}},
      {"Epoll", [] { return Valid(epoll_create1(0)); }, {{kFd, "epoll"}}},
      {"Timer", [] { return Valid(timerfd_create(CLOCK_MONOTONIC, 0)); }, {{kFd, "timerfd"}}},
      {"Signals",
       [] {
         sigset_t signals;
         sigemptyset(&signals);
         return Valid(signalfd(-1, &signals, 0));
       },
       {{kFd, "signalfd"}}},
      {"Inotify", [] { return Valid(inotify_init()); }, {{kFd, "inotify"}}},
      {"Memory", [] { return Valid(memfd_create("memory", 0)); }, {{kFd, "memfd:memory"}}},
      {"MemoryClosed", [] { return close(memfd_create("memory", 0)) == 0; }, {}},
      {"Ring", [] { return Valid(Ring()); }, {{kFd, "io_uring"}}},
      {"Pair",
       [] {
         int ends[2];
         return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
       },
       {{kFd, "unix socket"}, {kFd, "unix socket"}}},
      {"UnboundSocket",
       [] { return Valid(socket(AF_INET, SOCK_STREAM, 0)); },
       {{kFd, "tcp socket"}}},
      {"Connection",
       [] {
         const int server = Listening(8089);
         Connected(8089);
         close(accept(server, nullptr, nullptr));
         return close(server) == 0;
       },
       {{kFd, "tcp 127.0.0.1:* -> 127.0.0.1:8089"}, {kTimeWait, "tcp 127.0.0.1:8089"}}},
      {"OtherFileInItsPlace",
       [] {
         const int file = open("/etc/passwd", O_RDONLY);
         return dup2(file, 0) == 0 && close(file) == 0;
       },
       {{kFd, "/etc/passwd"}}},
      {"LookUps",
       [] {
         getpwnam("root");
         addrinfo* found = nullptr;
         if (getaddrinfo("localhost", "80", nullptr, &found) == 0) {
           freeaddrinfo(found);
         }
         const time_t now = 0;
         tm local;
         localtime_r(&now, &local);
         return true;
       },
       {}},
      {"UsersListed",
       [] {
         setpwent();
         getpwent();
         endpwent();
         return true;
       },
       {}},
  };
}

std::vector<LeakCase> Files() {
  return {
      {"FileInTmp",
       [] {
         Touch("/tmp/file");
         return true;
       },
       {{kFile, "/tmp/file"}}},
      {"FileRemoved",
       [] {
         Touch("/tmp/file");
         return unlink("/tmp/file") == 0;
       },
       {}},
      {"FileInScratchFolder",
       [] {
         const std::string scratch = getenv("TEST_TMPDIR");
         Touch((scratch + "/in_scratch").c_str());
         return true;
       },
       {{kFile, "*/in_scratch"}}},
      {"FileInSharedMemory",
       [] {
         mkdir("/dev/shm/folder", 0700);
         Touch("/dev/shm/folder/file");
         return true;
       },
       {{kFile, "/dev/shm/folder/file"}}},
      {"Fifo", [] { return mkfifo("/tmp/fifo", 0600) == 0; }, {{kFile, "/tmp/fifo"}}},
      {"Link", [] { return symlink("/nowhere", "/tmp/link") == 0; }, {{kFile, "/tmp/link"}}},
      {"EmptyFolder", [] { return mkdir("/tmp/folder", 0700) == 0; }, {{kFile, "/tmp/folder"}}},
      {"FolderRemoved",
       [] { return mkdir("/tmp/folder", 0700) == 0 && rmdir("/tmp/folder") == 0; },
       {}},
      {"NestedFiles",
       [] {
         mkdir("/var/tmp/a", 0700);
         mkdir("/var/tmp/a/b", 0700);
         Touch("/var/tmp/a/one");
         Touch("/var/tmp/a/b/two");
         return true;
       },
       {{kFile, "/var/tmp/a/one"}, {kFile, "/var/tmp/a/b/two"}}},
  };
}

std::vector<LeakCase> States() {
  return {
      {"WorkingDirectory", [] { return chdir("/etc") == 0; }, {{kState, "working directory"}}},
      {"WorkingDirectoryBack",
       [] {
         char before[4096];
         return getcwd(before, sizeof(before)) != nullptr && chdir("/") == 0 && chdir(before) == 0;
       },
       {}},
      {"Umask",
       [] {
         umask(0123);
         return true;
       },
       {{kState, "umask"}}},
      {"VariableSet", [] { return setenv("LEAK", "1", 1) == 0; }, {{kState, "variable LEAK"}}},
      {"VariableUnset", [] { return unsetenv("PATH") == 0; }, {{kState, "variable PATH"}}},
      {"VariableChanged",
       [] { return setenv("PATH", "/bin", 1) == 0; },
       {{kState, "variable PATH"}}},
      {"VariableBack", [] { return setenv("LEAK", "1", 1) == 0 && unsetenv("LEAK") == 0; }, {}},
      {"SignalBlocked",
       [] {
         sigset_t signals;
         sigemptyset(&signals);
         sigaddset(&signals, SIGUSR1);
         return sigprocmask(SIG_BLOCK, &signals, nullptr) == 0;
       },
       {{kState, "blocked signals"}}},
      {"SignalIgnored", [] { return signal(SIGUSR1, SIG_IGN) != SIG_ERR; }, {{kState, "SIGUSR1"}}},
      {"SignalHandled",
       [] { return signal(SIGUSR2, [](int) {}) != SIG_ERR; },
       {{kState, "SIGUSR2"}}},
      {"SignalBack",
       [] { return signal(SIGUSR1, SIG_IGN) != SIG_ERR && signal(SIGUSR1, SIG_DFL) == SIG_IGN; },
       {}},
      {"Limit",
       [] {
         rlimit limit;
         getrlimit(RLIMIT_NOFILE, &limit);
         --limit.rlim_cur;
         return setrlimit(RLIMIT_NOFILE, &limit) == 0;
       },
       {{kState, "limit NOFILE"}}},
      {"HostName", [] { return sethostname("other", 5) == 0; }, {{kState, "host name"}}},
      {"Alarm",
       [] {
         alarm(1000);
         return true;
       },
       {{kState, "timer REAL (alarm)"}}},
      {"AlarmOff",
       [] {
         alarm(1000);
         alarm(0);
         return true;
       },
       {}},
      {"PosixTimer",
       [] {
         timer_t timer;
         return timer_create(CLOCK_MONOTONIC, nullptr, &timer) == 0;
       },
       {{kState, "POSIX timer *"}}},
      {"PosixTimerDeleted",
       [] {
         timer_t timer;
         return timer_create(CLOCK_MONOTONIC, nullptr, &timer) == 0 && timer_delete(timer) == 0;
       },
       {}},
      {"StandardInputClosed", [] { return close(0) == 0; }, {{kState, "descriptor 0"}}},
      {"Nothing", [] { return true; }, {}},
  };
}

}  // namespace

const std::vector<LeakCase>& Catalogue() {
  static const auto* const kCatalogue = [] {
    auto* cases = new std::vector<LeakCase>;
    for (const auto& part :
         {Ports(), IpcObjects(), Processes(), Descriptors(), Files(), States()}) {
      cases->insert(cases->end(), part.begin(), part.end());
    }
    return cases;
  }();
  return *kCatalogue;
}

}  // namespace isolate
