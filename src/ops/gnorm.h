/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gnorm.h - normalisation of channel groups: Instance- and GroupNormalization
 *
 * Shapes:  x[N, C, D1 … Dk], statistics over C/groups channels and all D;
 *          scale and bias [C], or [groups] in GroupNormalization 18
 * Numeric: population variance in two passes; sums accumulate in double
 */
#ifndef TN_SRC_OPS_GNORM_H
#define TN_SRC_OPS_GNORM_H

#include "ops/infer.h"

/* groups 0: as many as channels (InstanceNormalization). */
tn_status tni_gnorm_infer(tni_infer *c, int64_t groups, bool per_group);
tn_status tni_gnorm_ref(tni_ref *c, int64_t groups, bool per_group);
tn_status tni_gnorm_plan(tni_plan *c, int64_t groups, bool per_group);

#endif
