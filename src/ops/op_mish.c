/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_mish.c - ONNX Mish, opsets 18, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = x tanh(log(1 + exp(x))); the f32 kernel is within the bound of
 *          unary.c, ref is libm
 * Source:  onnx.ai/onnx/operators, Mish; node tests test_mish*
 */
#include "ops/elementwise.h"

#include <math.h>

/* tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2) without cancellation. */
static float mish_f32(float x)
{
    const float e = expf(x > 20.0f ? 20.0f : x);
    const float w = e * (e + 2.0f);
    return x * (w / (w + 2.0f));
}

/* tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2) without cancellation. */
static double mish_f64(double x)
{
    const double e = exp(x > 20.0 ? 20.0 : x);
    const double w = e * (e + 2.0);
    return x * (w / (w + 2.0));
}

TNI_MAP_LOOP(loop_f32, float, float, mish_f32(x))
TNI_MAP_LOOP(loop_f64, double, double, mish_f64(x))

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_MISH,
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
    {.since = 18,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_mish = {
    .domain = "",
    .name = "Mish",
    .summary = "x tanh(softplus(x))",
    TNI_VERSIONS(versions),
};
