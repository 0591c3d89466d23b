/* SPDX-License-Identifier: Apache-2.0 */
/* num_fast.h - decimals of ordinary size by 128-bit integers, exactly */
#ifndef TN_SRC_BASE_NUM_FAST_H
#define TN_SRC_BASE_NUM_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* mag * 10^exp, correctly rounded; false outside -27 <= exp <= 27. */
bool tni_num_scale10(double *out, uint64_t mag, int exp);

#endif
