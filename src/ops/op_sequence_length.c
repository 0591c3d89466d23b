/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sequence_length.c - ONNX SequenceLength, opset 11
 *
 * Shapes:  input_sequence  ->  length[]
 * Types:   a sequence -> int64
 */
#include "ops/container.h"

static tn_status infer(tni_infer *c)
{
    return tni_infer_dims(c, 0, TN_I64, 0, NULL);
}

static tn_status ref(tni_ref *c)
{
    TN_TRY(tni_ref_sequence(c, 0));
    TN_TRY(tni_ref_output(c, 0, TN_I64, 0, NULL));
    if (tni_ref_wants(c, 0)) *TNI_DATA(int64_t, c->out[0]) = c->in[0]->len;
    return TN_OK;
}

static const tni_arg ins[] = {{"input_sequence", 0, 0, TNI_NONTENSOR}};
static const tni_arg outs[] = {{"length", TNI_T(TN_I64), 0, 0}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_sequence_length = {
    .domain = "",
    .name = "SequenceLength",
    .summary = "The number of items of a sequence",
    TNI_VERSIONS(versions),
};
