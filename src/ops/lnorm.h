/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lnorm.h - normalisation of rows: LayerNormalization and its relatives
 *
 * Shapes:  x as [rows, cols], split before `axis`; scale and bias broadcast to
 *          x, most often [cols]
 * Numeric: y = (x - mean) / sqrt(variance + epsilon) * scale + bias with the
 *          population variance in two passes; rms: y = x / sqrt(mean square +
 *          epsilon) * scale. The reference sums in double.
 */
#ifndef TN_SRC_OPS_LNORM_H
#define TN_SRC_OPS_LNORM_H

#include "ops/infer.h"

typedef struct tni_lnorm {
    int64_t cols;
    double epsilon;
    bool rms;
} tni_lnorm;

/* One row; scale, bias and the last two may be NULL; x == y is allowed. */
void tni_lnorm_row(const tni_lnorm *p, const double *x, const double *scale,
                   const double *bias, double *y, double *mean,
                   double *inv_std);
/* Layer, RMS and simplified layer normalisation as whole operators: inputs x,
 * scale, bias (absent when rms); outputs y, mean (absent when rms), inverse
 * deviation. */
typedef struct tni_lnorm_op {
    bool rms;
    int mean_out, inv_out; /* -1: the operator has none */
} tni_lnorm_op;

tn_status tni_lnorm_infer(tni_infer *c, const tni_lnorm_op *op);
tn_status tni_lnorm_ref(tni_ref *c, const tni_lnorm_op *op);
tn_status tni_lnorm_plan(tni_plan *c, const tni_lnorm_op *op);

/* com.microsoft Skip…: y = norm(x + skip + bias), and the sum itself. Inputs
 * x, skip, gamma, beta (-1: none), bias; outputs y, mean, inverse deviation,
 * sum. skip may lack the batch axis or have it with extent 1. */
typedef struct tni_skip_norm_op {
    bool rms;
    int beta_in, bias_in;
} tni_skip_norm_op;

tn_status tni_skip_norm_infer(tni_infer *c, const tni_skip_norm_op *op);
tn_status tni_skip_norm_ref(tni_ref *c, const tni_skip_norm_op *op);
tn_status tni_skip_norm_plan(tni_plan *c, const tni_skip_norm_op *op);

#endif
