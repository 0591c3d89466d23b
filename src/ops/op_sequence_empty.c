/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sequence_empty.c - ONNX SequenceEmpty, opset 11
 *
 * Shapes:  ()  ->  output, a sequence of no tensors
 * Attrs:   dtype of the tensors to come (float32)
 */
#include "ops/container.h"
#include "ops/move.h"

static tn_status infer(tni_infer *c)
{
    tni_type elem = {.kind = TN_KIND_TENSOR, .rank = -1};
    TN_TRY(tni_attr_dtype(&elem.dtype, c->node, "dtype", TN_F32, c->err));
    return tni_infer_container(c, 0, TN_KIND_SEQUENCE, &elem);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor **items = NULL;
    tn_dtype dtype = TN_F32;
    TN_TRY(tni_attr_dtype(&dtype, c->node, "dtype", TN_F32, c->err));
    return tni_ref_container(c, 0, TN_KIND_SEQUENCE, dtype, 0, &items);
}

static const tni_arg outs[] = {{"output", 0, 0, TNI_NONTENSOR}};
static const tni_attr_spec attrs[] = {{"dtype", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_sequence_empty = {
    .domain = "",
    .name = "SequenceEmpty",
    .summary = "A sequence without items",
    TNI_VERSIONS(versions),
};
