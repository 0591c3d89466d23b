/* SPDX-License-Identifier: Apache-2.0 */
/* norm_ref.c - normalisation of rows in plain C */
#include "kernels/norm/norm.h"

#include <math.h>
#include <stdbool.h>

/* Sum over x[n] of v or (v - mean)^2, in the order of reduce.h. */
static float sum_row(const float *x, size_t n, float mean, bool squares)
{
    float part[32] = {0};
    for (size_t i = 0; i < n; i++) {
        const float d = x[i] - mean;
        part[i % 32] += squares ? d * d : x[i];
    }
    for (size_t w = 16; w >= 1; w /= 2)
        for (size_t j = 0; j < w; j++) part[j] += part[j + w];
    return part[0];
}

/* The row to normalise: x itself, or the sum of what is given in `to`. */
static const float *input_row(const tni_norm_call *c, size_t i)
{
    const float *x = c->x + i * c->n;
    if (c->skip == NULL && c->bias == NULL && c->sum == NULL) return x;
    float *to = (c->sum != NULL ? c->sum : c->y) + i * c->n;
    for (size_t j = 0; j < c->n; j++) {
        float v = x[j];
        if (c->skip != NULL) v += c->skip[i * c->n + j];
        if (c->bias != NULL) v += c->bias[j];
        to[j] = v;
    }
    return to;
}

static void scale_row(const tni_norm_call *c, const float *x, float *y,
                      float mean, float s)
{
    for (size_t j = 0; j < c->n; j++) {
        float v = (x[j] - mean) * s;
        if (c->gamma != NULL) v *= c->gamma[j];
        if (c->beta != NULL) v += c->beta[j];
        y[j] = v;
    }
}

static void normalise(const tni_norm_call *c, bool layer)
{
    const float n = (float)c->n;
    for (size_t i = 0; i < c->m; i++) {
        const float *x = input_row(c, i);
        const float mean = layer ? sum_row(x, c->n, 0.0f, false) / n : 0.0f;
        const float var = sum_row(x, c->n, mean, true) / n;
        const float s = 1.0f / sqrtf(var + c->eps);
        scale_row(c, x, c->y + i * c->n, mean, s);
        if (layer && c->mean != NULL) c->mean[i] = mean;
        if (c->inv_std != NULL) c->inv_std[i] = s;
    }
}

void tni_layernorm_f32__ref(const tni_norm_call *c)
{
    normalise(c, true);
}

void tni_rmsnorm_f32__ref(const tni_norm_call *c)
{
    normalise(c, false);
}

void tni_moments_f32__ref(const float *x, size_t n, float *mean, float *var)
{
    const float m = sum_row(x, n, 0.0f, false) / (float)n;
    *mean = m;
    *var = sum_row(x, n, m, true) / (float)n;
}

void tni_affine_f32__ref(const float *x, float *y, size_t n, float scale,
                         float shift)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] * scale + shift;
}
