/* SPDX-License-Identifier: Apache-2.0 */
/* num_fast.h - decimals of ordinary size by 128-bit integers, exactly */
#ifndef TN_SRC_BASE_NUM_FAST_H
#define TN_SRC_BASE_NUM_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads [-]digits[.digits] at the start of [text, end) when it is short enough
 * for one division of exact numbers and no exponent follows; the end of what
 * was read, or NULL: then it may still be a number. */
const char *tni_num_plain(double *out, const char *text, const char *end);

/* mag * 10^exp, correctly rounded; false outside -27 <= exp <= 27. */
bool tni_num_scale10(double *out, uint64_t mag, int exp);

#endif
