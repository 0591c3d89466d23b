/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_expand_dims.c - com.microsoft ExpandDims, version 1
 *
 * Shapes:  X[…], axis  ->  Y with an extent of 1 inserted at axis
 * Types:   all
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status expanded(int64_t *out, int rank, const int64_t *dims,
                          const tni_tensor *axis, tn_err *err)
{
    int64_t a = 0;
    int at = 0, k = 0;
    if (rank + 1 > TN_MAX_RANK)
        return tni_fail(err, TN_ELIMIT, "rank %d exceeds %d", rank + 1,
                        (int)TN_MAX_RANK);
    TN_TRY(tni_scalar_i64(&a, axis, "axis", err));
    TN_TRY(tni_axis(&at, a, rank + 1, err));
    for (int d = 0; d <= rank; d++) out[d] = d == at ? 1 : dims[k++];
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    if (!tni_infer_ranked(c, 0) || tni_infer_const(c, 1) == NULL) return TN_OK;
    int64_t dims[TN_MAX_RANK];
    const tni_type *x = c->in[0];
    TN_TRY(expanded(dims, x->rank, x->dims, tni_infer_const(c, 1), c->err));
    return tni_infer_dims(c, 0, x->dtype, x->rank + 1, dims);
}

static tn_status ref(tni_ref *c)
{
    int64_t dims[TN_MAX_RANK];
    TN_TRY(expanded(dims, c->in[0]->rank, c->in[0]->dims, c->in[1], c->err));
    return tni_ref_reshaped(c, c->in[0]->rank + 1, dims);
}

static const tni_arg ins[] = {{"X", TNI_ANY, 'T', 0},
                              {"axis", TNI_T(TN_I32), 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_ANY, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_VIEW,
     .infer = infer, .ref = ref},
};

const tni_op tni_op_ms_expand_dims = {
    .domain = "com.microsoft",
    .name = "ExpandDims",
    .summary = "Inserts a dimension of extent 1",
    TNI_VERSIONS(versions),
};
