/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_less_or_equal.c - ONNX LessOrEqual, opsets 12, 16
 *
 * Shapes:  a, b broadcast -> c (bool)
 * Types:   all numeric
 * Numeric: exact; false for NaN
 * Source:  onnx.ai/onnx/operators, LessOrEqual; node tests test_less_or_equal*
 */
#include "ops/elementwise.h"

TNI_ZIP_COMPARE_LOOPS(loop, x <= y)

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .to_bool = true,
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
static const tni_arg out[] = {{"C", TNI_BOOLS, 0, 0}};

static const tni_op_version versions[] = {
    {.since = 12,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = tni_infer_compare,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_less_or_equal = {
    .domain = "",
    .name = "LessOrEqual",
    .summary = "a <= b",
    TNI_VERSIONS(versions),
};
