/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_optional.c - ONNX Optional, opset 15
 *
 * Shapes:  input?  ->  output, an optional that holds it
 * Types:   tensors and sequences; attribute type says which when it is empty
 */
#include "ops/container.h"

static tn_status infer(tni_infer *c)
{
    const tni_type *elem = tni_infer_has(c, 0) ? c->in[0] : NULL;
    const tni_attr *type = tni_attr_find(c->node, "type");
    if (elem == NULL && type == NULL)
        return tni_fail(c->err, TN_EINVAL,
                        "neither an input nor an attribute type");
    if (elem == NULL) elem = type->v.type;
    return tni_infer_container(c, 0, TN_KIND_OPTIONAL, elem);
}

static tn_status ref(tni_ref *c)
{
    const bool full = tni_ref_has(c, 0);
    const tni_tensor **items = NULL;
    TN_TRY(tni_ref_container(c, 0, TN_KIND_OPTIONAL,
                             full ? c->in[0]->dtype : TN_UNDEFINED,
                             full ? 1 : 0, &items));
    if (items == NULL || !full) return TN_OK;
    return tni_ref_keep(&items[0], c, c->in[0]);
}

static const tni_arg ins[] = {
    {"input", 0, 0, TNI_NONTENSOR | TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output", 0, 0, TNI_NONTENSOR}};
static const tni_attr_spec attrs[] = {{"type", TNI_ATTR_TYPE, NULL}};

static const tni_op_version versions[] = {
    {.since = 15, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_optional = {
    .domain = "",
    .name = "Optional",
    .summary = "A value that may be absent",
    TNI_VERSIONS(versions),
};
