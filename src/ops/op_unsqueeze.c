/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_unsqueeze.c - ONNX Unsqueeze, opsets 1, 13
 *
 * Shapes:  inserts extents of 1 so that they stand at `axes` of the output
 * Types:   all
 * Errors:  EINVAL an axis out of range or named twice
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status expanded(int64_t *out, int rank, const int64_t *dims,
                          const int64_t *axes, int n, tn_err *err)
{
    if (rank + n > TN_MAX_RANK)
        return tni_fail(err, TN_ELIMIT, "rank %d exceeds %d", rank + n,
                        (int)TN_MAX_RANK);
    uint32_t mask = 0;
    TN_TRY(tni_axes_mask(&mask, axes, n, rank + n, err));
    int from = 0;
    for (int d = 0; d < rank + n; d++)
        out[d] = ((mask >> d) & 1u) != 0 ? 1 : dims[from++];
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    int64_t axes[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0;
    bool known = false;
    TN_TRY(tni_infer_axes(c, 1, axes, &n, &known));
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    if (!known) {
        if (!tni_infer_ranked(c, 1) || c->in[1]->rank != 1) return TN_OK;
        const int64_t more = c->in[1]->dims[0];
        if (more < 0 || more > TN_MAX_RANK - x->rank) return TN_OK;
        for (int d = 0; d < TN_MAX_RANK; d++) dims[d] = TNI_DIM_UNKNOWN;
        return tni_infer_dims(c, 0, dtype, x->rank + (int)more, dims);
    }
    if (n < 0) n = 0;
    TN_TRY(expanded(dims, x->rank, x->dims, axes, n, c->err));
    return tni_infer_dims(c, 0, dtype, x->rank + n, dims);
}

static tn_status ref(tni_ref *c)
{
    int64_t axes[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0;
    TN_TRY(tni_ref_axes(c, 1, axes, &n));
    if (n < 0) n = 0;
    const tni_tensor *x = c->in[0];
    TN_TRY(expanded(dims, x->rank, x->dims, axes, n, c->err));
    return tni_ref_reshaped(c, x->rank + n, dims);
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"axes", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"expanded", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs_1[] = {{"axes", TNI_ATTR_INTS, "required"}};

static const tni_op_version versions[] = {
    {.since = 13, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_VIEW,
     .infer = infer, .ref = ref},
    {.since = 1, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_1),
     .traits = TNI_VIEW, .infer = infer, .ref = ref},
};

const tni_op tni_op_unsqueeze = {
    .domain = "",
    .name = "Unsqueeze",
    .summary = "Inserts dimensions of extent 1",
    TNI_VERSIONS(versions),
};
