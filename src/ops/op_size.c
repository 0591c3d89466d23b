/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_size.c - ONNX Size, opset 1
 *
 * Shapes:  data[…]  ->  size[]
 * Types:   all -> int64
 */
#include "ops/infer.h"

static tn_status infer(tni_infer *c)
{
    return tni_infer_dims(c, 0, TN_I64, 0, NULL);
}

static tn_status ref(tni_ref *c)
{
    TN_TRY(tni_ref_output(c, 0, TN_I64, 0, NULL));
    if (tni_ref_wants(c, 0)) *TNI_DATA(int64_t, c->out[0]) = c->in[0]->len;
    return TN_OK;
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"size", TNI_T(TN_I64), 0, 0}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_SHAPE_ONLY,
     .infer = infer, .ref = ref},
};

const tni_op tni_op_size = {
    .domain = "",
    .name = "Size",
    .summary = "The number of elements of a tensor",
    TNI_VERSIONS(versions),
};
