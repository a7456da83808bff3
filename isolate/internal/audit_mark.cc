#include "isolate/internal/audit_mark.h"

#include <errno.h>
#include <sys/prctl.h>

#include <cstdint>

namespace isolate::internal {
namespace {

uint64_t& Token() {
  static uint64_t token = 0;
  return token;
}

void Mark(AuditMark mark, uint32_t number) {
  if (Token() != 0) {
    const int error = errno;
    prctl(kAuditOption, static_cast<unsigned long>(mark), static_cast<unsigned long>(number),
          static_cast<unsigned long>(Token()), 0UL);
    errno = error;
  }
}

}  // namespace

void SetAuditToken(uint64_t token) { Token() = token; }

uint64_t AuditToken() { return Token(); }

void MarkStretch(uint32_t stretch) { Mark(AuditMark::kStretch, stretch); }

ScopedAside::ScopedAside() { Mark(AuditMark::kAside, 0); }

ScopedAside::~ScopedAside() { Mark(AuditMark::kBack, 0); }

}  // namespace isolate::internal
