/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_one_hot.c - ONNX OneHot, opsets 9, 11
 *
 * Shapes:  indices[i…], depth, values[2]  ->  output with an axis of `depth`
 *          inserted at `axis`; values are off and on
 * Types:   indices, depth: numbers; values: all
 * Errors:  EINVAL a negative depth. An index out of range gives "off"; since
 *          opset 11 negative ones count from the end
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status hot_dims(int64_t *out, int *axis, const tni_node *node,
                          int rank, const int64_t *dims, int64_t depth,
                          tn_err *err)
{
    if (rank + 1 > TN_MAX_RANK)
        return tni_fail(err, TN_ELIMIT, "rank %d exceeds %d", rank + 1,
                        (int)TN_MAX_RANK);
    TN_TRY(tni_axis(axis, tni_attr_int(node, "axis", -1), rank + 1, err));
    int k = 0;
    for (int d = 0; d <= rank; d++) out[d] = d == *axis ? depth : dims[k++];
    return TN_OK;
}

static tn_status depth_of(int64_t *depth, const tni_tensor *t, tn_err *err)
{
    TN_TRY(tni_scalar_i64(depth, t, "depth", err));
    if (*depth < 0)
        return tni_fail(err, TN_EINVAL, "depth %lld is negative",
                        (long long)*depth);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 2);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    int64_t depth = TNI_DIM_UNKNOWN, dims[TN_MAX_RANK];
    const tni_tensor *t = tni_infer_const(c, 1);
    if (t != NULL) TN_TRY(depth_of(&depth, t, c->err));
    int axis = 0;
    TN_TRY(hot_dims(dims, &axis, c->node, c->in[0]->rank, c->in[0]->dims,
                    depth, c->err));
    return tni_infer_dims(c, 0, dtype, c->in[0]->rank + 1, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *indices = c->in[0], *values = c->in[2];
    int64_t depth = 0, dims[TN_MAX_RANK];
    int axis = 0;
    TN_TRY(depth_of(&depth, c->in[1], c->err));
    TN_TRY(hot_dims(dims, &axis, c->node, indices->rank, indices->dims, depth,
                    c->err));
    if (values->len != 2)
        return tni_fail(c->err, TN_EINVAL, "%lld values, expected off and on",
                        (long long)values->len);
    TN_TRY(tni_ref_output(c, 0, values->dtype, indices->rank + 1, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const size_t elem = tn_dtype_size(values->dtype);
    const char *off = values->data, *on = off + elem;
    char *to = c->out[0]->data;
    tni_fill(to, off, elem, c->out[0]->len);
    int64_t inner = 1;
    for (int d = axis; d < indices->rank; d++) inner *= indices->dims[d];
    for (int64_t i = 0; i < indices->len; i++) {
        const double f =
            tni_is_float(indices->dtype) ? tni_get_f64(indices, i) : 0.0;
        if (!(f >= -9.2e18 && f <= 9.2e18)) continue;
        int64_t at = tni_get_i64(indices, i);
        if (at < 0 && c->opset >= 11) at += depth;
        if (at < 0 || at >= depth) continue;
        const int64_t y = (i / inner * depth + at) * inner + i % inner;
        memcpy(to + (size_t)y * elem, on, elem);
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"indices", TNI_NUMERIC, 0, 0},
                              {"depth", TNI_NUMERIC, 0, 0},
                              {"values", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "-1"}};

static const tni_op_version versions[] = {
    {.since = 9, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_one_hot = {
    .domain = "",
    .name = "OneHot",
    .summary = "Marks each index in a row of its own",
    TNI_VERSIONS(versions),
};
