/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_relu.c - ONNX Relu, opsets 1, 6, 13, 14
 *
 * Shapes:  x[...] -> y[...]
 * Types:   floats, signed integers
 * Numeric: exact; NaN gives NaN
 * Source:  onnx.ai/onnx/operators, Relu; node tests test_relu*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, float, x < 0.0f ? 0.0f : x)
TNI_MAP_LOOP(loop_f64, double, double, x < 0.0 ? 0.0 : x)
TNI_MAP_LOOP(loop_i8, int8_t, int8_t, x < 0 ? 0 : x)
TNI_MAP_LOOP(loop_i16, int16_t, int16_t, x < 0 ? 0 : x)
TNI_MAP_LOOP(loop_i32, int32_t, int32_t, x < 0 ? 0 : x)
TNI_MAP_LOOP(loop_i64, int64_t, int64_t, x < 0 ? 0 : x)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_SINT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_RELU,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"X", TNI_FLOATS | TNI_SINTS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_FLOATS | TNI_SINTS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 6,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_consumed_attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_relu = {
    .domain = "",
    .name = "Relu",
    .summary = "max(x, 0)",
    TNI_VERSIONS(versions),
};
