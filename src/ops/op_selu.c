/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_selu.c - ONNX Selu, opsets 1, 6, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha, gamma
 * Numeric: y = gamma (x > 0 ? x : alpha (exp(x) - 1)); the f32 kernel is within
 *          the bound of unary.c, ref is libm
 * Source:  onnx.ai/onnx/operators, Selu; node tests test_selu*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float,
             args->f[1] * (x > 0.0f ? x : args->f[0] * expm1f(x)))
TNI_MAP_LOOP(loop_f64, double, double,
             (double)args->f[1] * (x > 0.0 ? x : (double)args->f[0] * expm1(x)))

static void get_args(tni_ew_args *args, const tni_node *node)
{
    /* Opset 1 had four digits. */
    const bool old = node->ver->since == 1;
    args->f[0] = tni_attr_float(node, "alpha", old ? 1.6732f : 1.6732632f);
    args->f[1] = tni_attr_float(node, "gamma", old ? 1.0507f : 1.050701f);
    args->f[2] = 1.0f; /* beta of the kernel */
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
    {"alpha", TNI_ATTR_FLOAT, "1.6732632"},
    {"gamma", TNI_ATTR_FLOAT, "1.050701"},
};
static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "1.6732632"},
    {"gamma", TNI_ATTR_FLOAT, "1.050701"},
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

const tni_op tni_op_selu = {
    .domain = "",
    .name = "Selu",
    .summary = "Scaled exponential linear unit",
    TNI_VERSIONS(versions),
};
