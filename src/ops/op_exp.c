/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_exp.c - ONNX Exp, opsets 1, 6, 13
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = exp(x); the f32 kernel is within the bound of unary.c, ref is
 *          libm
 * Source:  onnx.ai/onnx/operators, Exp; node tests test_exp*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float, expf(x))
TNI_MAP_LOOP(loop_f64, double, double, exp(x))

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_EXP,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"input", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {{"output", TNI_FLOATS, 'T', 0}};

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

const tni_op tni_op_exp = {
    .domain = "",
    .name = "Exp",
    .summary = "Exponential",
    TNI_VERSIONS(versions),
};
