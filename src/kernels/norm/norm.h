/* SPDX-License-Identifier: Apache-2.0 */
/*
 * norm.h - layer and RMS normalisation of rows, and their building blocks
 *
 * Shapes:  x[m][n], gamma[n], beta[n], skip[m][n], bias[n] -> y[m][n]
 * Layout:  contiguous, float alignment
 * Numeric: a row's result depends on its own values alone. Sums are in the
 *          order of reduce.h, the variance is the mean of (v - mean)^2 in a
 *          second pass, the root and the division are exact, multiplications
 *          and additions are rounded one by one: same bits on every ISA, the
 *          reference included.
 * Aliases: y == x, y == skip and sum == x are allowed; sum != y
 * Threads: any; rows are independent
 * Source:  ONNX LayerNormalization, RMSNormalization; ONNX Runtime
 *          SkipLayerNormalization
 *
 *   v    = x + skip + bias (what there is of them), stored to sum if wanted
 *   layer: y = (v - mean(v)) / sqrt(var(v) + eps) * gamma + beta
 *   rms:   y = v / sqrt(mean(v^2) + eps) * gamma + beta
 */
#ifndef TN_SRC_KERNELS_NORM_H
#define TN_SRC_KERNELS_NORM_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

/* NULL: gamma 1, beta 0, skip and bias 0; outputs that are NULL are left out.
 * mean and inv_std hold one number per row (rms writes no mean). */
typedef struct tni_norm_call {
    const float *x, *skip, *bias, *gamma, *beta;
    float *y, *sum, *mean, *inv_std;
    size_t m, n;
    float eps;
} tni_norm_call;

typedef void (*tni_norm_fn)(const tni_norm_call *c);
/* mean and var (divided by n) of x[n], n > 0. */
typedef void (*tni_moments_fn)(const float *x, size_t n, float *mean,
                               float *var);
/* y = x * scale + shift, rounded twice. */
typedef void (*tni_affine_fn)(const float *x, float *y, size_t n, float scale,
                              float shift);

typedef struct tni_norm_kernels {
    tni_norm_fn layer, rms;
    tni_moments_fn moments;
    tni_affine_fn affine;
} tni_norm_kernels;

void tni_norm_init(tni_norm_kernels *k, uint32_t isa);

#define TN_NORM_KERNEL(isa, layer, rms, moments, affine)                       \
    void layer(const tni_norm_call *c);                                        \
    void rms(const tni_norm_call *c);                                          \
    void moments(const float *x, size_t n, float *mean, float *var);           \
    void affine(const float *x, float *y, size_t n, float scale, float shift);
#include "kernels/norm/norm.def"
#undef TN_NORM_KERNEL

#endif
