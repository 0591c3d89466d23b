/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_mul.c - ONNX Mul, opsets 1, 6, 7, 13, 14
 *
 * Shapes:  a, b broadcast -> c; before opset 7 b goes into a by broadcast and
 *          axis
 * Types:   all numeric
 * Numeric: correctly rounded; integers wrap
 * Source:  onnx.ai/onnx/operators, Mul; node tests test_mul*
 */
#include "ops/elementwise.h"

TNI_ZIP_LOOP(loop_f32, float, float, float, x *y)
TNI_ZIP_LOOP(loop_f64, double, double, double, x *y)
TNI_ZIP_WRAP_LOOPS(loop, x *y)

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .has_kernel = true,
    .kernel = TNI_BINARY_MUL,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_zip_ref(c, &zip);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_zip_plan(c, &zip);
}

static const tni_arg in[] = {
    {"A", TNI_NUMERIC, 'T', 0},
    {"B", TNI_NUMERIC, 'T', 0},
};
static const tni_arg out[] = {{"C", TNI_NUMERIC, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 7,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_broadcast,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_legacy_attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_legacy,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_mul = {
    .domain = "",
    .name = "Mul",
    .summary = "a b",
    TNI_VERSIONS(versions),
};
