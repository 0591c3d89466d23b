/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_gelu.c - ONNX Gelu, opset 20
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   approximate: none (erf) or tanh
 * Numeric: y = x (1 + erf(x / sqrt 2)) / 2; the f32 kernels are within the bound
 *          of unary.c, ref is libm
 * Source:  onnx.ai/onnx/operators, Gelu; node tests test_gelu*
 */
#include "ops/gelu.h"

static tn_status choose(const tni_ew_map **map, const tni_node *node,
                        tn_err *err)
{
    const bool exact = tni_attr_is(node, "approximate", "none", "none");
    if (!exact && !tni_attr_is(node, "approximate", "tanh", "none"))
        return tni_fail(err, TN_EINVAL,
                        "attribute 'approximate' must be none or tanh");
    *map = exact ? &tni_gelu_erf : &tni_gelu_tanh;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tni_ew_map *map = NULL;
    TN_TRY(choose(&map, c->node, c->err));
    return tni_infer_unary(c);
}

static tn_status ref(tni_ref *c)
{
    const tni_ew_map *map = NULL;
    TN_TRY(choose(&map, c->node, c->err));
    return tni_ew_map_ref(c, map);
}

static tn_status plan(tni_plan *c)
{
    const tni_ew_map *map = NULL;
    TN_TRY(choose(&map, c->node, c->err));
    return tni_ew_map_plan(c, map);
}

static const tni_arg in[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"approximate", TNI_ATTR_STRING, "none"},
};

static const tni_op_version versions[] = {
    {.since = 20,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_gelu = {
    .domain = "",
    .name = "Gelu",
    .summary = "Gaussian error linear unit",
    TNI_VERSIONS(versions),
};
