/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_or.c - ONNX Or, opsets 1, 7
 *
 * Shapes:  a, b broadcast -> c (bool); before opset 7 b goes into a by
 *          broadcast and axis
 * Types:   bool
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, Or; node tests test_or*
 */
#include "ops/elementwise.h"

TNI_ZIP_LOOP(loop_bool, uint8_t, uint8_t, uint8_t, x != 0 || y != 0)

static const tni_ew_zip zip = {
    .fn = {[TN_BOOL] = loop_bool},
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
    {"A", TNI_BOOLS, 'T', 0},
    {"B", TNI_BOOLS, 'T', 0},
};
static const tni_arg out[] = {{"C", TNI_BOOLS, 0, 0}};

static const tni_op_version versions[] = {
    {.since = 7,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_compare,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_legacy_attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_legacy_compare,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_or = {
    .domain = "",
    .name = "Or",
    .summary = "a or b",
    TNI_VERSIONS(versions),
};
