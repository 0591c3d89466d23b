/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sigmoid.c - ONNX Sigmoid, opsets 1, 6, 13
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = 1 / (1 + exp(-x)); the f32 kernel is within the bound of
 *          unary.c, ref is libm
 * Source:  onnx.ai/onnx/operators, Sigmoid; node tests test_sigmoid*
 */
#include "ops/elementwise.h"

#include <math.h>

/* Numerator and denominator stay in range for every x. */
static float sigmoid_f32(float x)
{
    const float e = expf(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* Numerator and denominator stay in range for every x. */
static double sigmoid_f64(double x)
{
    const double e = exp(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

TNI_MAP_LOOP(loop_f32, float, float, sigmoid_f32(x))
TNI_MAP_LOOP(loop_f64, double, double, sigmoid_f64(x))

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_SIGMOID,
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
    {.since = 6,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_consumed_attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_sigmoid = {
    .domain = "",
    .name = "Sigmoid",
    .summary = "1 / (1 + exp(-x))",
    TNI_VERSIONS(versions),
};
