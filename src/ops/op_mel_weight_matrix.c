/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_mel_weight_matrix.c - ONNX MelWeightMatrix, opset 17
 *
 * Shapes:  num_mel_bins m, dft_length n, sample_rate, lower_edge_hertz,
 *          upper_edge_hertz  ->  output[n / 2 + 1, m], a triangle per column
 * Types:   numbers -> attribute output_datatype
 * Errors:  EINVAL edges beyond the spectrum
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <math.h>
#include <string.h>

static tn_status sizes(int64_t *dims, const tni_tensor *bins,
                       const tni_tensor *length, tn_err *err)
{
    dims[0] = dims[1] = TNI_DIM_UNKNOWN;
    if (length != NULL) {
        TN_TRY(tni_scalar_i64(&dims[0], length, "dft_length", err));
        if (dims[0] < 1)
            return tni_fail(err, TN_EINVAL, "dft_length %lld",
                            (long long)dims[0]);
        dims[0] = dims[0] / 2 + 1;
    }
    if (bins == NULL) return TN_OK;
    TN_TRY(tni_scalar_i64(&dims[1], bins, "num_mel_bins", err));
    if (dims[1] < 0 || dims[1] > INT32_MAX)
        return tni_fail(err, TN_EINVAL, "num_mel_bins %lld",
                        (long long)dims[1]);
    return TN_OK;
}

static tn_status dtype_of(tn_dtype *out, const tni_node *node, tn_err *err)
{
    TN_TRY(tni_attr_dtype(out, node, "output_datatype", TN_F32, err));
    if ((TNI_NUMERIC & TNI_T(*out)) != 0) return TN_OK;
    return tni_fail(err, TN_EUNSUPPORTED, "output_datatype %s",
                    tn_dtype_name(*out));
}

static tn_status infer(tni_infer *c)
{
    tn_dtype dtype = TN_F32;
    int64_t dims[2];
    TN_TRY(dtype_of(&dtype, c->node, c->err));
    TN_TRY(sizes(dims, tni_infer_const(c, 0), tni_infer_const(c, 1), c->err));
    return tni_infer_dims(c, 0, dtype, 2, dims);
}

static tn_status ref(tni_ref *c)
{
    tn_dtype dtype = TN_F32;
    int64_t dims[2], length = 0, rate = 0;
    TN_TRY(dtype_of(&dtype, c->node, c->err));
    TN_TRY(sizes(dims, c->in[0], c->in[1], c->err));
    TN_TRY(tni_scalar_i64(&length, c->in[1], "dft_length", c->err));
    TN_TRY(tni_scalar_i64(&rate, c->in[2], "sample_rate", c->err));
    if (rate < 1 || c->in[3]->len != 1 || c->in[4]->len != 1)
        return tni_fail(c->err, TN_EINVAL,
                        "sample_rate %lld, or edges that are no scalars",
                        (long long)rate);
    TN_TRY(tni_ref_output(c, 0, dtype, 2, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const int64_t m = dims[1];
    int64_t *edge = tni_ref_scratch(c, (size_t)(m + 2) * sizeof *edge);
    if (edge == NULL) return tni_ref_nomem(c);
    const double low = log1p(tni_get_f64(c->in[3], 0) / 700.0);
    const double high = log1p(tni_get_f64(c->in[4], 0) / 700.0);
    for (int64_t i = 0; i < m + 2; i++) {
        const double mel = low + (high - low) / (double)(m + 2) * (double)i;
        const double bin =
            floor((double)(length + 1) * 700.0 * expm1(mel) / (double)rate);
        if (!(bin >= 0.0 && bin < (double)dims[0] + 1.0) ||
            (i <= m && bin >= (double)dims[0]))
            return tni_fail(c->err, TN_EINVAL,
                            "band %lld begins at bin %g of %lld",
                            (long long)i, bin, (long long)dims[0]);
        edge[i] = (int64_t)bin;
    }
    tni_tensor *y = c->out[0];
    memset(y->data, 0, (size_t)y->len * tn_dtype_size(dtype));
    for (int64_t i = 0; i < m; i++) {
        const int64_t a = edge[i], b = edge[i + 1], d = edge[i + 2];
        if (b == a) tni_set_f64(y, b * m + i, 1.0);
        for (int64_t k = a; k <= b && b > a; k++)
            tni_set_f64(y, k * m + i, (double)(k - a) / (double)(b - a));
        for (int64_t k = b; k < d; k++)
            tni_set_f64(y, k * m + i, (double)(d - k) / (double)(d - b));
    }
    return TN_OK;
}

#define INDEX (TNI_T(TN_I32) | TNI_T(TN_I64))
static const tni_arg ins[] = {{"num_mel_bins", INDEX, 'I', 0},
                              {"dft_length", INDEX, 'I', 0},
                              {"sample_rate", INDEX, 'I', 0},
                              {"lower_edge_hertz", TNI_FLOATS, 'F', 0},
                              {"upper_edge_hertz", TNI_FLOATS, 'F', 0}};
static const tni_arg outs[] = {{"output", TNI_NUMERIC, 0, 0}};
static const tni_attr_spec attrs[] = {{"output_datatype", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 17, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_mel_weight_matrix = {
    .domain = "",
    .name = "MelWeightMatrix",
    .summary = "Weights from a spectrum to mel bands",
    TNI_VERSIONS(versions),
};
