/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_flatten.c - ONNX Flatten, opsets 1, 11
 *
 * Shapes:  input[d0 … dn]  ->  output[d0 · … · d(axis-1), d(axis) · … · dn]
 * Types:   all
 * Errors:  EINVAL axis outside [-rank, rank]
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status split_axis(int *axis, const tni_node *node, int rank,
                            tn_err *err)
{
    const int64_t a = tni_attr_int(node, "axis", 1);
    if (a < -rank || a > rank)
        return tni_fail(err, TN_EINVAL, "axis %lld is outside [%d, %d]",
                        (long long)a, -rank, rank);
    *axis = (int)(a < 0 ? a + rank : a);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    int64_t dims[2] = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN};
    if (tni_infer_ranked(c, 0)) {
        const tni_type *x = c->in[0];
        int axis = 0;
        TN_TRY(split_axis(&axis, c->node, x->rank, c->err));
        dims[0] = tni_dims_product(axis, x->dims);
        dims[1] = tni_dims_product(x->rank - axis, x->dims + axis);
    }
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 2, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int axis = 0;
    TN_TRY(split_axis(&axis, c->node, x->rank, c->err));
    const int64_t dims[2] = {tni_dims_product(axis, x->dims),
                             tni_dims_product(x->rank - axis, x->dims + axis)};
    return tni_ref_reshaped(c, 2, dims);
}

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_VIEW, .infer = infer, .ref = ref},
};

const tni_op tni_op_flatten = {
    .domain = "",
    .name = "Flatten",
    .summary = "Reshapes to a matrix",
    TNI_VERSIONS(versions),
};
