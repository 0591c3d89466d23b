/* SPDX-License-Identifier: Apache-2.0 */
/* checked.h - arithmetic on numbers that came from outside; true on success */
#ifndef TN_SRC_BASE_CHECKED_H
#define TN_SRC_BASE_CHECKED_H

#include "base/config.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool tni_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool tni_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool tni_mul_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool tni_add_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool tni_sub_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_sub_overflow(a, b, out);
}

static inline bool tni_to_int(int64_t v, int *out)
{
    if (v < INT_MIN || v > INT_MAX) return false;
    *out = (int)v;
    return true;
}

static inline bool tni_to_size(int64_t v, size_t *out)
{
    if (v < 0 || (uint64_t)v > SIZE_MAX) return false;
    *out = (size_t)v;
    return true;
}

/* Rounds up to a multiple of `align`, a power of two. */
static inline bool tni_align_up(size_t v, size_t align, size_t *out)
{
    size_t sum = 0;
    if (!tni_add_size(v, align - 1, &sum)) return false;
    *out = sum & ~(align - 1);
    return true;
}

#endif
