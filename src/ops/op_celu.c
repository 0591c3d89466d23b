/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_celu.c - ONNX Celu, opsets 12, 28
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha
 * Numeric: y = max(0, x) + min(0, alpha (exp(x / alpha) - 1)); the f32 kernel
 *          is within the bound of unary.c, ref is libm
 * Source:  onnx.ai/onnx/operators, Celu; node tests test_celu*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float,
             x > 0.0f ? x : args->f[0] * expm1f(x / args->f[0]))
TNI_MAP_LOOP(loop_f64, double, double,
             x > 0.0 ? x : (double)args->f[0] * expm1(x / (double)args->f[0]))

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "alpha", 1.0f);
    args->f[1] = 1.0f; /* gamma and beta of the kernel */
    args->f[2] = 1.0f / args->f[0];
}

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_ELU,
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
    {"alpha", TNI_ATTR_FLOAT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 12,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_celu = {
    .domain = "",
    .name = "Celu",
    .summary = "Continuously differentiable exponential linear unit",
    TNI_VERSIONS(versions),
};
