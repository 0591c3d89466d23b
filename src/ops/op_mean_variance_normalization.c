/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_mean_variance_normalization.c - ONNX MeanVarianceNormalization, opsets 9,
 * 13 (bfloat16), and the experimental one before
 *
 * Shapes:  x -> y of the same shape; statistics over `axes` ([0, 2, 3]);
 *          before version 9 over [0, 2, 3], with across_channels over all
 * Numeric: (x - mean) / (standard deviation + 1e-9); before version 9 only
 *          x - mean where normalize_variance is 0
 * Source:  github.com/onnx/onnx docs/Operators.md#MeanVarianceNormalization
 */
#include "ops/nn.h"

#include <math.h>

#define T9 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_13[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out_13[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_arg in_9[] = {{"X", T9, 'T', 0}};
static const tni_arg out_9[] = {{"Y", T9, 'T', 0}};

static const tni_attr_spec attrs_9[] = {{"axes", TNI_ATTR_INTS, "[0, 2, 3]"}};
static const tni_attr_spec attrs_1[] = {
    {"across_channels", TNI_ATTR_INT, "0"},
    {"normalize_variance", TNI_ATTR_INT, "1"}};

static tn_status axes_of(uint32_t *mask, const tni_node *node, int rank,
                         tn_err *err)
{
    static const int64_t usual[] = {0, 2, 3};
    int n = 0;
    if (tni_attr_int(node, "across_channels", 0) != 0) {
        *mask = (1u << rank) - 1u;
        return TN_OK;
    }
    const int64_t *axes = tni_attr_ints(node, "axes", &n);
    if (axes == NULL) {
        axes = usual;
        n = 3;
    }
    return tni_axes_mask(mask, axes, n, rank, err);
}

static tn_status mean_variance_normalization_infer(tni_infer *c)
{
    uint32_t mask = 0;
    if (tni_infer_ranked(c, 0))
        TN_TRY(axes_of(&mask, c->node, c->in[0]->rank, c->err));
    return tni_infer_unary(c);
}

/* The kept position of element i, numbered row-major over the kept axes. */
static int64_t kept_index(const tni_tensor *t, uint32_t mask, int64_t i)
{
    int64_t at = 0, step = 1;
    for (int a = t->rank - 1; a >= 0; a--) {
        if ((mask >> a & 1u) == 0) {
            at += i % t->dims[a] * step;
            step *= t->dims[a];
        }
        i /= t->dims[a];
    }
    return at;
}

static tn_status mean_variance_normalization_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[0];
    const double *x = NULL;
    double *y = NULL, *mean, *var;
    int64_t kept = 1, count;
    uint32_t mask = 0;
    const bool scaled = tni_attr_int(c->node, "normalize_variance", 1) != 0;
    TN_TRY(axes_of(&mask, c->node, t->rank, c->err));
    for (int a = 0; a < t->rank; a++)
        if ((mask >> a & 1u) == 0) kept *= t->dims[a];
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_open(c, 0, &y));
    mean = tni_nn_doubles(c, kept);
    var = tni_nn_doubles(c, kept);
    if (mean == NULL || var == NULL) return tni_ref_nomem(c);
    count = kept == 0 ? 0 : t->len / kept;
    for (int64_t k = 0; k < kept; k++) mean[k] = var[k] = 0;
    for (int64_t i = 0; i < t->len; i++) mean[kept_index(t, mask, i)] += x[i];
    for (int64_t k = 0; k < kept; k++) mean[k] /= (double)count;
    for (int64_t i = 0; i < t->len; i++) {
        const int64_t k = kept_index(t, mask, i);
        var[k] += (x[i] - mean[k]) * (x[i] - mean[k]);
    }
    for (int64_t i = 0; i < t->len; i++) {
        const int64_t k = kept_index(t, mask, i);
        y[i] = x[i] - mean[k];
        if (scaled) y[i] /= sqrt(var[k] / (double)count) + 1e-9;
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

static const tni_op_version mean_variance_normalization_versions[] = {
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     TNI_ATTRS(attrs_9),
     .infer = mean_variance_normalization_infer,
     .ref = mean_variance_normalization_ref},
    {.since = 9,
     TNI_IN(in_9),
     TNI_OUT(out_9),
     TNI_ATTRS(attrs_9),
     .infer = mean_variance_normalization_infer,
     .ref = mean_variance_normalization_ref},
    {.since = 1,
     TNI_IN(in_9),
     TNI_OUT(out_9),
     TNI_ATTRS(attrs_1),
     .infer = mean_variance_normalization_infer,
     .ref = mean_variance_normalization_ref},
};

const tni_op tni_op_mean_variance_normalization = {
    .domain = "",
    .name = "MeanVarianceNormalization",
    .summary = "To zero mean and unit variance over a set of axes.",
    TNI_VERSIONS(mean_variance_normalization_versions),
};
