/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_abs.c - ONNX Abs, opsets 1, 6, 13
 *
 * Shapes:  x[...] -> y[...]
 * Types:   all numeric
 * Numeric: exact; the smallest signed integer stays itself
 * Source:  onnx.ai/onnx/operators, Abs; node tests test_abs*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float, fabsf(x))
TNI_MAP_LOOP(loop_f64, double, double, fabs(x))
TNI_MAP_LOOP(loop_i8, int8_t, int8_t, x < 0 ? 0u - (uint32_t)x : (uint32_t)x)
TNI_MAP_LOOP(loop_i16, int16_t, int16_t, x < 0 ? 0u - (uint32_t)x : (uint32_t)x)
TNI_MAP_LOOP(loop_i32, int32_t, int32_t, x < 0 ? 0u - (uint32_t)x : (uint32_t)x)
TNI_MAP_LOOP(loop_i64, int64_t, int64_t, x < 0 ? 0u - (uint64_t)x : (uint64_t)x)
TNI_MAP_LOOP(loop_u8, uint8_t, uint8_t, x)
TNI_MAP_LOOP(loop_u16, uint16_t, uint16_t, x)
TNI_MAP_LOOP(loop_u32, uint32_t, uint32_t, x)
TNI_MAP_LOOP(loop_u64, uint64_t, uint64_t, x)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_ABS,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"X", TNI_NUMERIC, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_NUMERIC, 'T', 0}};

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

const tni_op tni_op_abs = {
    .domain = "",
    .name = "Abs",
    .summary = "Absolute value",
    TNI_VERSIONS(versions),
};
