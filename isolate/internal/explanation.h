#ifndef ISOLATE_INTERNAL_EXPLANATION_H_
#define ISOLATE_INTERNAL_EXPLANATION_H_

#include "isolate/internal/restrictions.h"
#include "isolate/setup_failure.h"

namespace isolate::internal {

// Why a step failed, where it is known what restricts the process that made it: one errno has many
// causes.  Where none of them is to be seen, what the step and its errno alone say.  Pure.
Explanation Explain(const SetupFailure& failure, const Restrictions& restrictions);

}  // namespace isolate::internal

#endif  // ISOLATE_INTERNAL_EXPLANATION_H_
