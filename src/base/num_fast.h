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

/*
 * Reads numbers of at most seven digits before the point and eight behind it,
 * none of them with a sign or an exponent and each with `separator` behind it
 * (and then one space, if there is one), up to the first that is anything else.
 * How many went to `out`, at most `cap`; *text is moved behind their separators.
 */
size_t tni_num_list(double *out, size_t cap, const char **text, const char *end,
                    char separator);

/*
 * Past numbers of digits and at most one point between them, at most 63
 * characters each and with one space behind, as far as they go: what the reader
 * of numbers would take, without reading them. *n grows by how many they were;
 * the last of a text may be left.
 */
const char *tni_num_pass(const char *text, const char *end, size_t *n);

/* mag * 10^exp, correctly rounded; false outside -27 <= exp <= 27. */
bool tni_num_scale10(double *out, uint64_t mag, int exp);

#endif
