/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_less.c - ONNX Less, opsets 1, 7, 9, 13
 *
 * Shapes:  a, b broadcast -> c (bool); before opset 7 b goes into a by
 *          broadcast and axis
 * Types:   all numeric
 * Numeric: exact; false for NaN
 * Source:  onnx.ai/onnx/operators, Less; node tests test_less*
 */
#include "ops/elementwise.h"

TNI_ZIP_COMPARE_LOOPS(loop, x < y)

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
    {.since = 7,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = tni_infer_compare,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_legacy_attrs),
     .infer = tni_infer_legacy_compare,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_less = {
    .domain = "",
    .name = "Less",
    .summary = "a < b",
    TNI_VERSIONS(versions),
};
