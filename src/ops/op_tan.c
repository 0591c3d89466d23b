/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tan.c - ONNX Tan, opsets 7, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = tan(x); libm, halves through float
 * Source:  onnx.ai/onnx/operators, Tan; node tests test_tan*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float, tanf(x))
TNI_MAP_LOOP(loop_f64, double, double, tan(x))

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
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
    {.since = 7,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_tan = {
    .domain = "",
    .name = "Tan",
    .summary = "Tangent",
    TNI_VERSIONS(versions),
};
