/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_one_hot_encoder.c - ai.onnx.ml OneHotEncoder
 *
 * Shapes:  x[…] -> y[…, k] for k categories
 * Types:   string, i64, i32, f32, f64 (floats are truncated) -> f32
 * Errors:  EINVAL an unknown category when zeros is 0
 * Numeric: exact
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#OneHotEncoder
 */
#include "ops/ml.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    tni_labels cats;
    tni_labels_read(&cats, c->node, "cats_strings", "cats_int64s");
    if (cats.n == 0)
        return tni_fail(c->err, TN_EINVAL, "the categories are missing");
    const tn_dtype x = tni_infer_dtype(c, 0);
    if (x != TN_UNDEFINED && (x == TN_STRING) != (cats.strings != NULL))
        return tni_fail(
            c->err, TN_EINVAL, "the input is %s, the categories are %s",
            tn_dtype_name(x), tn_dtype_name(tni_labels_dtype(&cats)));
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, TN_F32);
        return TN_OK;
    }
    int64_t dims[TN_MAX_RANK];
    const int rank = c->in[0]->rank;
    if (rank >= TN_MAX_RANK)
        return tni_fail(c->err, TN_ELIMIT, "the input has rank %d", rank);
    memcpy(dims, c->in[0]->dims, sizeof dims);
    dims[rank] = cats.n;
    return tni_infer_dims(c, 0, TN_F32, rank + 1, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tni_labels cats;
    tni_labels_read(&cats, c->node, "cats_strings", "cats_int64s");
    if ((x->dtype == TN_STRING) != (cats.strings != NULL) || cats.n == 0 ||
        x->rank >= TN_MAX_RANK)
        return tni_fail(c->err, TN_EINVAL,
                        "the categories do not fit the input");
    int64_t dims[TN_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank] = cats.n;
    TN_TRY(tni_ref_output(c, 0, TN_F32, x->rank + 1, dims));
    tni_dict d;
    TN_TRY(
        tni_dict_init(&d, cats.strings, cats.ints, cats.n, c->scratch, c->err));
    const bool zeros = tni_attr_int(c->node, "zeros", 1) != 0;
    float *y = TNI_DATA(float, c->out[0]);
    memset(y, 0, (size_t)c->out[0]->len * sizeof *y);
    for (int64_t i = 0; i < x->len; i++) {
        const int64_t k =
            cats.strings != NULL
                ? tni_dict_find_string(&d, TNI_CDATA(tn_string, x)[i])
                : tni_dict_find_int(&d, tni_get_i64(x, i));
        if (k >= 0)
            y[i * cats.n + k] = 1.0f;
        else if (!zeros)
            return tni_fail(c->err, TN_EINVAL,
                            "element %lld is no known category (zeros is 0)",
                            (long long)i);
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS | TNI_STRINGS, 0, 0}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"cats_int64s", TNI_ATTR_INTS, NULL},
    {"cats_strings", TNI_ATTR_STRINGS, NULL},
    {"zeros", TNI_ATTR_INT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_one_hot_encoder = {.domain = "ai.onnx.ml",
                                       .name = "OneHotEncoder",
                                       .summary =
                                           "a one at each element's category",
                                       TNI_VERSIONS(versions)};
