/* SPDX-License-Identifier: Apache-2.0 */
/* transpose_ref.c - transposition in plain C, in squares that stay in L1 */
#include "kernels/transpose/transpose.h"

enum { square = 32, few = 8 };

#define TRANSPOSE(name, T)                                                     \
    void name(const void *x, size_t ldx, void *y, size_t ldy, size_t rows,     \
              size_t cols)                                                     \
    {                                                                          \
        const T *from = x;                                                     \
        T *to = y;                                                             \
        if (rows < few) { /* the channels of an image: one at a time */        \
            for (size_t i = 0; i < rows; i++)                                  \
                for (size_t j = 0; j < cols; j++)                              \
                    to[j * ldy + i] = from[i * ldx + j];                       \
            return;                                                            \
        }                                                                      \
        for (size_t i0 = 0; i0 < rows; i0 += square) {                         \
            const size_t i1 = rows - i0 < square ? rows : i0 + square;         \
            for (size_t j0 = 0; j0 < cols; j0 += square) {                     \
                const size_t j1 = cols - j0 < square ? cols : j0 + square;     \
                for (size_t j = j0; j < j1; j++)                               \
                    for (size_t i = i0; i < i1; i++)                           \
                        to[j * ldy + i] = from[i * ldx + j];                   \
            }                                                                  \
        }                                                                      \
    }
TRANSPOSE(tni_transpose_b1__ref, uint8_t)
TRANSPOSE(tni_transpose_b2__ref, uint16_t)
TRANSPOSE(tni_transpose_b4__ref, uint32_t)
TRANSPOSE(tni_transpose_b8__ref, uint64_t)
