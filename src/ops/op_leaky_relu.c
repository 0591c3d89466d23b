/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_leaky_relu.c - ONNX LeakyRelu, opsets 1, 6, 16
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha
 * Numeric: y = x, or alpha x below zero; correctly rounded
 * Source:  onnx.ai/onnx/operators, LeakyRelu; node tests test_leakyrelu*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, float, x < 0.0f ? args->f[0] * x : x)
TNI_MAP_LOOP(loop_f64, double, double, x < 0.0 ? (double)args->f[0] * x : x)

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "alpha", 0.01f);
}

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_LEAKYRELU,
    .args = get_args,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"alpha", TNI_ATTR_FLOAT, "0.01"},
};
static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "0.01"},
    {"consumed_inputs", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 6,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs_1),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_leaky_relu = {
    .domain = "",
    .name = "LeakyRelu",
    .summary = "x, or alpha x below zero",
    TNI_VERSIONS(versions),
};
