/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_optional_get_element.c - ONNX OptionalGetElement, opset 15
 *
 * Shapes:  input, an optional (since 18 also any other value)  ->  what it
 *          holds
 * Errors:  EINVAL an empty optional
 */
#include "ops/container.h"

static tn_status infer(tni_infer *c)
{
    if (c->n_out == 0 || !tni_infer_has(c, 0)) return TN_OK;
    const tni_type *t = c->in[0];
    if (t->kind != TN_KIND_OPTIONAL)
        c->out[0] = *t;
    else if (t->elem != NULL)
        c->out[0] = *t->elem;
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    if (x->kind != TN_KIND_OPTIONAL) return tni_ref_output_copy(c, 0, x);
    if (x->len == 0)
        return tni_fail(c->err, TN_EINVAL, "the optional is empty");
    return tni_ref_output_copy(c, 0, tni_item(x, 0));
}

static const tni_arg ins[] = {{"input", 0, 0, TNI_NONTENSOR}};
static const tni_arg outs[] = {{"output", 0, 0, TNI_NONTENSOR}};

static const tni_op_version versions[] = {
    {.since = 15, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_DATA_SHAPED,
     .infer = infer, .ref = ref},
};

const tni_op tni_op_optional_get_element = {
    .domain = "",
    .name = "OptionalGetElement",
    .summary = "The value an optional holds",
    TNI_VERSIONS(versions),
};
