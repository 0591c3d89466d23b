/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transpose.h - turn rows into columns
 *
 * Shapes:  x[rows][cols], row i at x + i * ldx -> y[cols][rows], ldy
 * Layout:  ldx >= cols, ldy >= rows, in elements; element alignment
 * Numeric: exact: moves bytes
 * Aliases: none
 * Threads: any
 * Source:  ONNX Transpose
 */
#ifndef TN_SRC_KERNELS_TRANSPOSE_H
#define TN_SRC_KERNELS_TRANSPOSE_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

typedef void (*tni_transpose_fn)(const void *x, size_t ldx, void *y, size_t ldy,
                                 size_t rows, size_t cols);

typedef struct tni_transpose_kernels {
    tni_transpose_fn b1, b2, b4, b8; /* by bytes of an element */
} tni_transpose_kernels;

void tni_transpose_init(tni_transpose_kernels *k, uint32_t isa);

#define TN_TRANSPOSE_KERNEL(isa, bytes, fn)                                    \
    void fn(const void *x, size_t ldx, void *y, size_t ldy, size_t rows,       \
            size_t cols);
#include "kernels/transpose/transpose.def"
#undef TN_TRANSPOSE_KERNEL

#endif
