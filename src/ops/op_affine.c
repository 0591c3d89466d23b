/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_affine.c - ONNX Affine, opset 1
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha, beta
 * Numeric: two roundings
 * Source:  experimental operator of opset 1 that ONNX Runtime runs
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, float, args->f[0] * x + args->f[1])
TNI_MAP_LOOP(loop_f64, double, double,
             (double)args->f[0] * x + (double)args->f[1])

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "alpha", 1.0f);
    args->f[1] = tni_attr_float(node, "beta", 0.0f);
}

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
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
    {"beta", TNI_ATTR_FLOAT, "0"},
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

const tni_op tni_op_affine = {
    .domain = "",
    .name = "Affine",
    .summary = "alpha x + beta",
    TNI_VERSIONS(versions),
};
