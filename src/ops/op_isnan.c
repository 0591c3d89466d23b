/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_isnan.c - ONNX IsNaN, opsets 9, 13, 20
 *
 * Shapes:  x[...] -> y[...] (bool)
 * Types:   floats, fp8
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, IsNaN; node tests test_isnan*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, uint8_t, x != x)
TNI_MAP_LOOP(loop_f64, double, uint8_t, x != x)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .to_bool = true,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"X", TNI_FLOATS | TNI_FP8, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_BOOLS, 0, 0}};

static const tni_op_version versions[] = {
    {.since = 9,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = tni_infer_unary_bool,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_isnan = {
    .domain = "",
    .name = "IsNaN",
    .summary = "True where x is NaN",
    TNI_VERSIONS(versions),
};
