/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sign.c - ONNX Sign, opsets 9, 13
 *
 * Shapes:  x[...] -> y[...]
 * Types:   all numeric
 * Numeric: exact; NaN gives NaN
 * Source:  onnx.ai/onnx/operators, Sign; node tests test_sign*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_f32, float, float,
             x > 0.0f    ? 1.0f
             : x < 0.0f  ? -1.0f
             : x == 0.0f ? 0.0f
                         : x)
TNI_MAP_LOOP(loop_f64, double, double,
             x > 0.0    ? 1.0
             : x < 0.0  ? -1.0
             : x == 0.0 ? 0.0
                        : x)
TNI_MAP_LOOP(loop_i8, int8_t, int8_t, (x > 0) - (x < 0))
TNI_MAP_LOOP(loop_i16, int16_t, int16_t, (x > 0) - (x < 0))
TNI_MAP_LOOP(loop_i32, int32_t, int32_t, (x > 0) - (x < 0))
TNI_MAP_LOOP(loop_i64, int64_t, int64_t, (x > 0) - (x < 0))
TNI_MAP_LOOP(loop_u8, uint8_t, uint8_t, x > 0)
TNI_MAP_LOOP(loop_u16, uint16_t, uint16_t, x > 0)
TNI_MAP_LOOP(loop_u32, uint32_t, uint32_t, x > 0)
TNI_MAP_LOOP(loop_u64, uint64_t, uint64_t, x > 0)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_SIGN,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"input", TNI_NUMERIC, 'T', 0}};
static const tni_arg out[] = {{"output", TNI_NUMERIC, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 9,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_sign = {
    .domain = "",
    .name = "Sign",
    .summary = "Sign: -1, 0 or 1",
    TNI_VERSIONS(versions),
};
