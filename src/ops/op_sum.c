/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sum.c - ONNX Sum, opsets 1, 6, 8, 13
 *
 * Shapes:  any number of inputs, broadcast -> y
 * Types:   f32, f64, f16, bf16
 * Numeric: added from the left; halves in float, rounded once
 * Source:  onnx.ai/onnx/operators, Sum; node tests test_sum*
 */
#include "ops/elementwise.h"

TNI_ZIP_LOOP(loop_f32, float, float, float, x + y)
TNI_ZIP_LOOP(loop_f64, double, double, double, x + y)

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_BINARY_ADD,
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

static const tni_arg in[] = {{"data_0", TNI_FLOATS, 'T', TNI_VARIADIC}};
static const tni_arg out[] = {{"sum", TNI_FLOATS, 'T', 0}};

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

const tni_op tni_op_sum = {
    .domain = "",
    .name = "Sum",
    .summary = "Sum of the inputs",
    TNI_VERSIONS(versions),
};
