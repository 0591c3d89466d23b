/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_tmpl.h - softmax over the vocabulary of simd_*.h */
#ifndef TN_SRC_KERNELS_SOFTMAX_TMPL_H
#define TN_SRC_KERNELS_SOFTMAX_TMPL_H

#include "kernels/simd/vmath.h"
#include "kernels/simd/vreduce.h"
#include "kernels/softmax/softmax.h"

/* Natural logarithm of one number, by the vector code. */
TN_INLINE float s_log(float x)
{
    float t[VW];
    v_store(t, v_log(v_set1(x)));
    return t[0];
}

/* exp, kept for later where there is room: one pass less over the inputs. */
TN_INLINE vf e_step(vf v, vf top, float *y)
{
    const vf e = v_exp(v_sub(v, top));
    v_store(y, e);
    return e;
}

#define E_STEP(k, p, q)                                                        \
    acc##k = v_add(acc##k, e_step(v_load((p) + (k)*VW), top, (q) + (k)*VW));

/* The sum of exp(x - top); the exponentials themselves go to y. */
TN_INLINE float exp_row(const float *x, float *y, size_t n, float largest)
{
    const vf top = v_set1(largest);
    V_EACH(V_ACC_INIT, 0.0f)
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        V_EACH(E_STEP, x + i, y + i)
    }
    if (i < n) {
        /* exp(-infinity) is 0, which a sum does not notice. */
        float group[32];
        v_pad_group(group, x + i, n - i, -INFINITY);
        V_EACH(E_STEP, group, group)
        size_t j = 0;
        for (; i + j + VW <= n; j += VW) v_store(y + i + j, v_load(group + j));
        if (i + j < n) v_store_n(y + i + j, v_load(group + j), n - i - j);
    }
    float sum = 0;
    V_ACC_JOIN(sum, v_add, s_add)
    return sum;
}

#define SUM_STEP(k, p)                                                         \
    acc##k = v_add(acc##k, v_exp(v_sub(v_load((p) + (k)*VW), top)));

TN_INLINE float sum_exp_row(const float *x, size_t n, float largest)
{
    const vf top = v_set1(largest);
    V_EACH(V_ACC_INIT, 0.0f)
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        V_EACH(SUM_STEP, x + i)
    }
    if (i < n) {
        float group[32];
        v_pad_group(group, x + i, n - i, -INFINITY);
        V_EACH(SUM_STEP, group)
    }
    float sum = 0;
    V_ACC_JOIN(sum, v_add, s_add)
    return sum;
}
#undef E_STEP
#undef SUM_STEP

TN_INLINE float max_row(const float *x, size_t n)
{
    float r = 0;
    V_REDUCE_ROW(r, x, n, -INFINITY, -INFINITY, vn_max, s_max, v)
    return r;
}

void TNI_FN(tni_softmax_rows_f32)(const float *x, float *y, size_t m, size_t n)
{
    for (; m > 0; m--, x += n, y += n) {
        const vf s = v_set1(1.0f / exp_row(x, y, n, max_row(x, n)));
        size_t i = 0;
        for (; i + VW <= n; i += VW) v_store(y + i, v_mul(v_load(y + i), s));
        if (i < n) v_store_n(y + i, v_mul(v_load_n(y + i, n - i), s), n - i);
    }
}

void TNI_FN(tni_logsoftmax_rows_f32)(const float *x, float *y, size_t m,
                                     size_t n)
{
    for (; m > 0; m--, x += n, y += n) {
        const float top = max_row(x, n);
        const vf t = v_set1(top), s = v_set1(s_log(sum_exp_row(x, n, top)));
        size_t i = 0;
        for (; i + VW <= n; i += VW)
            v_store(y + i, v_sub(v_sub(v_load(x + i), t), s));
        if (i < n) {
            const vf v = v_load_n(x + i, n - i);
            v_store_n(y + i, v_sub(v_sub(v, t), s), n - i);
        }
    }
}

/* VW columns at a time; `rest` of them exist (VW: all). */
TN_INLINE vf col_load(const float *p, size_t rest)
{
    return rest == VW ? v_load(p) : v_load_n(p, rest);
}

TN_INLINE void col_store(float *p, vf v, size_t rest)
{
    if (rest == VW)
        v_store(p, v);
    else
        v_store_n(p, v, rest);
}

TN_INLINE void softmax_cols(const float *x, float *y, size_t n, size_t ld,
                            size_t rest, int log)
{
    vf top = v_set1(-INFINITY), sum = v_zero();
    for (size_t i = 0; i < n; i++)
        top = vn_max(top, col_load(x + i * ld, rest));
    for (size_t i = 0; i < n; i++) {
        const vf d = v_sub(col_load(x + i * ld, rest), top), e = v_exp(d);
        sum = v_add(sum, e);
        col_store(y + i * ld, log ? d : e, rest);
    }
    const vf s = log ? v_log(sum) : v_div(v_set1(1.0f), sum);
    for (size_t i = 0; i < n; i++) {
        const vf v = col_load(y + i * ld, rest);
        col_store(y + i * ld, log ? v_sub(v, s) : v_mul(v, s), rest);
    }
}

#define SOFTMAX_COLS(name, log)                                                \
    void TNI_FN(name)(const float *x, float *y, size_t m, size_t n, size_t ld) \
    {                                                                          \
        size_t j = 0;                                                          \
        for (; j + VW <= m; j += VW)                                           \
            softmax_cols(x + j, y + j, n, ld, VW, log);                        \
        if (j < m) softmax_cols(x + j, y + j, n, ld, m - j, log);              \
    }
SOFTMAX_COLS(tni_softmax_cols_f32, 0)
SOFTMAX_COLS(tni_logsoftmax_cols_f32, 1)
#undef SOFTMAX_COLS

#endif
