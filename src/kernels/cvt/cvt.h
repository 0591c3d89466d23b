/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cvt.h - half and bfloat16 to and from f32
 *
 * Shapes:  x[n] -> y[n]
 * Layout:  contiguous, element alignment
 * Numeric: exact on every ISA: narrowing rounds to nearest, ties to even, too
 *          large becomes infinity, denormals are kept. A NaN stays a NaN with
 *          the upper bits of its payload and is made quiet, except that
 *          bfloat16 to f32 moves bits.
 * Aliases: none
 * Threads: any
 * Source:  IEEE 754-2019 binary16; bfloat16 is the upper half of binary32
 */
#ifndef TN_SRC_KERNELS_CVT_H
#define TN_SRC_KERNELS_CVT_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

typedef void (*tni_cvt_widen_fn)(const uint16_t *x, float *y, size_t n);
typedef void (*tni_cvt_narrow_fn)(const float *x, uint16_t *y, size_t n);

typedef struct tni_cvt_kernels {
    tni_cvt_widen_fn f32_from_f16, f32_from_bf16;
    tni_cvt_narrow_fn f16_from_f32, bf16_from_f32;
} tni_cvt_kernels;

void tni_cvt_init(tni_cvt_kernels *k, uint32_t isa);

#define TN_CVT_KERNEL(isa, from_f16, from_bf16, to_f16, to_bf16)               \
    void from_f16(const uint16_t *x, float *y, size_t n);                      \
    void from_bf16(const uint16_t *x, float *y, size_t n);                     \
    void to_f16(const float *x, uint16_t *y, size_t n);                        \
    void to_bf16(const float *x, uint16_t *y, size_t n);
#include "kernels/cvt/cvt.def"
#undef TN_CVT_KERNEL

#endif
