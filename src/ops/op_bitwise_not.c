/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_bitwise_not.c - ONNX BitwiseNot, opset 18
 *
 * Shapes:  x[...] -> y[...]
 * Types:   integers
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, BitwiseNot; node tests test_bitwisenot*
 */
#include "ops/elementwise.h"

TNI_MAP_LOOP(loop_i8, int8_t, int8_t, ~x)
TNI_MAP_LOOP(loop_i16, int16_t, int16_t, ~x)
TNI_MAP_LOOP(loop_i32, int32_t, int32_t, ~x)
TNI_MAP_LOOP(loop_i64, int64_t, int64_t, ~x)
TNI_MAP_LOOP(loop_u8, uint8_t, uint8_t, ~x)
TNI_MAP_LOOP(loop_u16, uint16_t, uint16_t, ~x)
TNI_MAP_LOOP(loop_u32, uint32_t, uint32_t, ~x)
TNI_MAP_LOOP(loop_u64, uint64_t, uint64_t, ~x)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_INT(loop)},
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"X", TNI_INTS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_INTS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 18,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_bitwise_not = {
    .domain = "",
    .name = "BitwiseNot",
    .summary = "Every bit inverted",
    TNI_VERSIONS(versions),
};
