/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reduce.h - one number from an f32 array, or one row from many rows
 *
 * Shapes:  row:  x[n] -> the result
 *          rows: x[m][n], row i at x + i * stride -> y[n], over i
 * Layout:  float alignment; stride in elements, stride >= n
 * Numeric: the order of operations depends on n (row) or m (rows) alone and is
 *          the same on every ISA: same bits everywhere, the reference
 *          included. row: element i belongs to partial result i % 32, each
 *          taken in order of i; partial results are then joined as j and
 *          j + 16, j + 8, j + 4, j + 2, j + 1. The error of a sum is at most
 *          (n / 32 + 5) u sum |x|. rows: in order of i.
 *          Products and squares are rounded before they are added.
 *          MAX and MIN give NaN when an element is NaN; the sign of a zero
 *          result is unspecified but the same everywhere.
 *          Empty: SUM... 0, PROD 1, MAX -infinity, MIN +infinity.
 * Aliases: y must not overlap x
 * Threads: any
 * Source:  ONNX Reduce*
 */
#ifndef TN_SRC_KERNELS_REDUCE_H
#define TN_SRC_KERNELS_REDUCE_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

typedef enum tni_reduce_op {
    TNI_REDUCE_MAX,
    TNI_REDUCE_MIN,
    TNI_REDUCE_PROD,
    TNI_REDUCE_SUM,
    TNI_REDUCE_SUMABS,
    TNI_REDUCE_SUMSQ,
    TNI_N_REDUCE
} tni_reduce_op;

typedef float (*tni_reduce_row_fn)(const float *x, size_t n);
typedef void (*tni_reduce_rows_fn)(const float *x, float *y, size_t m, size_t n,
                                   size_t stride);

typedef struct tni_reduce_kernels {
    tni_reduce_row_fn row[TNI_N_REDUCE];
    tni_reduce_rows_fn rows[TNI_N_REDUCE];
} tni_reduce_kernels;

void tni_reduce_init(tni_reduce_kernels *k, uint32_t isa);

#define TN_REDUCE_KERNEL(isa, op, row, rows)                                   \
    float row(const float *x, size_t n);                                       \
    void rows(const float *x, float *y, size_t m, size_t n, size_t stride);
#include "kernels/reduce/reduce.def"
#undef TN_REDUCE_KERNEL

#endif
