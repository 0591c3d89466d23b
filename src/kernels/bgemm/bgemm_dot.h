/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_dot.h - VDPBF16PS on one element, in plain C */
#ifndef TN_SRC_KERNELS_BGEMM_BGEMM_DOT_H
#define TN_SRC_KERNELS_BGEMM_BGEMM_DOT_H

#include "base/float_bits.h"

#include <math.h>

/* A denormal is read, and put down, as a zero of its sign. */
static inline float tni_bf16_flush(float x)
{
    const uint32_t u = tni_f32_bits(x);
    return (u & 0x7f800000u) == 0 ? tni_bits_f32(u & 0x80000000u) : x;
}

static inline float tni_bf16_fma(float sum, uint32_t a, uint32_t b)
{
    const float x = tni_bf16_flush(tni_bits_f32(a));
    const float y = tni_bf16_flush(tni_bits_f32(b));
    return tni_bf16_flush(fmaf(x, y, tni_bf16_flush(sum)));
}

/* The sum after a pair of terms, the upper one first. */
static inline float tni_bf16_dot2(float sum, float a, float b)
{
    const uint32_t x = tni_f32_bits(a), y = tni_f32_bits(b);
    sum = tni_bf16_fma(sum, x & 0xffff0000u, y & 0xffff0000u);
    return tni_bf16_fma(sum, x << 16, y << 16);
}

#endif
