/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_neg.c - ONNX Neg, opsets 1, 6, 13
 *
 * Shapes:  x[...] -> y[...]
 * Types:   floats, signed integers
 * Numeric: exact; the smallest signed integer stays itself
 * Source:  onnx.ai/onnx/operators, Neg; node tests test_neg*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, float, -x)
TNI_MAP_LOOP(loop_f64, double, double, -x)
TNI_MAP_LOOP(loop_i8, int8_t, int8_t, 0u - (uint32_t)x)
TNI_MAP_LOOP(loop_i16, int16_t, int16_t, 0u - (uint32_t)x)
TNI_MAP_LOOP(loop_i32, int32_t, int32_t, 0u - (uint32_t)x)
TNI_MAP_LOOP(loop_i64, int64_t, int64_t, 0u - (uint64_t)x)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_SINT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_NEG,
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

const tni_op tni_op_neg = {
    .domain = "",
    .name = "Neg",
    .summary = "Negation",
    TNI_VERSIONS(versions),
};
