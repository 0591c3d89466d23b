/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transpose_tmpl.h - whole T_SIDE squares by vectors, edges element by element
 *
 * The including file defines T_SIDE and has v_square(). Columns are taken 64 at
 * a time, so that the lines being written stay in L1 while the rows that share
 * them pass by.
 */
#ifndef TN_SRC_KERNELS_TRANSPOSE_TMPL_H
#define TN_SRC_KERNELS_TRANSPOSE_TMPL_H

#include "kernels/transpose/transpose.h"

TN_INLINE void t_square(const float *x, size_t ldx, float *y, size_t ldy)
{
    vf a[T_SIDE];
    for (size_t i = 0; i < T_SIDE; i++) a[i] = v_load(x + i * ldx);
    v_square(a);
    for (size_t i = 0; i < T_SIDE; i++) v_store(y + i * ldy, a[i]);
}

static void t_edge(const float *from, size_t ldx, float *to, size_t ldy,
                   size_t rows, size_t cols)
{
    for (size_t j = 0; j < cols; j++)
        for (size_t i = 0; i < rows; i++) to[j * ldy + i] = from[i * ldx + j];
}

void TNI_FN(tni_transpose_b4)(const void *x, size_t ldx, void *y, size_t ldy,
                              size_t rows, size_t cols)
{
    const float *from = x;
    float *to = y;
    for (size_t j0 = 0; j0 < cols; j0 += 64) {
        const size_t j1 = cols - j0 < 64 ? cols : j0 + 64;
        size_t i = 0;
        for (; i + T_SIDE <= rows; i += T_SIDE) {
            size_t j = j0;
            for (; j + T_SIDE <= j1; j += T_SIDE)
                t_square(from + i * ldx + j, ldx, to + j * ldy + i, ldy);
            t_edge(from + i * ldx + j, ldx, to + j * ldy + i, ldy, T_SIDE,
                   j1 - j);
        }
        t_edge(from + i * ldx + j0, ldx, to + j0 * ldy + i, ldy, rows - i,
               j1 - j0);
    }
}

#endif
