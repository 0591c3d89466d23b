/* SPDX-License-Identifier: Apache-2.0 */
/* norm_tmpl.h - normalisation of rows over the vocabulary of simd_*.h */
#ifndef TN_SRC_KERNELS_NORM_TMPL_H
#define TN_SRC_KERNELS_NORM_TMPL_H

#include "kernels/norm/norm.h"
#include "kernels/simd/vreduce.h"

/* One number by the vector code, so that no C library call is needed. */
TN_INLINE float s_inv_sqrt(float x)
{
    float t[VW];
    v_store(t, v_div(v_set1(1.0f), v_sqrt(v_set1(x))));
    return t[0];
}

static float sum_row(const float *x, size_t n)
{
    float r = 0;
    V_REDUCE_ROW(r, x, n, 0.0f, 0.0f, v_add, s_add, v)
    return r;
}

static float sum_squares_row(const float *x, size_t n, float mean)
{
    const vf c = v_set1(mean);
    float r = 0;
    V_REDUCE_ROW(r, x, n, 0.0f, mean, v_add, s_add,
                 v_mul(v_sub(v, c), v_sub(v, c)))
    return r;
}

TN_INLINE vf n_load(const float *p, size_t rest)
{
    return rest >= VW ? v_load(p) : v_load_n(p, rest);
}

TN_INLINE void n_store(float *p, vf v, size_t rest)
{
    if (rest >= VW)
        v_store(p, v);
    else
        v_store_n(p, v, rest);
}

static const float *input_row(const tni_norm_call *c, size_t i)
{
    const size_t n = c->n;
    const float *x = c->x + i * n;
    if (c->skip == NULL && c->bias == NULL && c->sum == NULL) return x;
    float *to = (c->sum != NULL ? c->sum : c->y) + i * n;
    const float *skip = c->skip != NULL ? c->skip + i * n : NULL;
    for (size_t j = 0; j < n; j += VW) {
        vf v = n_load(x + j, n - j);
        if (skip != NULL) v = v_add(v, n_load(skip + j, n - j));
        if (c->bias != NULL) v = v_add(v, n_load(c->bias + j, n - j));
        n_store(to + j, v, n - j);
    }
    return to;
}

static void scale_row(const tni_norm_call *c, const float *x, float *y,
                      float mean, float scale)
{
    const vf m = v_set1(mean), s = v_set1(scale);
    const size_t n = c->n;
    for (size_t j = 0; j < n; j += VW) {
        vf v = v_mul(v_sub(n_load(x + j, n - j), m), s);
        if (c->gamma != NULL) v = v_mul(v, n_load(c->gamma + j, n - j));
        if (c->beta != NULL) v = v_add(v, n_load(c->beta + j, n - j));
        n_store(y + j, v, n - j);
    }
}

TN_INLINE void normalise(const tni_norm_call *c, int layer)
{
    const float n = (float)c->n;
    for (size_t i = 0; i < c->m; i++) {
        const float *x = input_row(c, i);
        const float mean = layer ? sum_row(x, c->n) / n : 0.0f;
        const float var = sum_squares_row(x, c->n, mean) / n;
        const float s = s_inv_sqrt(var + c->eps);
        scale_row(c, x, c->y + i * c->n, mean, s);
        if (layer && c->mean != NULL) c->mean[i] = mean;
        if (c->inv_std != NULL) c->inv_std[i] = s;
    }
}

void TNI_FN(tni_layernorm_f32)(const tni_norm_call *c)
{
    normalise(c, 1);
}

void TNI_FN(tni_rmsnorm_f32)(const tni_norm_call *c)
{
    normalise(c, 0);
}

void TNI_FN(tni_moments_f32)(const float *x, size_t n, float *mean, float *var)
{
    const float m = sum_row(x, n) / (float)n;
    *mean = m;
    *var = sum_squares_row(x, n, m) / (float)n;
}

void TNI_FN(tni_affine_f32)(const float *x, float *y, size_t n, float scale,
                            float shift)
{
    const vf a = v_set1(scale), b = v_set1(shift);
    for (size_t i = 0; i < n; i += VW) {
        const vf v = n_load(x + i, n - i);
        n_store(y + i, v_add(v_mul(v, a), b), n - i);
    }
}

#endif
