/* SPDX-License-Identifier: Apache-2.0 */
/* quant_tmpl.h - 8-bit conversions over the vocabulary of simd_*.h */
#ifndef TN_SRC_KERNELS_QUANT_TMPL_H
#define TN_SRC_KERNELS_QUANT_TMPL_H

#include "kernels/quant/quant.h"

TN_INLINE vi q_quantize(vf v, vf scale, vf zero_point, vf lo, vf hi)
{
    const vf q = v_add(v_round(v_div(v, scale)), zero_point);
    return v_toint(v_min(v_max(q, lo), hi));
}

/* The tail goes through a whole vector of temporaries. */
#define QUANTIZE(name, T, lo, hi)                                              \
    void TNI_FN(name)(const float *x, T *y, size_t n, float scale,             \
                      int zero_point)                                          \
    {                                                                          \
        const vf s = v_set1(scale), z = v_set1((float)zero_point);             \
        const vf l = v_set1(lo), h = v_set1(hi);                               \
        uint8_t *to = (uint8_t *)y;                                            \
        size_t i = 0;                                                          \
        for (; i + VW <= n; i += VW)                                           \
            vi_store_u8(to + i, q_quantize(v_load(x + i), s, z, l, h));        \
        if (i == n) return;                                                    \
        TN_ALIGNED(64) uint8_t t[VW];                                          \
        vi_store_u8(t, q_quantize(v_load_n(x + i, n - i), s, z, l, h));        \
        for (size_t j = 0; i + j < n; j++) to[i + j] = t[j];                   \
    }
#define DEQUANTIZE(name, T, load)                                              \
    void TNI_FN(name)(const T *x, float *y, size_t n, float scale,             \
                      int zero_point)                                          \
    {                                                                          \
        const vf s = v_set1(scale);                                            \
        const vi z = vi_set1(zero_point);                                      \
        size_t i = 0;                                                          \
        for (; i + VW <= n; i += VW)                                           \
            v_store(y + i, v_mul(vi_float(vi_sub(load(x + i), z)), s));        \
        if (i == n) return;                                                    \
        T t[VW] = {0};                                                         \
        for (size_t j = 0; i + j < n; j++) t[j] = x[i + j];                    \
        v_store_n(y + i, v_mul(vi_float(vi_sub(load(t), z)), s), n - i);       \
    }
QUANTIZE(tni_u8_from_f32, uint8_t, 0.0f, 255.0f)
QUANTIZE(tni_s8_from_f32, int8_t, -128.0f, 127.0f)
DEQUANTIZE(tni_f32_from_u8, uint8_t, vi_load_u8)
DEQUANTIZE(tni_f32_from_s8, int8_t, vi_load_s8)

TN_INLINE vi q_add(vi a, vi b, vf ra, vf rb, vf fixed, vf lo, vf hi)
{
    const vf v = v_fma(ra, vi_float(a), v_fma(rb, vi_float(b), fixed));
    return v_toint(v_min(v_max(v, lo), hi));
}

#define QUANTIZED_ADD(name, T, load, lo, hi)                                   \
    void TNI_FN(name)(const T *a, const T *b, T *y, size_t n, float ra,        \
                      float rb, float fixed)                                   \
    {                                                                          \
        const vf p = v_set1(ra), q = v_set1(rb), f = v_set1(fixed);            \
        const vf l = v_set1(lo), h = v_set1(hi);                               \
        uint8_t *to = (uint8_t *)y;                                            \
        size_t i = 0;                                                          \
        for (; i + VW <= n; i += VW)                                           \
            vi_store_u8(to + i,                                                \
                        q_add(load(a + i), load(b + i), p, q, f, l, h));       \
        if (i == n) return;                                                    \
        T s[VW] = {0}, t[VW] = {0};                                            \
        TN_ALIGNED(64) uint8_t u[VW];                                          \
        for (size_t j = 0; i + j < n; j++) {                                   \
            s[j] = a[i + j];                                                   \
            t[j] = b[i + j];                                                   \
        }                                                                      \
        vi_store_u8(u, q_add(load(s), load(t), p, q, f, l, h));                \
        for (size_t j = 0; i + j < n; j++) to[i + j] = u[j];                   \
    }
QUANTIZED_ADD(tni_add_u8, uint8_t, vi_load_u8, 0.0f, 255.0f)
QUANTIZED_ADD(tni_add_s8, int8_t, vi_load_s8, -128.0f, 127.0f)
#undef QUANTIZED_ADD
#undef QUANTIZE
#undef DEQUANTIZE

#endif
