/* SPDX-License-Identifier: Apache-2.0 */
/* cvt_ref.c - conversions of 16-bit floats in plain C */
#include "kernels/cvt/cvt.h"

#include <string.h>

static float from_bits(uint32_t u)
{
    float f = 0;
    memcpy(&f, &u, 4);
    return f;
}

static uint32_t to_bits(float f)
{
    uint32_t u = 0;
    memcpy(&u, &f, 4);
    return u;
}

static float widen(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t exp = (h >> 10) & 31u, frac = h & 0x3ffu;
    if (exp == 31) {
        const uint32_t quiet = frac != 0 ? 0x400000u : 0;
        return from_bits(sign | 0x7f800000u | frac << 13 | quiet);
    }
    if (exp != 0) return from_bits(sign | (exp + 112) << 23 | frac << 13);
    const float f = (float)frac * 0x1p-24f; /* exact */
    return from_bits(to_bits(f) | sign);
}

static uint16_t narrow(float f)
{
    const uint32_t u = to_bits(f), sign = u >> 16 & 0x8000u;
    const uint32_t a = u & 0x7fffffffu;
    uint32_t r = 0;
    if (a > 0x7f800000u) {
        r = 0x7e00u | (a >> 13 & 0x3ffu);
    } else if (a >= 0x477ff000u) { /* 65520 rounds to infinity */
        r = 0x7c00u;
    } else if (a >= 0x38800000u) { /* 2^-14, the least normal half */
        const uint32_t b = a - (112u << 23);
        r = (b + 0xfffu + (b >> 13 & 1u)) >> 13;
    } else {
        /* Adding 1/2 leaves the value, rounded to 2^-24, in the low bits. */
        r = to_bits(from_bits(a) + 0.5f) - 0x3f000000u;
    }
    return (uint16_t)(sign | r);
}

void tni_f32_from_f16__ref(const uint16_t *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = widen(x[i]);
}

void tni_f32_from_bf16__ref(const uint16_t *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)x[i] << 16;
        memcpy(&y[i], &u, 4); /* no float operation: signalling NaNs pass */
    }
}

void tni_f16_from_f32__ref(const float *x, uint16_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = narrow(x[i]);
}

void tni_bf16_from_f32__ref(const float *x, uint16_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = to_bits(x[i]);
        const uint32_t r = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
        const int nan = (u & 0x7fffffffu) > 0x7f800000u;
        y[i] = (uint16_t)(nan != 0 ? u >> 16 | 0x40u : r);
    }
}
