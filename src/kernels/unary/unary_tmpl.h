/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary_tmpl.h - elementwise functions over the vocabulary of simd_*.h
 *
 * The exact functions evaluate the very expressions of unary_ref.c, with
 * separate multiplications and additions.
 */
#ifndef TN_SRC_KERNELS_UNARY_TMPL_H
#define TN_SRC_KERNELS_UNARY_TMPL_H

#include "kernels/simd/vmath.h"
#include "kernels/unary/unary.h"

TN_INLINE vf u_unit(vf v)
{
    return v_min(v_set1(1.0f), v_max(v_zero(), v));
}

TN_INLINE vf u_elu(vf v, const vf *p)
{
    const vf neg = v_mul(p[0], v_expm1_neg(v_mul(p[2], v)));
    return v_mul(p[1], v_select(v_lt(v_zero(), v), v, neg));
}

TN_INLINE vf u_gelu_erf(vf v)
{
    const vf half = v_mul(v_set1(0.5f), v);
    return v_fma(half, v_erf(v_mul(v, v_set1(0.70710678f))), half);
}

/* x (1 + tanh(u)) / 2 = x sigmoid(2 u): no cancellation for negative x. */
TN_INLINE vf u_gelu_tanh(vf v)
{
    const vf s = v_fma(v_set1(0.071354814f), v_mul(v, v), v_set1(1.5957691f));
    return v_mul(v, v_sigmoid(v_mul(v, s)));
}

TN_INLINE vf u_hardswish(vf v)
{
    const vf s = v_add(v_mul(v, v_set1(1.0f / 6.0f)), v_set1(0.5f));
    return v_mul(v, u_unit(s));
}

/* tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2); e^20 squared is finite. */
TN_INLINE vf u_mish(vf v)
{
    const vf two = v_set1(2.0f);
    const vf e = v_exp(v_min(v_set1(20.0f), v));
    const vf w = v_mul(e, v_add(e, two));
    return v_mul(v, v_div(w, v_add(w, two)));
}

TN_INLINE vf u_sign(vf v)
{
    const vf one = v_set1(1.0f);
    const vf pos = v_select(v_lt(v_zero(), v), one, v_zero());
    const vf s = v_select(v_lt(v, v_zero()), v_set1(-1.0f), pos);
    return v_select(v_isnan(v), v, s);
}

/* `n_p` parameters are broadcast to p[]; the tail runs the same arithmetic on
 * lanes that are neither read nor written. */
#define UNARY(name, n_p, expr)                                                 \
    void TNI_FN(tni_##name##_f32)(const float *x, float *y, size_t n,          \
                                  const float *params)                         \
    {                                                                          \
        vf p[3] = {v_zero(), v_zero(), v_zero()};                              \
        for (int k = 0; k < (n_p); k++) p[k] = v_set1(params[k]);              \
        (void)params, (void)p;                                                 \
        size_t i = 0;                                                          \
        for (; i + VW <= n; i += VW) {                                         \
            const vf v = v_load(x + i);                                        \
            v_store(y + i, expr);                                              \
        }                                                                      \
        if (i < n) {                                                           \
            const vf v = v_load_n(x + i, n - i);                               \
            v_store_n(y + i, expr, n - i);                                     \
        }                                                                      \
    }

UNARY(abs, 0, v_abs(v))
UNARY(ceil, 0, v_ceil(v))
UNARY(clip, 2, v_min(p[1], v_max(p[0], v)))
UNARY(elu, 3, u_elu(v, p))
UNARY(erf, 0, v_erf(v))
UNARY(exp, 0, v_exp(v))
UNARY(floor, 0, v_floor(v))
UNARY(gelu_erf, 0, u_gelu_erf(v))
UNARY(gelu_tanh, 0, u_gelu_tanh(v))
UNARY(hardsigmoid, 2, u_unit(v_add(v_mul(p[0], v), p[1])))
UNARY(hardswish, 0, u_hardswish(v))
UNARY(leakyrelu, 1, v_select(v_lt(v, v_zero()), v_mul(p[0], v), v))
UNARY(log, 0, v_log(v))
UNARY(mish, 0, u_mish(v))
UNARY(neg, 0, v_neg(v))
UNARY(quickgelu, 1, v_mul(v, v_sigmoid(v_mul(p[0], v))))
UNARY(reciprocal, 0, v_div(v_set1(1.0f), v))
UNARY(relu, 0, v_max(v_zero(), v))
UNARY(round, 0, v_round(v))
UNARY(sigmoid, 0, v_sigmoid(v))
UNARY(sign, 0, u_sign(v))
UNARY(silu, 0, v_mul(v, v_sigmoid(v)))
UNARY(softplus, 0, v_softplus(v))
UNARY(softsign, 0, v_div(v, v_add(v_set1(1.0f), v_abs(v))))
UNARY(sqrt, 0, v_sqrt(v))
UNARY(square, 0, v_mul(v, v))
UNARY(tanh, 0, v_tanh(v))
UNARY(thresholdedrelu, 1, v_select(v_lt(p[0], v), v, v_zero()))
#undef UNARY

#endif
