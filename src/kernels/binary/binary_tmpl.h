/* SPDX-License-Identifier: Apache-2.0 */
/* binary_tmpl.h - elementwise functions over the vocabulary of simd_*.h */
#ifndef TN_SRC_KERNELS_BINARY_TMPL_H
#define TN_SRC_KERNELS_BINARY_TMPL_H

#include "kernels/binary/binary.h"

TN_INLINE vf b_max(vf u, vf v)
{
    return v_select(v_isnan(u), u, v_max(u, v));
}

TN_INLINE vf b_min(vf u, vf v)
{
    return v_select(v_isnan(u), u, v_min(u, v));
}

#define FORM(name, head, load_u, load_v, tail_u, tail_v, op)                   \
    void TNI_FN(tni_##name##_f32)(const float *a, const float *b, float *y,    \
                                  size_t n)                                    \
    {                                                                          \
        if (n == 0) return;                                                    \
        head;                                                                  \
        size_t i = 0;                                                          \
        for (; i + VW <= n; i += VW) v_store(y + i, op(load_u, load_v));       \
        if (i < n) v_store_n(y + i, op(tail_u, tail_v), n - i);                \
    }
#define BINARY(name, op)                                                       \
    FORM(name##_vv, , v_load(a + i), v_load(b + i), v_load_n(a + i, n - i),    \
         v_load_n(b + i, n - i), op)                                           \
    FORM(name##_vs, const vf v = v_set1(b[0]), v_load(a + i), v,               \
         v_load_n(a + i, n - i), v, op)                                        \
    FORM(name##_sv, const vf u = v_set1(a[0]), u, v_load(b + i), u,            \
         v_load_n(b + i, n - i), op)

BINARY(add, v_add)
BINARY(div, v_div)
BINARY(max, b_max)
BINARY(min, b_min)
BINARY(mul, v_mul)
BINARY(sub, v_sub)
#undef BINARY
#undef FORM

#endif
