/* SPDX-License-Identifier: Apache-2.0 */
/* cvt_tmpl.h - conversions of 16-bit floats over the vocabulary of simd_*.h */
#ifndef TN_SRC_KERNELS_CVT_TMPL_H
#define TN_SRC_KERNELS_CVT_TMPL_H

#include "kernels/cvt/cvt.h"

TN_INLINE vf c_load_bf16(const uint16_t *p)
{
    return v_frombits(vi_shl16(vi_load_u16(p)));
}

TN_INLINE void c_store_bf16(uint16_t *p, vf v)
{
    const vi u = v_bits(v), odd = vi_and(vi_shr16(u), vi_set1(1));
    const vi r = vi_shr16(vi_add(u, vi_add(odd, vi_set1(0x7fff))));
    const vi nan = vi_or(vi_shr16(u), vi_set1(0x40));
    vi_store_u16(p, vi_select(v_isnan(v), nan, r));
}

/* The tail goes through a whole vector of temporaries. */
#define WIDEN(name, load)                                                      \
    void TNI_FN(name)(const uint16_t *x, float *y, size_t n)                   \
    {                                                                          \
        size_t i = 0;                                                          \
        for (; i + VW <= n; i += VW) v_store(y + i, load(x + i));              \
        if (i == n) return;                                                    \
        uint16_t t[VW] = {0};                                                  \
        for (size_t j = 0; i + j < n; j++) t[j] = x[i + j];                    \
        v_store_n(y + i, load(t), n - i);                                      \
    }
#define NARROW(name, store)                                                    \
    void TNI_FN(name)(const float *x, uint16_t *y, size_t n)                   \
    {                                                                          \
        size_t i = 0;                                                          \
        for (; i + VW <= n; i += VW) store(y + i, v_load(x + i));              \
        if (i == n) return;                                                    \
        uint16_t t[VW];                                                        \
        store(t, v_load_n(x + i, n - i));                                      \
        for (size_t j = 0; i + j < n; j++) y[i + j] = t[j];                    \
    }
WIDEN(tni_f32_from_f16, v_load_f16)
WIDEN(tni_f32_from_bf16, c_load_bf16)
NARROW(tni_f16_from_f32, v_store_f16)
NARROW(tni_bf16_from_f32, c_store_bf16)
#undef WIDEN
#undef NARROW

#endif
