/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sequence_erase.c - ONNX SequenceErase, opset 11
 *
 * Shapes:  input_sequence[n], position (the last)  ->  output_sequence[n - 1]
 * Types:   all
 * Errors:  EINVAL a position outside [-n, n)
 */
#include "ops/container.h"

static tn_status infer(tni_infer *c)
{
    const tni_type *elem = NULL;
    TN_TRY(tni_infer_item(&elem, c, 0, TN_KIND_SEQUENCE));
    return tni_infer_container(c, 0, TN_KIND_SEQUENCE, elem);
}

static tn_status ref(tni_ref *c)
{
    TN_TRY(tni_ref_sequence(c, 0));
    const tni_tensor *seq = c->in[0];
    int64_t at = 0, k = 0;
    TN_TRY(tni_ref_position(&at, c, 1, seq->len, false, seq->len - 1));
    const tni_tensor **items = NULL;
    TN_TRY(tni_ref_container(c, 0, TN_KIND_SEQUENCE, seq->dtype, seq->len - 1,
                             &items));
    for (int64_t i = 0; i < seq->len && items != NULL; i++)
        if (i != at) items[k++] = tni_item(seq, i);
    return TN_OK;
}

static const tni_arg ins[] = {
    {"input_sequence", 0, 0, TNI_NONTENSOR},
    {"position", TNI_T(TN_I32) | TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output_sequence", 0, 0, TNI_NONTENSOR}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_sequence_erase = {
    .domain = "",
    .name = "SequenceErase",
    .summary = "Takes an item out of a sequence",
    TNI_VERSIONS(versions),
};
