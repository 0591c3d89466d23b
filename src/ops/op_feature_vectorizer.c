/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_feature_vectorizer.c - ai.onnx.ml FeatureVectorizer
 *
 * Shapes:  x_i[N, F_i] (or [F_i] for one row) -> y[N, sum of
 *          inputdimensions]; a row longer than its dimension is cut, a shorter
 *          one padded with zeros
 * Types:   f32, f64, i32, i64 -> f32
 * Numeric: one rounding
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#FeatureVectorizer
 */
#include "ops/ml.h"

#include <string.h>

/* Columns of each input; without the attribute an input's own. */
static int64_t width(const tni_node *node, int i, int64_t features)
{
    int n = 0;
    const int64_t *dims = tni_attr_ints(node, "inputdimensions", &n);
    return i < n && dims[i] >= 0 ? dims[i] : features;
}

static tn_status infer(tni_infer *c)
{
    int64_t dims[2] = {TNI_DIM_UNKNOWN, 0};
    for (int i = 0; i < c->n_in; i++) {
        int64_t n, features;
        TN_TRY(tni_ml_infer_rows(c, i, &n, &features));
        if (i == 0) dims[0] = n;
        const int64_t w = width(c->node, i, features);
        dims[1] = w < 0 || dims[1] < 0 ? TNI_DIM_UNKNOWN : dims[1] + w;
    }
    return tni_infer_dims(c, 0, TN_F32, 2, dims);
}

static tn_status ref(tni_ref *c)
{
    int64_t n = 0, total = 0;
    for (int i = 0; i < c->n_in; i++) {
        int64_t rows, features;
        TN_TRY(tni_ml_rows(&rows, &features, c->in[i], c->err));
        if (i == 0)
            n = rows;
        else if (rows != n)
            return tni_fail(c->err, TN_EINVAL,
                            "input %d has %lld rows, expected %lld", i,
                            (long long)rows, (long long)n);
        total += width(c->node, i, features);
    }
    TN_TRY(tni_ref_output(c, 0, TN_F32, 2, (int64_t[]){n, total}));
    float *y = TNI_DATA(float, c->out[0]);
    memset(y, 0, (size_t)(n * total) * sizeof *y);
    for (int i = 0; i < c->n_in; i++) {
        int64_t rows, features;
        TN_TRY(tni_ml_rows(&rows, &features, c->in[i], c->err));
        const float *x = tni_ml_floats(c, c->in[i]);
        if (x == NULL) return tni_ref_nomem(c);
        const int64_t w = width(c->node, i, features);
        const int64_t k = w < features ? w : features;
        for (int64_t r = 0; k > 0 && r < n; r++)
            memcpy(y + r * total, x + r * features, (size_t)k * sizeof *y);
        y += w;
    }
    return TN_OK;
}

static const tni_arg in[] = {
    {"X", TNI_ML_NUMBERS, 0, TNI_VARIADIC | TNI_HETERO}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {{"inputdimensions", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_feature_vectorizer = {
    .domain = "ai.onnx.ml",
    .name = "FeatureVectorizer",
    .summary = "columns of several inputs side by side, as float",
    TNI_VERSIONS(versions)};
