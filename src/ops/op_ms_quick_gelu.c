/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_quick_gelu.c - com.microsoft QuickGelu
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha
 * Numeric: y = x sigmoid(alpha x); the f32 kernel is within the bound of
 *          unary.c, ref is libm
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.QuickGelu
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

TNI_MAP_LOOP(loop_f32, float, float, x *sigmoid_f32(args->f[0] * x))
TNI_MAP_LOOP(loop_f64, double, double, x *sigmoid_f64((double)args->f[0] * x))

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "alpha", 1.702f);
}

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_QUICKGELU,
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
    {"alpha", TNI_ATTR_FLOAT, "1.702"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_quick_gelu = {
    .domain = "com.microsoft",
    .name = "QuickGelu",
    .summary = "x sigmoid(alpha x)",
    TNI_VERSIONS(versions),
};
