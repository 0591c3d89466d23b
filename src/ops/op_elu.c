/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_elu.c - ONNX Elu, opsets 1, 6, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha
 * Numeric: y = x > 0 ? x : alpha (exp(x) - 1); the f32 kernel is within the
 *          bound of unary.c, ref is libm
 * Source:  onnx.ai/onnx/operators, Elu; node tests test_elu*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float, x > 0.0f ? x : args->f[0] * expm1f(x))
TNI_MAP_LOOP(loop_f64, double, double,
             x > 0.0 ? x : (double)args->f[0] * expm1(x))

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "alpha", 1.0f);
    args->f[1] = 1.0f; /* gamma and beta of the kernel */
    args->f[2] = 1.0f;
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
static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "1"},
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

const tni_op tni_op_elu = {
    .domain = "",
    .name = "Elu",
    .summary = "x, or alpha (exp(x) - 1) below zero",
    TNI_VERSIONS(versions),
};
