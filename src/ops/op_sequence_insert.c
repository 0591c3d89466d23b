/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sequence_insert.c - ONNX SequenceInsert, opset 11
 *
 * Shapes:  input_sequence[n], tensor, position (the end)  ->
 *          output_sequence[n + 1]
 * Types:   all
 * Errors:  EINVAL a position outside [-n, n], another dtype than the items'
 */
#include "ops/container.h"
#include "ops/subgraph.h"

static tn_status infer(tni_infer *c)
{
    const tni_type *elem = NULL;
    TN_TRY(tni_infer_item(&elem, c, 0, TN_KIND_SEQUENCE));
    tni_type joined = {.kind = TN_KIND_NONE};
    if (elem != NULL && tni_infer_has(c, 1))
        TN_TRY(tni_type_join(&joined, elem, c->in[1], c->arena, c->err));
    return tni_infer_container(c, 0, TN_KIND_SEQUENCE, &joined);
}

static tn_status ref(tni_ref *c)
{
    TN_TRY(tni_ref_sequence(c, 0));
    const tni_tensor *seq = c->in[0], *tensor = c->in[1];
    int64_t at = 0;
    TN_TRY(tni_ref_position(&at, c, 2, seq->len, true, seq->len));
    if (seq->len > 0 && tni_item(seq, 0)->dtype != tensor->dtype)
        return tni_fail(c->err, TN_EINVAL,
                        "a %s tensor into a sequence of %s",
                        tn_dtype_name(tensor->dtype),
                        tn_dtype_name(tni_item(seq, 0)->dtype));
    const tni_tensor **items = NULL;
    TN_TRY(tni_ref_container(c, 0, TN_KIND_SEQUENCE, tensor->dtype,
                             seq->len + 1, &items));
    if (items == NULL) return TN_OK;
    for (int64_t i = 0; i < at; i++) items[i] = tni_item(seq, i);
    TN_TRY(tni_ref_keep(&items[at], c, tensor));
    for (int64_t i = at; i < seq->len; i++) items[i + 1] = tni_item(seq, i);
    return TN_OK;
}

static const tni_arg ins[] = {
    {"input_sequence", 0, 0, TNI_NONTENSOR},
    {"tensor", TNI_ANY, 0, 0},
    {"position", TNI_T(TN_I32) | TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output_sequence", 0, 0, TNI_NONTENSOR}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_sequence_insert = {
    .domain = "",
    .name = "SequenceInsert",
    .summary = "Adds a tensor to a sequence",
    TNI_VERSIONS(versions),
};
