/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_top_k.c - ONNX TopK, opsets 1, 10, 11
 *
 * Shapes:  X[…, n, …], K  ->  Values[…, k, …], Indices alike
 * Types:   numbers -> the same, int64
 * Attrs:   axis, largest, sorted (the answer is always sorted)
 * Errors:  EINVAL k outside [0, n]
 * Numeric: bit-exact; equal values in the order of their indices, NaN counts
 *          as larger than everything
 */
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/order.h"

#include <string.h>

static tn_status check_k(int64_t k, int64_t n, tn_err *err)
{
    if (k < 0 || (n >= 0 && k > n))
        return tni_fail(err, TN_EINVAL, "k is %lld for an axis of %lld",
                        (long long)k, (long long)n);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    tni_infer_unranked(c, 1, TN_I64);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", -1), x->rank,
                    c->err));
    int64_t k = TNI_DIM_UNKNOWN, dims[TN_MAX_RANK];
    if (c->opset < 10)
        k = tni_attr_int(c->node, "k", 0);
    else if (tni_infer_const(c, 1) != NULL)
        TN_TRY(tni_scalar_i64(&k, tni_infer_const(c, 1), "K", c->err));
    if (c->opset < 10 || tni_infer_const(c, 1) != NULL)
        TN_TRY(check_k(k, x->dims[axis], c->err));
    for (int d = 0; d < x->rank; d++) dims[d] = d == axis ? k : x->dims[d];
    TN_TRY(tni_infer_dims(c, 0, dtype, x->rank, dims));
    return tni_infer_dims(c, 1, TN_I64, x->rank, dims);
}

static bool smaller(const void *ctx, int64_t a, int64_t b)
{
    const uint64_t *keys = ctx;
    return keys[a] < keys[b] || (keys[a] == keys[b] && a < b);
}

static bool larger(const void *ctx, int64_t a, int64_t b)
{
    const uint64_t *keys = ctx;
    return keys[a] > keys[b] || (keys[a] == keys[b] && a < b);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int axis = 0;
    int64_t k = tni_attr_int(c->node, "k", 0), dims[TN_MAX_RANK];
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", -1), x->rank,
                    c->err));
    if (c->opset >= 10) TN_TRY(tni_scalar_i64(&k, c->in[1], "K", c->err));
    const int64_t n = x->dims[axis];
    TN_TRY(check_k(k, n, c->err));
    for (int d = 0; d < x->rank; d++) dims[d] = d == axis ? k : x->dims[d];
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    TN_TRY(tni_ref_output(c, 1, TN_I64, x->rank, dims));
    if (k == 0 || x->len == 0) return TN_OK;
    uint64_t *keys = tni_ref_scratch(c, (size_t)n * sizeof *keys);
    int64_t *best = tni_ref_scratch(c, (size_t)k * sizeof *best);
    if (keys == NULL || best == NULL) return tni_ref_nomem(c);
    const tni_before_fn before =
        tni_attr_int(c->node, "largest", 1) != 0 ? larger : smaller;
    int64_t inner = 1;
    for (int d = axis + 1; d < x->rank; d++) inner *= x->dims[d];
    const size_t elem = tn_dtype_size(x->dtype);
    for (int64_t row = 0; row < x->len / n; row++) {
        const int64_t o = row / inner, i = row % inner;
        const int64_t first = o * n * inner + i;
        tni_order_keys(keys, x, first, inner, n, TNI_NAN_LAST);
        tni_order_first(best, k, n, before, keys);
        for (int64_t j = 0; j < k; j++) {
            const int64_t to = (o * k + j) * inner + i;
            if (tni_ref_wants(c, 0))
                memcpy((char *)c->out[0]->data + (size_t)to * elem,
                       (const char *)x->data +
                           (size_t)(first + best[j] * inner) * elem,
                       elem);
            if (tni_ref_wants(c, 1))
                TNI_DATA(int64_t, c->out[1])[to] = best[j];
        }
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_NUMERIC, 'T', 0},
                              {"K", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"Values", TNI_NUMERIC, 'T', 0},
                               {"Indices", TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs_11[] = {{"axis", TNI_ATTR_INT, "-1"},
                                         {"largest", TNI_ATTR_INT, "1"},
                                         {"sorted", TNI_ATTR_INT, "1"}};
static const tni_attr_spec attrs_1[] = {{"axis", TNI_ATTR_INT, "-1"},
                                        {"k", TNI_ATTR_INT, "required"}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs_11),
     .infer = infer, .ref = ref},
    {.since = 10, TNI_IN(ins), TNI_OUT(outs), .attrs = attrs_11, .n_attrs = 1,
     .infer = infer, .ref = ref},
    {.since = 1, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_1),
     .infer = infer, .ref = ref},
};

const tni_op tni_op_top_k = {
    .domain = "",
    .name = "TopK",
    .summary = "The k largest or smallest elements along an axis",
    TNI_VERSIONS(versions),
};
