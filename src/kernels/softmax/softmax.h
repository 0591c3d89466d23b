/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax.h - softmax and its logarithm over contiguous rows or over columns
 *
 * Shapes:  rows: x[m][n] -> y[m][n], each row normalised over its n elements
 *          cols: x[n][m] -> y[n][m], row k at x + k * ld, each column
 *          normalised over its n rows
 * Layout:  rows contiguous; ld >= m, in elements; float alignment
 * Numeric: a row's (column's) result depends on its own values alone.
 *          softmax: relative error <= (n / 32 + 16) u (rows), (n + 16) u
 *          (cols); log: absolute error <= that + 4 u max|y|. The largest
 *          element is subtracted first. Sums of rows are in the order of
 *          reduce.h. Same bits in all rows of the table but the reference.
 *          A NaN or +infinity in a row makes its results NaN; a row of
 *          -infinity is NaN, as the definition has it.
 * Aliases: y == x is allowed
 * Threads: any
 * Source:  ONNX Softmax, LogSoftmax
 */
#ifndef TN_SRC_KERNELS_SOFTMAX_H
#define TN_SRC_KERNELS_SOFTMAX_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

typedef enum tni_softmax_op {
    TNI_SOFTMAX,
    TNI_LOG_SOFTMAX,
    TNI_N_SOFTMAX
} tni_softmax_op;

typedef void (*tni_softmax_fn)(const float *x, float *y, size_t m, size_t n);
typedef void (*tni_softmax_cols_fn)(const float *x, float *y, size_t m,
                                    size_t n, size_t ld);

typedef struct tni_softmax_kernels {
    tni_softmax_fn rows[TNI_N_SOFTMAX];      /* m rows of n */
    tni_softmax_cols_fn cols[TNI_N_SOFTMAX]; /* m columns of n */
} tni_softmax_kernels;

void tni_softmax_init(tni_softmax_kernels *k, uint32_t isa);

#define TN_SOFTMAX_KERNEL(isa, op, rows, cols)                                 \
    void rows(const float *x, float *y, size_t m, size_t n);                   \
    void cols(const float *x, float *y, size_t m, size_t n, size_t ld);
#include "kernels/softmax/softmax.def"
#undef TN_SOFTMAX_KERNEL

#endif
