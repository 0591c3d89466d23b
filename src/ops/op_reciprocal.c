/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_reciprocal.c - ONNX Reciprocal, opsets 1, 6, 13
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: correctly rounded
 * Source:  onnx.ai/onnx/operators, Reciprocal; node tests test_reciprocal*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, float, 1.0f / x)
TNI_MAP_LOOP(loop_f64, double, double, 1.0 / x)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_RECIPROCAL,
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

const tni_op tni_op_reciprocal = {
    .domain = "",
    .name = "Reciprocal",
    .summary = "1 / x",
    TNI_VERSIONS(versions),
};
