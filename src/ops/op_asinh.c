/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_asinh.c - ONNX Asinh, opsets 9, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = asinh(x); libm, halves through float
 * Source:  onnx.ai/onnx/operators, Asinh; node tests test_asinh*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float, asinhf(x))
TNI_MAP_LOOP(loop_f64, double, double, asinh(x))

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
    {.since = 9,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_asinh = {
    .domain = "",
    .name = "Asinh",
    .summary = "Inverse hyperbolic sine",
    TNI_VERSIONS(versions),
};
