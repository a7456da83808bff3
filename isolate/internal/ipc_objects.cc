#include "isolate/internal/ipc_objects.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>

#include "isolate/internal/directory.h"
#include "isolate/internal/evidence.h"
#include "isolate/internal/raw.h"

namespace isolate::internal {
namespace {

// Of the kernel's own ipc/mqueue.c, in no header.
constexpr long kMqueueMagic = 0x19800202;

union SemaphoreArgument {
  semid_ds* status;
  seminfo* info;
};

struct SysvObject {
  const char* type;
  int id;
  const ipc_perm& permissions;
  uint64_t size;
  uint64_t attached;
  pid_t creator;
};

void Tell(const SysvObject& object, EvidenceWriter& evidence) {
  evidence.Begin(EvidenceType::kSysv)
      .String(object.type)
      .U32(static_cast<uint32_t>(object.id))
      .EndKey()
      .U32(static_cast<uint32_t>(object.permissions.__key))
      .U64(object.size)
      .U32(object.permissions.mode)
      .U64(object.attached)
      .U32(object.permissions.cuid)
      .U32(static_cast<uint32_t>(object.creator))
      .End();
}

// Each of the three "INFO" calls gives the highest index that is in use, and -1 on failure; what
// stands at an index, the STAT_ANY call says, whoever may read it (Linux 4.17).
void TellSegments(EvidenceWriter& evidence) {
  shm_info info;
  const int last = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&info));
  for (int i = 0; i <= last && info.used_ids > 0; ++i) {
    shmid_ds segment;
    const int id = shmctl(i, SHM_STAT_ANY, &segment);
    if (id >= 0) {
      Tell({"shm", id, segment.shm_perm, segment.shm_segsz, segment.shm_nattch, segment.shm_cpid},
           evidence);
    }
  }
}

void TellSemaphores(EvidenceWriter& evidence) {
  seminfo info;
  SemaphoreArgument argument;
  argument.info = &info;
  const int last = semctl(0, 0, SEM_INFO, argument);
  for (int i = 0; i <= last && info.semusz > 0; ++i) {
    semid_ds set;
    argument.status = &set;
    const int id = semctl(i, 0, SEM_STAT_ANY, argument);
    if (id >= 0) {
      Tell({"sem", id, set.sem_perm, set.sem_nsems, 0, 0}, evidence);
    }
  }
}

void TellMessageQueues(EvidenceWriter& evidence) {
  msginfo info;
  const int last = msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&info));
  for (int i = 0; i <= last && info.msgpool > 0; ++i) {
    msqid_ds queue;
    const int id = msgctl(i, MSG_STAT_ANY, &queue);
    if (id >= 0) {
      Tell({"msg", id, queue.msg_perm, queue.msg_qnum, 0, 0}, evidence);
    }
  }
}

// A mount of the namespace's queues: /dev/mqueue, if that is one, or one of our own; -1 if none can
// be had.
int OpenQueues() {
  struct statfs there;
  const int mounted = open("/dev/mqueue", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (mounted >= 0 && fstatfs(mounted, &there) == 0 && there.f_type == kMqueueMagic) {
    return mounted;
  }
  if (mounted >= 0) {
    close(mounted);
  }
  return raw::MountDetached("mqueue");
}

void TellQueue(int folder, const char* name, bool sizes, EvidenceWriter& evidence) {
  struct stat status = {};
  fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW);
  // How many bytes its messages have: "QSIZE:129 NOTIFY:..." (mq_overview(7)).
  char text[128] = "";
  if (sizes) {
    ReadFile(folder, name, text, sizeof(text));
  }
  const char* size = strstr(text, "QSIZE:");
  evidence.Begin(EvidenceType::kQueue)
      .String(name)
      .EndKey()
      .U64(size != nullptr ? strtoull(size + strlen("QSIZE:"), nullptr, 10) : 0)
      .U32(status.st_uid)
      .End();
}

}  // namespace

void TellSysvObjects(EvidenceWriter& evidence) {
  TellSegments(evidence);
  TellSemaphores(evidence);
  TellMessageQueues(evidence);
}

void TellQueues(bool sizes, EvidenceWriter& evidence) {
  const int mount = OpenQueues();
  if (mount < 0) {
    return;
  }
  {
    Directory queues(mount, ".");
    while (const char* name = queues.Next()) {
      TellQueue(mount, name, sizes, evidence);
    }
  }
  close(mount);
}

bool HasNoQueues(int queues) {
  Directory folder(queues);
  return queues >= 0 && folder.Next() == nullptr;
}

}  // namespace isolate::internal
