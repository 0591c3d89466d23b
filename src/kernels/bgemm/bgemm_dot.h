/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_dot.h - VDPBF16PS on one element, in plain C */
#ifndef TN_SRC_KERNELS_BGEMM_BGEMM_DOT_H
#define TN_SRC_KERNELS_BGEMM_BGEMM_DOT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t tni_pair_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float tni_pair_value(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* A denormal is read, and put down, as a zero of its sign. */
static inline float tni_bf16_flush(float x)
{
    const uint32_t u = tni_pair_bits(x);
    return (u & 0x7f800000u) == 0 ? tni_pair_value(u & 0x80000000u) : x;
}

static inline float tni_bf16_fma(float sum, uint32_t a, uint32_t b)
{
    const float x = tni_bf16_flush(tni_pair_value(a));
    const float y = tni_bf16_flush(tni_pair_value(b));
    return tni_bf16_flush(fmaf(x, y, tni_bf16_flush(sum)));
}

/* The sum after a pair of terms, the upper one first. */
static inline float tni_bf16_dot2(float sum, float a, float b)
{
    const uint32_t x = tni_pair_bits(a), y = tni_pair_bits(b);
    sum = tni_bf16_fma(sum, x & 0xffff0000u, y & 0xffff0000u);
    return tni_bf16_fma(sum, x << 16, y << 16);
}

#endif
