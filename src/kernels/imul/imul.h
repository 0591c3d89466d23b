/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imul.h - tiles of a product of 16-bit integers, summed in 32 bits
 *
 * Shapes:  acc[rows][64] = sum over 2 * pairs terms of a * b, 1 <= rows <= 4
 * Layout:  a[pairs][4][2] and b[pairs][64][2]: neighbours of k lie together, as
 *          multiply-add instructions want them; an odd last term is zero
 * Numeric: exact, the same bits on every ISA; |a| and |b| at most 510, so that
 *          a pair's sum cannot overflow; sums wrap around
 * Aliases: none
 * Threads: any
 */
#ifndef TN_SRC_KERNELS_IMUL_H
#define TN_SRC_KERNELS_IMUL_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

enum { TNI_IMUL_ROWS = 4, TNI_IMUL_COLS = 64 };

typedef void (*tni_imul_tile_fn)(int32_t *acc, const int16_t *a,
                                 const int16_t *b, size_t pairs, int rows);

typedef struct tni_imul_kernels {
    tni_imul_tile_fn tile;
} tni_imul_kernels;

void tni_imul_init(tni_imul_kernels *k, uint32_t isa);

#define TN_IMUL_KERNEL(isa, fn)                                                \
    void fn(int32_t *acc, const int16_t *a, const int16_t *b, size_t pairs,    \
            int rows);
#include "kernels/imul/imul.def"
#undef TN_IMUL_KERNEL

#endif
