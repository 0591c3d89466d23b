/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_shrink.c - ONNX Shrink, opset 9
 *
 * Shapes:  x[...] -> y[...]
 * Types:   all numeric
 * Attrs:   lambd, bias
 * Numeric: computed in double, integers truncated
 * Source:  onnx.ai/onnx/operators, Shrink; node tests test_shrink*
 */
#include "ops/elementwise.h"

/* A NaN is within no bound and gives 0, as in NumPy. */
static double shrink(double x, const tni_ew_args *args)
{
    const double lambd = (double)args->f[0], bias = (double)args->f[1];
    if (x < -lambd) return x + bias;
    return x > lambd ? x - bias : 0.0;
}

TNI_MAP_LOOP(loop_f32, float, float, shrink((double)x, args))
TNI_MAP_LOOP(loop_f64, double, double, shrink(x, args))
TNI_MAP_LOOP(loop_i8, int8_t, int8_t, tni_f64_to_i32(shrink((double)x, args)))
TNI_MAP_LOOP(loop_i16, int16_t, int16_t,
             tni_f64_to_i32(shrink((double)x, args)))
TNI_MAP_LOOP(loop_i32, int32_t, int32_t,
             tni_f64_to_i32(shrink((double)x, args)))
TNI_MAP_LOOP(loop_i64, int64_t, int64_t,
             tni_f64_to_i64(shrink((double)x, args)))
TNI_MAP_LOOP(loop_u8, uint8_t, uint8_t, tni_f64_to_i32(shrink((double)x, args)))
TNI_MAP_LOOP(loop_u16, uint16_t, uint16_t,
             tni_f64_to_i32(shrink((double)x, args)))
TNI_MAP_LOOP(loop_u32, uint32_t, uint32_t,
             tni_f64_to_i64(shrink((double)x, args)))
TNI_MAP_LOOP(loop_u64, uint64_t, uint64_t,
             tni_f64_to_u64(shrink((double)x, args)))

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "lambd", 0.5f);
    args->f[1] = tni_attr_float(node, "bias", 0.0f);
}

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .args = get_args,
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

static const tni_attr_spec attrs[] = {
    {"bias", TNI_ATTR_FLOAT, "0"},
    {"lambd", TNI_ATTR_FLOAT, "0.5"},
};

static const tni_op_version versions[] = {
    {.since = 9,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_shrink = {
    .domain = "",
    .name = "Shrink",
    .summary = "Moves x towards 0 by bias, 0 within lambd",
    TNI_VERSIONS(versions),
};
