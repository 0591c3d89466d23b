/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_min.c - ONNX Min, opsets 1, 6, 8, 12, 13
 *
 * Shapes:  any number of inputs, broadcast -> y
 * Types:   all numeric
 * Numeric: exact; NaN wins
 * Source:  onnx.ai/onnx/operators, Min; node tests test_min*
 */
#include "ops/elementwise.h"

TNI_ZIP_LOOP(loop_f32, float, float, float, y < x || y != y ? y : x)
TNI_ZIP_LOOP(loop_f64, double, double, double, y < x || y != y ? y : x)
TNI_ZIP_INT_LOOPS(loop, y < x ? y : x)

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .has_kernel = true,
    .kernel = TNI_BINARY_MIN,
};
static const tni_ew_fold fold = {.zip = &zip};

static tn_status ref(tni_ref *c)
{
    return tni_ew_fold_ref(c, &fold);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_fold_plan(c, &fold);
}

static const tni_arg in[] = {{"data_0", TNI_NUMERIC, 'T', TNI_VARIADIC}};
static const tni_arg out[] = {{"min", TNI_NUMERIC, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 6,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_broadcast,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_consumed_attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_broadcast,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_min = {
    .domain = "",
    .name = "Min",
    .summary = "Smallest of the inputs",
    TNI_VERSIONS(versions),
};
