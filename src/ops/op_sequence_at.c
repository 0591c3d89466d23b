/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sequence_at.c - ONNX SequenceAt, opset 11
 *
 * Shapes:  input_sequence[n], position  ->  tensor
 * Types:   all
 * Errors:  EINVAL a position outside [-n, n)
 */
#include "ops/container.h"

static tn_status infer(tni_infer *c)
{
    const tni_type *elem = NULL;
    TN_TRY(tni_infer_item(&elem, c, 0, TN_KIND_SEQUENCE));
    if (elem != NULL && c->n_out > 0) c->out[0] = *elem;
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    TN_TRY(tni_ref_sequence(c, 0));
    int64_t at = 0;
    TN_TRY(tni_ref_position(&at, c, 1, c->in[0]->len, false, 0));
    return tni_ref_output_copy(c, 0, tni_item(c->in[0], at));
}

static const tni_arg ins[] = {
    {"input_sequence", 0, 0, TNI_NONTENSOR},
    {"position", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"tensor", 0, 0, TNI_NONTENSOR}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_DATA_SHAPED,
     .infer = infer, .ref = ref},
};

const tni_op tni_op_sequence_at = {
    .domain = "",
    .name = "SequenceAt",
    .summary = "An item of a sequence",
    TNI_VERSIONS(versions),
};
