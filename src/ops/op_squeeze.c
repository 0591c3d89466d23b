/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_squeeze.c - ONNX Squeeze, opsets 1, 13
 *
 * Shapes:  drops the named axes, or every axis of extent 1
 * Types:   all
 * Errors:  EINVAL a named axis has another extent
 */
#include "ops/infer.h"
#include "ops/move.h"

/* n < 0: every axis of extent 1. */
static tn_status squeezed(int64_t *out, int *rank_out, int rank,
                          const int64_t *dims, const int64_t *axes, int n,
                          tn_err *err)
{
    uint32_t mask = 0;
    if (n >= 0) TN_TRY(tni_axes_mask(&mask, axes, n, rank, err));
    int r = 0;
    for (int d = 0; d < rank; d++) {
        const bool drop = n >= 0 ? ((mask >> d) & 1u) != 0 : dims[d] == 1;
        if (!drop) {
            out[r++] = dims[d];
        } else if (dims[d] >= 0 && dims[d] != 1) {
            return tni_fail(err, TN_EINVAL,
                            "axis %d has extent %lld, expected 1", d,
                            (long long)dims[d]);
        }
    }
    *rank_out = r;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    int64_t axes[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0, rank = 0;
    bool known = false;
    TN_TRY(tni_infer_axes(c, 1, axes, &n, &known));
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    if (!known || !tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    if (n < 0)
        for (int d = 0; d < x->rank; d++)
            if (x->dims[d] < 0) return TN_OK;
    TN_TRY(squeezed(dims, &rank, x->rank, x->dims, axes, n, c->err));
    return tni_infer_dims(c, 0, x->dtype, rank, dims);
}

static tn_status ref(tni_ref *c)
{
    int64_t axes[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0, rank = 0;
    TN_TRY(tni_ref_axes(c, 1, axes, &n));
    TN_TRY(squeezed(dims, &rank, c->in[0]->rank, c->in[0]->dims, axes, n,
                    c->err));
    return tni_ref_reshaped(c, rank, dims);
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"axes", TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"squeezed", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs_1[] = {{"axes", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 13, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_VIEW,
     .infer = infer, .ref = ref},
    {.since = 1, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_1),
     .traits = TNI_VIEW, .infer = infer, .ref = ref},
};

const tni_op tni_op_squeeze = {
    .domain = "",
    .name = "Squeeze",
    .summary = "Drops dimensions of extent 1",
    TNI_VERSIONS(versions),
};
