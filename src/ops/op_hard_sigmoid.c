/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_hard_sigmoid.c - ONNX HardSigmoid, opsets 1, 6, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha, beta
 * Numeric: two roundings
 * Source:  onnx.ai/onnx/operators, HardSigmoid; node tests test_hardsigmoid*
 */
#include "ops/elementwise.h"

static float unit_f32(float v)
{
    return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
}

static double unit_f64(double v)
{
    return v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v;
}

TNI_MAP_LOOP(loop_f32, float, float, unit_f32(args->f[0] * x + args->f[1]))
TNI_MAP_LOOP(loop_f64, double, double,
             unit_f64((double)args->f[0] * x + (double)args->f[1]))

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "alpha", 0.2f);
    args->f[1] = tni_attr_float(node, "beta", 0.5f);
}

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_HARDSIGMOID,
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
    {"alpha", TNI_ATTR_FLOAT, "0.2"},
    {"beta", TNI_ATTR_FLOAT, "0.5"},
};
static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "0.2"},
    {"beta", TNI_ATTR_FLOAT, "0.5"},
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

const tni_op tni_op_hard_sigmoid = {
    .domain = "",
    .name = "HardSigmoid",
    .summary = "alpha x + beta cut to [0, 1]",
    TNI_VERSIONS(versions),
};
