/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_tmpl.h - reductions over the vocabulary of simd_*.h */
#ifndef TN_SRC_KERNELS_REDUCE_TMPL_H
#define TN_SRC_KERNELS_REDUCE_TMPL_H

#include "kernels/reduce/reduce.h"
#include "kernels/simd/vreduce.h"

/* rows: four vectors of columns at a time, so that a cache line is read whole
 * and four chains of operations overlap. */
#define REDUCE(name, start, vjoin, join, term)                                 \
    float TNI_FN(tni_##name##_row_f32)(const float *x, size_t n)               \
    {                                                                          \
        float r = 0;                                                           \
        V_REDUCE_ROW(r, x, n, start, start, vjoin, join, term)                 \
        return r;                                                              \
    }                                                                          \
    void TNI_FN(tni_##name##_rows_f32)(const float *x, float *y, size_t m,     \
                                       size_t n, size_t stride)                \
    {                                                                          \
        size_t j = 0;                                                          \
        for (; j + 4 * VW <= n; j += 4 * VW) {                                 \
            vf a0 = v_set1(start), a1 = a0, a2 = a0, a3 = a0;                  \
            const float *p = x + j;                                            \
            for (size_t i = 0; i < m; i++, p += stride) {                      \
                vf v = v_load(p);                                              \
                a0 = vjoin(a0, term);                                          \
                v = v_load(p + VW);                                            \
                a1 = vjoin(a1, term);                                          \
                v = v_load(p + 2 * VW);                                        \
                a2 = vjoin(a2, term);                                          \
                v = v_load(p + 3 * VW);                                        \
                a3 = vjoin(a3, term);                                          \
            }                                                                  \
            v_store(y + j, a0);                                                \
            v_store(y + j + VW, a1);                                           \
            v_store(y + j + 2 * VW, a2);                                       \
            v_store(y + j + 3 * VW, a3);                                       \
        }                                                                      \
        for (; j + VW <= n; j += VW) {                                         \
            vf a = v_set1(start);                                              \
            for (size_t i = 0; i < m; i++) {                                   \
                const vf v = v_load(x + i * stride + j);                       \
                a = vjoin(a, term);                                            \
            }                                                                  \
            v_store(y + j, a);                                                 \
        }                                                                      \
        if (j < n) {                                                           \
            vf a = v_set1(start);                                              \
            for (size_t i = 0; i < m; i++) {                                   \
                const vf v = v_load_n(x + i * stride + j, n - j);              \
                a = vjoin(a, term);                                            \
            }                                                                  \
            v_store_n(y + j, a, n - j);                                        \
        }                                                                      \
    }

REDUCE(max, -INFINITY, vn_max, s_max, v)
REDUCE(min, INFINITY, vn_min, s_min, v)
REDUCE(prod, 1.0f, v_mul, s_mul, v)
REDUCE(sum, 0.0f, v_add, s_add, v)
REDUCE(sumabs, 0.0f, v_add, s_add, v_abs(v))
REDUCE(sumsq, 0.0f, v_add, s_add, v_mul(v, v))
#undef REDUCE

#endif
