/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_prelu.c - ONNX PRelu, opsets 1, 6, 7, 9, 16
 *
 * Shapes:  x[...], slope broadcast into x -> y[...]; a slope of one dimension
 *          that fits no other way is one number per channel (axis 1), which is
 *          the only form before opset 7
 * Types:   floats, integers
 * Numeric: y = x, or slope x below zero; correctly rounded, integers wrap
 * Source:  onnx.ai/onnx/operators, PRelu; node tests test_prelu*
 */
#include "ops/elementwise.h"

TNI_ZIP_LOOP(loop_f32, float, float, float, x < 0.0f ? x * y : x)
TNI_ZIP_LOOP(loop_f64, double, double, double, x < 0.0 ? x * y : x)
TNI_ZIP_LOOP(loop_i8, int8_t, uint32_t, int8_t, (int32_t)x < 0 ? x * y : x)
TNI_ZIP_LOOP(loop_i16, int16_t, uint32_t, int16_t, (int32_t)x < 0 ? x * y : x)
TNI_ZIP_LOOP(loop_i32, int32_t, uint32_t, int32_t, (int32_t)x < 0 ? x * y : x)
TNI_ZIP_LOOP(loop_i64, int64_t, uint64_t, int64_t, (int64_t)x < 0 ? x * y : x)
/* Nothing is below zero here; y only has to be looked at. */
TNI_ZIP_LOOP(loop_u8, uint8_t, uint8_t, uint8_t, ((void)y, x))
TNI_ZIP_LOOP(loop_u16, uint16_t, uint16_t, uint16_t, ((void)y, x))
TNI_ZIP_LOOP(loop_u32, uint32_t, uint32_t, uint32_t, ((void)y, x))
TNI_ZIP_LOOP(loop_u64, uint64_t, uint64_t, uint64_t, ((void)y, x))

static bool fits(const tni_shape *slope, const tni_shape *x)
{
    if (slope->rank > x->rank) return false;
    for (int d = 0; d < slope->rank; d++) {
        const int64_t extent = slope->dims[d];
        if (extent != 1 && extent != x->dims[x->rank - slope->rank + d])
            return false;
    }
    return true;
}

static tn_status place(tni_shape *slope, const tni_shape *x,
                       const tni_node *node, tn_err *err)
{
    int64_t len = 0;
    if (tni_dims_len(&len, slope->rank, slope->dims) && len == 1) {
        slope->rank = 0;
        return TN_OK;
    }
    const bool old = node->ver->since < 7;
    if (!old && fits(slope, x)) return TN_OK;
    if (slope->rank == 1 && x->rank > 1 && slope->dims[0] == x->dims[1]) {
        while (slope->rank < x->rank - 1) slope->dims[slope->rank++] = 1;
        return TN_OK;
    }
    if (old && fits(slope, x)) return TN_OK;
    char a[100], b[100];
    return tni_fail(
        err, TN_EINVAL, "slope %s does not broadcast into x %s",
        tni_shape_format(a, sizeof a, TN_F32, slope->rank, slope->dims),
        tni_shape_format(b, sizeof b, TN_F32, x->rank, x->dims));
}

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .place = place,
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
    {"X", TNI_NUMERIC, 'T', 0},
    {"slope", TNI_NUMERIC, 'T', 0},
};
static const tni_arg out[] = {{"Y", TNI_NUMERIC, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 7,
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

const tni_op tni_op_prelu = {
    .domain = "",
    .name = "PRelu",
    .summary = "x, or slope x below zero",
    TNI_VERSIONS(versions),
};
