/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_optional_has_element.c - ONNX OptionalHasElement, opset 15
 *
 * Shapes:  input? of any kind  ->  output[], false for an omitted input and an
 *          empty optional
 * Types:   any -> bool
 */
#include "ops/container.h"

static tn_status infer(tni_infer *c)
{
    return tni_infer_dims(c, 0, TN_BOOL, 0, NULL);
}

static tn_status ref(tni_ref *c)
{
    const bool full =
        tni_ref_has(c, 0) && c->in[0]->kind != TN_KIND_NONE &&
        (c->in[0]->kind != TN_KIND_OPTIONAL || c->in[0]->len != 0);
    TN_TRY(tni_ref_output(c, 0, TN_BOOL, 0, NULL));
    if (tni_ref_wants(c, 0)) *TNI_DATA(uint8_t, c->out[0]) = full;
    return TN_OK;
}

static const tni_arg ins[] = {
    {"input", 0, 0, TNI_NONTENSOR | TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output", TNI_BOOLS, 0, 0}};

static const tni_op_version versions[] = {
    {.since = 15, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_optional_has_element = {
    .domain = "",
    .name = "OptionalHasElement",
    .summary = "Whether an optional holds a value",
    TNI_VERSIONS(versions),
};
