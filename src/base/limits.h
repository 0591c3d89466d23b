/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - a caller's limits with the defaults filled in */
#ifndef TN_SRC_BASE_LIMITS_H
#define TN_SRC_BASE_LIMITS_H

#include "tenon/base.h"

/* Copies what `in` (NULL: nothing) has within its struct_size; every member
 * that is 0 or missing gets its default. */
void tni_limits_fill(tn_limits *out, const tn_limits *in);

#endif
