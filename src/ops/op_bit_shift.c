/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_bit_shift.c - ONNX BitShift, opsets 11, 28
 *
 * Shapes:  a, b broadcast -> c
 * Types:   integers
 * Attrs:   direction: LEFT or RIGHT
 * Numeric: exact; a shift of the width or more gives 0, or the sign to the
 *          right
 * Source:  onnx.ai/onnx/operators, BitShift; node tests test_bit_shift*
 */
#include "ops/elementwise.h"

/* Arithmetic; a shift by the width or more, or a negative one, leaves only the
 * sign. */
static int64_t shift_right(int64_t x, int64_t y, int width)
{
    if (y < 0 || y >= width) return x < 0 ? -1 : 0;
    return x < 0 ? ~(~x >> y) : x >> y;
}

TNI_ZIP_LOOP(left_u8, uint8_t, uint32_t, uint8_t, y < 8 ? x << y : 0)
TNI_ZIP_LOOP(right_u8, uint8_t, uint32_t, uint8_t, y < 8 ? x >> y : 0)
TNI_ZIP_LOOP(left_u16, uint16_t, uint32_t, uint16_t, y < 16 ? x << y : 0)
TNI_ZIP_LOOP(right_u16, uint16_t, uint32_t, uint16_t, y < 16 ? x >> y : 0)
TNI_ZIP_LOOP(left_u32, uint32_t, uint32_t, uint32_t, y < 32 ? x << y : 0)
TNI_ZIP_LOOP(right_u32, uint32_t, uint32_t, uint32_t, y < 32 ? x >> y : 0)
TNI_ZIP_LOOP(left_u64, uint64_t, uint64_t, uint64_t, y < 64 ? x << y : 0)
TNI_ZIP_LOOP(right_u64, uint64_t, uint64_t, uint64_t, y < 64 ? x >> y : 0)
TNI_ZIP_LOOP(left_i8, int8_t, int64_t, int8_t,
             y >= 0 && y < 8 ? (uint64_t)x << y : 0)
TNI_ZIP_LOOP(right_i8, int8_t, int64_t, int8_t, shift_right(x, y, 8))
TNI_ZIP_LOOP(left_i16, int16_t, int64_t, int16_t,
             y >= 0 && y < 16 ? (uint64_t)x << y : 0)
TNI_ZIP_LOOP(right_i16, int16_t, int64_t, int16_t, shift_right(x, y, 16))
TNI_ZIP_LOOP(left_i32, int32_t, int64_t, int32_t,
             y >= 0 && y < 32 ? (uint64_t)x << y : 0)
TNI_ZIP_LOOP(right_i32, int32_t, int64_t, int32_t, shift_right(x, y, 32))
TNI_ZIP_LOOP(left_i64, int64_t, int64_t, int64_t,
             y >= 0 && y < 64 ? (uint64_t)x << y : 0)
TNI_ZIP_LOOP(right_i64, int64_t, int64_t, int64_t, shift_right(x, y, 64))

static const tni_ew_zip zip_left = {.fn = {TNI_LOOPS_INT(left)}};
static const tni_ew_zip zip_right = {.fn = {TNI_LOOPS_INT(right)}};

static const tni_ew_zip *choose(const tni_node *node)
{
    return tni_attr_is(node, "direction", "LEFT", NULL) ? &zip_left
                                                        : &zip_right;
}

static tn_status infer(tni_infer *c)
{
    if (!tni_attr_is(c->node, "direction", "LEFT", NULL) &&
        !tni_attr_is(c->node, "direction", "RIGHT", NULL))
        return tni_fail(c->err, TN_EINVAL,
                        "attribute 'direction' must be LEFT or RIGHT");
    return tni_infer_broadcast(c);
}

static tn_status ref(tni_ref *c)
{
    return tni_ew_zip_ref(c, choose(c->node));
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_zip_plan(c, choose(c->node));
}

static const tni_arg in[] = {
    {"X", TNI_INTS, 'T', 0},
    {"Y", TNI_INTS, 'T', 0},
};
static const tni_arg out[] = {{"Z", TNI_INTS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"direction", TNI_ATTR_STRING, "required"},
};

static const tni_op_version versions[] = {
    {.since = 11,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_bit_shift = {
    .domain = "",
    .name = "BitShift",
    .summary = "a shifted by b bits",
    TNI_VERSIONS(versions),
};
