/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_scatter_nd.c - ONNX ScatterND, opsets 11, 16
 *
 * Shapes:  data[d…], indices[i…, k], updates[i…, d(k)…]  ->  output like data
 * Types:   all; reductions of numbers and bool
 * Errors:  EINVAL an index out of range, shapes that do not fit
 * Numeric: updates are applied in order; integers wrap
 */
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/scatter.h"

static tn_status check(const tni_tensor *x, const tni_tensor *indices,
                       const tni_tensor *updates, tn_err *err)
{
    const int64_t k =
        indices->rank > 0 ? indices->dims[indices->rank - 1] : 0;
    bool fits = k >= 1 && k <= x->rank &&
                updates->rank == indices->rank - 1 + x->rank - (int)k;
    for (int d = 0; fits && d < indices->rank - 1; d++)
        fits = updates->dims[d] == indices->dims[d];
    for (int d = (int)k; fits && d < x->rank; d++)
        fits = updates->dims[indices->rank - 1 + d - (int)k] == x->dims[d];
    if (fits) return TN_OK;
    char a[90], b[90], u[90];
    return tni_fail(err, TN_EINVAL,
                    "data %s, indices %s and updates %s do not fit together",
                    tni_shape_text(a, sizeof a, x),
                    tni_shape_text(b, sizeof b, indices),
                    tni_shape_text(u, sizeof u, updates));
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *indices = c->in[1], *updates = c->in[2];
    tni_scatter_op op = TNI_SCATTER_NONE;
    TN_TRY(tni_scatter_reduction(&op, c->node, x->dtype, c->err));
    TN_TRY(check(x, indices, updates, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_move(c->out[0], x);
    if (updates->len == 0) return TN_OK;
    int64_t strides[TN_MAX_RANK];
    tni_strides(strides, x->rank, x->dims);
    const int64_t k = indices->dims[indices->rank - 1];
    const int64_t run = strides[k - 1], tuples = indices->len / k;
    const size_t elem = tn_dtype_size(x->dtype);
    char *to = c->out[0]->data;
    const char *from = updates->data;
    for (int64_t t = 0; t < tuples; t++) {
        int64_t off = 0;
        for (int64_t i = 0; i < k; i++) {
            int64_t at = 0;
            TN_TRY(tni_index(&at, tni_get_i64(indices, t * k + i), x->dims[i],
                             c->err));
            off += at * strides[i];
        }
        tni_scatter_row(to + (size_t)off * elem,
                        from + (size_t)(t * run) * elem, run, x->dtype, op);
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"indices", TNI_T(TN_I64), 0, 0},
                              {"updates", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"reduction", TNI_ATTR_STRING, "none"}};

static const tni_op_version versions[] = {
    {.since = 16, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = tni_infer_unary, .ref = ref},
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = tni_infer_unary,
     .ref = ref},
};

const tni_op tni_op_scatter_nd = {
    .domain = "",
    .name = "ScatterND",
    .summary = "Writes slices by index tuples",
    TNI_VERSIONS(versions),
};
