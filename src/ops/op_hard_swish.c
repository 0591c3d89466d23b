/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_hard_swish.c - ONNX HardSwish, opsets 14, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = x max(0, min(1, x / 6 + 1 / 2))
 * Source:  onnx.ai/onnx/operators, HardSwish; node tests test_hardswish*
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

TNI_MAP_LOOP(loop_f32, float, float, x *unit_f32(x *(1.0f / 6.0f) + 0.5f))
TNI_MAP_LOOP(loop_f64, double, double, x *unit_f64(x *(1.0 / 6.0) + 0.5))

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_HARDSWISH,
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

static const tni_op_version versions[] = {
    {.since = 14,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_hard_swish = {
    .domain = "",
    .name = "HardSwish",
    .summary = "x times hard sigmoid of x",
    TNI_VERSIONS(versions),
};
