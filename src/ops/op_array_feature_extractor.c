/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_array_feature_extractor.c - ai.onnx.ml ArrayFeatureExtractor
 *
 * Shapes:  x[…, F], y[…] with k indices -> z[…, k]; x[F] gives z[1, k]
 * Types:   f32, f64, i32, i64, string
 * Errors:  EINVAL an index outside [0, F), no index at all
 * Numeric: bit-exact
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#ArrayFeatureExtractor
 */
#include "base/checked.h"
#include "ops/ml.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, dtype);
        return TN_OK;
    }
    const tni_type *x = c->in[0];
    if (x->rank < 1) return tni_fail(c->err, TN_EINVAL, "X is a scalar");
    int64_t k = TNI_DIM_UNKNOWN;
    if (tni_infer_ranked(c, 1)) {
        k = 1;
        for (int i = 0; i < c->in[1]->rank; i++) {
            if (c->in[1]->dims[i] < 0 ||
                !tni_mul_i64(k, c->in[1]->dims[i], &k)) {
                k = TNI_DIM_UNKNOWN;
                break;
            }
        }
    }
    int64_t dims[TN_MAX_RANK] = {1, k};
    if (x->rank == 1) return tni_infer_dims(c, 0, dtype, 2, dims);
    memcpy(dims, x->dims, (size_t)x->rank * sizeof dims[0]);
    dims[x->rank - 1] = k;
    return tni_infer_dims(c, 0, dtype, x->rank, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *y = c->in[1];
    if (x->rank < 1) return tni_fail(c->err, TN_EINVAL, "X is a scalar");
    const int64_t f = x->dims[x->rank - 1];
    const int64_t *at = TNI_CDATA(int64_t, y);
    if (y->len == 0) return tni_fail(c->err, TN_EINVAL, "Y is empty");
    for (int64_t i = 0; i < y->len; i++)
        if (at[i] < 0 || at[i] >= f)
            return tni_fail(c->err, TN_EINVAL, "index %lld outside [0, %lld)",
                            (long long)at[i], (long long)f);
    int64_t dims[TN_MAX_RANK] = {1, y->len};
    int rank = 2;
    if (x->rank > 1) {
        rank = x->rank;
        memcpy(dims, x->dims, (size_t)rank * sizeof dims[0]);
        dims[rank - 1] = y->len;
    }
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    const size_t size = tn_dtype_size(x->dtype);
    char *z = c->out[0]->data;
    const char *from = x->data;
    const int64_t rows = x->len / f;
    for (int64_t r = 0; r < rows; r++, from += (size_t)f * size)
        for (int64_t i = 0; i < y->len; i++, z += size)
            memcpy(z, from + (size_t)at[i] * size, size);
    return TN_OK;
}

static const tni_arg in[] = {
    {"X", TNI_ML_NUMBERS | TNI_STRINGS, 'T', 0},
    {"Y", TNI_T(TN_I64), 0, 0},
};
static const tni_arg out[] = {{"Z", TNI_ML_NUMBERS | TNI_STRINGS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(in), TNI_OUT(out), .infer = infer, .ref = ref},
};

const tni_op tni_op_array_feature_extractor = {.domain = "ai.onnx.ml",
                                               .name = "ArrayFeatureExtractor",
                                               .summary =
                                                   "picks columns by index",
                                               TNI_VERSIONS(versions)};
