/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sequence_construct.c - ONNX SequenceConstruct, opset 11
 *
 * Shapes:  inputs  ->  output_sequence of them
 * Types:   all, one dtype
 */
#include "ops/container.h"
#include "ops/subgraph.h"

static tn_status infer(tni_infer *c)
{
    tni_type elem = {.kind = TN_KIND_NONE};
    for (int i = 0; i < c->n_in; i++)
        if (tni_infer_has(c, i))
            TN_TRY(tni_type_join(&elem, &elem, c->in[i], c->arena, c->err));
    return tni_infer_container(c, 0, TN_KIND_SEQUENCE, &elem);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor **items = NULL;
    TN_TRY(tni_ref_container(c, 0, TN_KIND_SEQUENCE, c->in[0]->dtype, c->n_in,
                             &items));
    for (int i = 0; i < c->n_in && items != NULL; i++)
        TN_TRY(tni_ref_keep(&items[i], c, c->in[i]));
    return TN_OK;
}

static const tni_arg ins[] = {{"inputs", TNI_ANY, 'T', TNI_VARIADIC}};
static const tni_arg outs[] = {{"output_sequence", 0, 0, TNI_NONTENSOR}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_sequence_construct = {
    .domain = "",
    .name = "SequenceConstruct",
    .summary = "A sequence of tensors",
    TNI_VERSIONS(versions),
};
