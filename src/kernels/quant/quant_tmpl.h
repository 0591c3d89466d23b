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
#undef QUANTIZE
#undef DEQUANTIZE

#endif
