/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_max_unpool.c - ONNX MaxUnpool, opsets 9, 22 (bfloat16)
 *
 * Shapes:  X, I [N, C, d1 … dk] -> [N, C, (di - 1) * stride - pads + kernel],
 *          or `output_shape`, which must be no smaller on any axis
 * Errors:  EINVAL an index outside the inferred shape
 * Numeric: exact; cells without an index are 0. Indices count over the
 *          inferred shape even when output_shape is larger.
 * Source:  github.com/onnx/onnx docs/Operators.md#MaxUnpool
 */
#include "ops/nn.h"

#include <string.h>

#define T9 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_22[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"I", TNI_T(TN_I64), 0, 0},
    {"output_shape", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};
static const tni_arg out_22[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_arg in_9[] = {
    {"X", T9, 'T', 0},
    {"I", TNI_T(TN_I64), 0, 0},
    {"output_shape", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};
static const tni_arg out_9[] = {{"output", T9, 'T', 0}};

static const tni_attr_spec attrs_9[] = {
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

/* The shape that the pooling attributes give. */
static tn_status natural_dims(int64_t *out, const tni_node *node, int rank,
                              const int64_t *dims, tn_err *err)
{
    int nk = 0, np = 0, ns = 0;
    const int64_t *const kernel = tni_attr_ints(node, "kernel_shape", &nk);
    const int64_t *const pads = tni_attr_ints(node, "pads", &np);
    const int64_t *const strides = tni_attr_ints(node, "strides", &ns);
    const int nd = rank - 2;
    if (nd < 1 || nk != nd || (np != 0 && np != 2 * nd) ||
        (ns != 0 && ns != nd))
        return tni_fail(err, TN_EINVAL,
                        "kernel_shape, pads or strides do not fit rank %d",
                        rank);
    out[0] = dims[0];
    out[1] = dims[1];
    for (int i = 0; i < nd; i++) {
        const int64_t s = ns != 0 ? strides[i] : 1;
        const int64_t b = np != 0 ? pads[i] : 0;
        const int64_t e = np != 0 ? pads[nd + i] : 0;
        out[i + 2] = TNI_DIM_UNKNOWN;
        if (s < 1 || s > INT32_MAX || b < 0 || b > INT32_MAX || e < 0 ||
            e > INT32_MAX || kernel[i] < 1 || kernel[i] > INT32_MAX)
            return tni_fail(err, TN_EINVAL,
                            "attribute of axis %d is out of range", i + 2);
        if (!TNI_DIM_IS_KNOWN(dims[i + 2])) continue;
        if (dims[i + 2] > INT32_MAX)
            return tni_fail(err, TN_ELIMIT, "spatial extent %lld",
                            (long long)dims[i + 2]);
        out[i + 2] = (dims[i + 2] - 1) * s - b - e + kernel[i];
        if (out[i + 2] < 0)
            return tni_fail(err, TN_EINVAL, "negative extent on axis %d",
                            i + 2);
    }
    return TN_OK;
}

static tn_status max_unpool_infer(tni_infer *c)
{
    int64_t dims[TN_MAX_RANK];
    const tni_tensor *const shape = tni_infer_const(c, 2);
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    TN_TRY(natural_dims(dims, c->node, c->in[0]->rank, c->in[0]->dims, c->err));
    if (shape != NULL) {
        int n = 0;
        TN_TRY(tni_tensor_ints(dims, &n, shape, c->err));
        if (n != c->in[0]->rank)
            return tni_fail(c->err, TN_EINVAL,
                            "output_shape has %d values, expected %d", n,
                            c->in[0]->rank);
    } else if (tni_infer_has(c, 2)) {
        for (int i = 0; i < c->in[0]->rank; i++) dims[i] = TNI_DIM_UNKNOWN;
    }
    return tni_infer_dims(c, 0, c->in[0]->dtype, c->in[0]->rank, dims);
}

static tn_status max_unpool_ref(tni_ref *c)
{
    const tni_tensor *const x = c->in[0], *const idx = c->in[1];
    const size_t size = tn_dtype_size(x->dtype);
    int64_t natural[TN_MAX_RANK], dims[TN_MAX_RANK], total = 0;
    TN_TRY(natural_dims(natural, c->node, x->rank, x->dims, c->err));
    memcpy(dims, natural, sizeof dims);
    if (tni_ref_has(c, 2)) {
        int n = 0;
        TN_TRY(tni_tensor_ints(dims, &n, c->in[2], c->err));
        for (int i = 0; i < x->rank; i++)
            if (n != x->rank || dims[i] < natural[i])
                return tni_fail(c->err, TN_EINVAL,
                                "output_shape is smaller than the input needs");
    }
    if (!tni_same_shape(x, idx))
        return tni_fail(c->err, TN_EINVAL, "X and I differ in shape");
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    if (!tni_dims_len(&total, x->rank, natural))
        return tni_fail(c->err, TN_ELIMIT, "output is too large");
    if (c->out[0]->len > 0)
        memset(c->out[0]->data, 0, (size_t)c->out[0]->len * size);
    for (int64_t i = 0; i < x->len; i++) {
        int64_t at = TNI_CDATA(int64_t, idx)[i], to = 0, step = 1;
        if (at < 0 || at >= total)
            return tni_fail(c->err, TN_EINVAL,
                            "index %lld is outside the %lld outputs",
                            (long long)at, (long long)total);
        for (int a = x->rank - 1; a >= 0; a--) {
            to += at % natural[a] * step;
            at /= natural[a];
            step *= dims[a];
        }
        memcpy(TNI_DATA(char, c->out[0]) + (size_t)to * size,
               TNI_CDATA(char, x) + (size_t)i * size, size);
    }
    return TN_OK;
}

static const tni_op_version max_unpool_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_9),
     .traits = TNI_DATA_SHAPED,
     .infer = max_unpool_infer,
     .ref = max_unpool_ref},
    {.since = 9,
     TNI_IN(in_9),
     TNI_OUT(out_9),
     TNI_ATTRS(attrs_9),
     .traits = TNI_DATA_SHAPED,
     .infer = max_unpool_infer,
     .ref = max_unpool_ref},
};

const tni_op tni_op_max_unpool = {
    .domain = "",
    .name = "MaxUnpool",
    .summary = "Puts maxima back to where MaxPool found them.",
    TNI_VERSIONS(max_unpool_versions),
};
