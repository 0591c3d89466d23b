/* SPDX-License-Identifier: Apache-2.0 */
/* unary_ref.c - elementwise functions in plain C, over the C library's math */
#include "kernels/unary/unary.h"

#include <math.h>

#define UNARY(name, expr)                                                      \
    void tni_##name##_f32__ref(const float *x, float *y, size_t n,             \
                               const float *params)                            \
    {                                                                          \
        (void)params;                                                          \
        for (size_t i = 0; i < n; i++) {                                       \
            const float v = x[i];                                              \
            y[i] = (expr);                                                     \
        }                                                                      \
    }

/* The order of these comparisons decides what NaN and -0 give; the vector
 * rows compare in the same order. */
static float at_least(float lo, float v)
{
    return lo > v ? lo : v;
}

static float at_most(float hi, float v)
{
    return hi < v ? hi : v;
}

static float unit(float v)
{
    return at_most(1.0f, at_least(0.0f, v));
}

static float sign(float v)
{
    if (v != v) return v;
    return (float)((v > 0.0f) - (v < 0.0f));
}

/* Numerator and denominator stay in range for every v. */
static float sigmoid(float v)
{
    const float e = expf(-fabsf(v));
    return (v < 0.0f ? e : 1.0f) / (1.0f + e);
}

static float softplus(float v)
{
    return at_least(0.0f, v) + log1pf(expf(-fabsf(v)));
}

/* tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2) without cancellation. */
static float mish(float v)
{
    const float e = expf(at_most(20.0f, v));
    const float w = e * (e + 2.0f);
    return v * (w / (w + 2.0f));
}

static float elu(float v, const float *p)
{
    return p[1] * (v > 0.0f ? v : p[0] * expm1f(p[2] * v));
}

UNARY(abs, fabsf(v))
UNARY(ceil, ceilf(v))
UNARY(clip, at_most(params[1], at_least(params[0], v)))
UNARY(elu, elu(v, params))
UNARY(erf, erff(v))
UNARY(exp, expf(v))
UNARY(floor, floorf(v))
UNARY(gelu_erf, 0.5f * v * (1.0f + erff(v * 0.70710678f)))
UNARY(gelu_tanh, v *sigmoid(v *(1.5957691f + 0.071354814f * (v * v))))
UNARY(hardsigmoid, unit(params[0] * v + params[1]))
UNARY(hardswish, v *unit(v *(1.0f / 6.0f) + 0.5f))
UNARY(leakyrelu, v < 0.0f ? params[0] * v : v)
UNARY(log, logf(v))
UNARY(mish, mish(v))
UNARY(neg, -v)
UNARY(quickgelu, v *sigmoid(params[0] * v))
UNARY(reciprocal, 1.0f / v)
UNARY(relu, at_least(0.0f, v))
UNARY(round, nearbyintf(v))
UNARY(sigmoid, sigmoid(v))
UNARY(sign, sign(v))
UNARY(silu, v *sigmoid(v))
UNARY(softplus, softplus(v))
UNARY(softsign, v / (1.0f + fabsf(v)))
UNARY(sqrt, sqrtf(v))
UNARY(square, v *v)
UNARY(tanh, tanhf(v))
UNARY(thresholdedrelu, v > params[0] ? v : 0.0f)
