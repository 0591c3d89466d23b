/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_not.c - ONNX Not, opset 1
 *
 * Shapes:  x[...] -> y[...]
 * Types:   bool
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, Not; node tests test_not*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_bool, uint8_t, uint8_t, x == 0)

static const tni_ew_map map = {
    .fn = {[TN_BOOL] = loop_bool},
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"X", TNI_BOOLS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_BOOLS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_not = {
    .domain = "",
    .name = "Not",
    .summary = "Logical negation",
    TNI_VERSIONS(versions),
};
