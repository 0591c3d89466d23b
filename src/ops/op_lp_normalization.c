/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_lp_normalization.c - ONNX LpNormalization, opsets 1, 22 (bfloat16)
 *
 * Shapes:  x -> y of the same shape; norms along `axis` (default -1)
 * Attrs:   p 1 or 2 (default)
 * Numeric: a vector of norm 0 stays 0
 * Source:  github.com/onnx/onnx docs/Operators.md#LpNormalization
 */
#include "ops/nn.h"

#include <math.h>

#define T1 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_22[] = {{"input", TNI_FLOATS, 'T', 0}};
static const tni_arg out_22[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {{"input", T1, 'T', 0}};
static const tni_arg out_1[] = {{"output", T1, 'T', 0}};

static const tni_attr_spec attrs_1[] = {
    {"axis", TNI_ATTR_INT, "-1"},
    {"p", TNI_ATTR_INT, "2"},
};

static tn_status lp_normalization_infer(tni_infer *c)
{
    const int64_t p = tni_attr_int(c->node, "p", 2);
    int axis = 0;
    if (p != 1 && p != 2)
        return tni_fail(c->err, TN_EINVAL, "p is %lld, expected 1 or 2",
                        (long long)p);
    if (tni_infer_ranked(c, 0))
        TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", -1),
                        c->in[0]->rank, c->err));
    return tni_infer_unary(c);
}

static tn_status lp_normalization_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[0];
    const int64_t p = tni_attr_int(c->node, "p", 2);
    const double *x = NULL;
    double *y = NULL;
    int64_t outer, n, inner;
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", -1), t->rank, c->err));
    outer = tni_nn_extent(t->dims, 0, axis);
    n = t->dims[axis];
    inner = tni_nn_extent(t->dims, axis + 1, t->rank);
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t u = 0; u < outer * inner; u++) {
        const int64_t at = u / inner * n * inner + u % inner;
        double norm = 0;
        for (int64_t k = 0; k < n; k++) {
            const double v = x[at + k * inner];
            norm += p == 1 ? fabs(v) : v * v;
        }
        if (p == 2) norm = sqrt(norm);
        for (int64_t k = 0; k < n; k++)
            y[at + k * inner] = norm == 0 ? 0 : x[at + k * inner] / norm;
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

static const tni_op_version lp_normalization_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_1),
     .infer = lp_normalization_infer,
     .ref = lp_normalization_ref},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = lp_normalization_infer,
     .ref = lp_normalization_ref},
};

const tni_op tni_op_lp_normalization = {
    .domain = "",
    .name = "LpNormalization",
    .summary = "Vectors along an axis to unit L1 or L2 norm.",
    TNI_VERSIONS(lp_normalization_versions),
};
