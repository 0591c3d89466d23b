/* SPDX-License-Identifier: Apache-2.0 */
/* sizes.h - how kernels' drivers cut sizes */
#ifndef TN_SRC_KERNELS_SIZES_H
#define TN_SRC_KERNELS_SIZES_H

#include <stddef.h>

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline size_t ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* The next multiple of b. */
static inline size_t round_up(size_t a, size_t b)
{
    return ceil_div(a, b) * b;
}

#endif
