/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_div.c - ONNX Div, opsets 1, 6, 7, 13, 14
 *
 * Shapes:  a, b broadcast -> c; before opset 7 b goes into a by broadcast and
 *          axis
 * Types:   all numeric
 * Numeric: correctly rounded; integers truncate towards zero and the smallest
 *          over -1 wraps. An integer zero divisor is TN_EINVAL
 * Source:  onnx.ai/onnx/operators, Div; node tests test_div*
 */
#include "ops/elementwise.h"

TNI_ZIP_LOOP(loop_f32, float, float, float, x / y)
TNI_ZIP_LOOP(loop_f64, double, double, double, x / y)
TNI_ZIP_LOOP(loop_i8, int8_t, int8_t, int8_t,
             y == 0    ? 0
             : y == -1 ? (int8_t)(0u - (uint32_t)x)
                       : x / y)
TNI_ZIP_LOOP(loop_i16, int16_t, int16_t, int16_t,
             y == 0    ? 0
             : y == -1 ? (int16_t)(0u - (uint32_t)x)
                       : x / y)
TNI_ZIP_LOOP(loop_i32, int32_t, int32_t, int32_t,
             y == 0    ? 0
             : y == -1 ? (int32_t)(0u - (uint32_t)x)
                       : x / y)
TNI_ZIP_LOOP(loop_i64, int64_t, int64_t, int64_t,
             y == 0    ? 0
             : y == -1 ? (int64_t)(0u - (uint64_t)x)
                       : x / y)
TNI_ZIP_LOOP(loop_u8, uint8_t, uint8_t, uint8_t, y == 0 ? 0 : x / y)
TNI_ZIP_LOOP(loop_u16, uint16_t, uint16_t, uint16_t, y == 0 ? 0 : x / y)
TNI_ZIP_LOOP(loop_u32, uint32_t, uint32_t, uint32_t, y == 0 ? 0 : x / y)
TNI_ZIP_LOOP(loop_u64, uint64_t, uint64_t, uint64_t, y == 0 ? 0 : x / y)

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .divides = true,
    .has_kernel = true,
    .kernel = TNI_BINARY_DIV,
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
static const tni_arg out[] = {{"C", TNI_NUMERIC, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 7,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_broadcast,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_legacy_attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_legacy,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_div = {
    .domain = "",
    .name = "Div",
    .summary = "a / b",
    TNI_VERSIONS(versions),
};
