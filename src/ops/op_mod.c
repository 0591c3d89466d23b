/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_mod.c - ONNX Mod, opsets 10, 13, 28
 *
 * Shapes:  a, b broadcast -> c
 * Types:   all numeric
 * Attrs:   fmod: 0 the sign of b (Python), 1 the sign of a (C)
 * Numeric: exact for integers; fmod of libm for floats. An integer zero divisor
 *          is TN_EINVAL
 * Source:  onnx.ai/onnx/operators, Mod; node tests test_mod*
 */
#include "ops/elementwise.h"

#include <math.h>

/* The result has the sign of y; 0 for y = 0. */
static int64_t mod_floor(int64_t x, int64_t y)
{
    if (y == 0 || y == -1) return 0;
    const int64_t r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

/* The result has the sign of x; 0 for y = 0. */
static int64_t mod_trunc(int64_t x, int64_t y)
{
    return y == 0 || y == -1 ? 0 : x % y;
}

static double fmod_floor(double x, double y)
{
    const double r = fmod(x, y);
    if (r == 0.0) return copysign(0.0, y);
    return (r < 0.0) != (y < 0.0) ? r + y : r;
}

static float fmodf_floor(float x, float y)
{
    const float r = fmodf(x, y);
    if (r == 0.0f) return copysignf(0.0f, y);
    return (r < 0.0f) != (y < 0.0f) ? r + y : r;
}

TNI_ZIP_LOOP(floor_f32, float, float, float, fmodf_floor(x, y))
TNI_ZIP_LOOP(floor_f64, double, double, double, fmod_floor(x, y))
TNI_ZIP_LOOP(trunc_f32, float, float, float, fmodf(x, y))
TNI_ZIP_LOOP(trunc_f64, double, double, double, fmod(x, y))
TNI_ZIP_LOOP(floor_i8, int8_t, int8_t, int8_t, (int8_t)mod_floor(x, y))
TNI_ZIP_LOOP(trunc_i8, int8_t, int8_t, int8_t, (int8_t)mod_trunc(x, y))
TNI_ZIP_LOOP(floor_i16, int16_t, int16_t, int16_t, (int16_t)mod_floor(x, y))
TNI_ZIP_LOOP(trunc_i16, int16_t, int16_t, int16_t, (int16_t)mod_trunc(x, y))
TNI_ZIP_LOOP(floor_i32, int32_t, int32_t, int32_t, (int32_t)mod_floor(x, y))
TNI_ZIP_LOOP(trunc_i32, int32_t, int32_t, int32_t, (int32_t)mod_trunc(x, y))
TNI_ZIP_LOOP(floor_i64, int64_t, int64_t, int64_t, (int64_t)mod_floor(x, y))
TNI_ZIP_LOOP(trunc_i64, int64_t, int64_t, int64_t, (int64_t)mod_trunc(x, y))
TNI_ZIP_LOOP(unsigned_u8, uint8_t, uint8_t, uint8_t, y == 0 ? 0 : x % y)
TNI_ZIP_LOOP(unsigned_u16, uint16_t, uint16_t, uint16_t, y == 0 ? 0 : x % y)
TNI_ZIP_LOOP(unsigned_u32, uint32_t, uint32_t, uint32_t, y == 0 ? 0 : x % y)
TNI_ZIP_LOOP(unsigned_u64, uint64_t, uint64_t, uint64_t, y == 0 ? 0 : x % y)

static const tni_ew_zip zip_floor = {
    .fn = {TNI_LOOPS_FLOAT(floor), TNI_LOOPS_SINT(floor),
           TNI_LOOPS_UINT(unsigned)},
    .divides = true,
};
static const tni_ew_zip zip_trunc = {
    .fn = {TNI_LOOPS_FLOAT(trunc), TNI_LOOPS_SINT(trunc),
           TNI_LOOPS_UINT(unsigned)},
    .divides = true,
};

static const tni_ew_zip *choose(const tni_node *node)
{
    return tni_attr_int(node, "fmod", 0) != 0 ? &zip_trunc : &zip_floor;
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
    {"A", TNI_NUMERIC, 'T', 0},
    {"B", TNI_NUMERIC, 'T', 0},
};
static const tni_arg out[] = {{"C", TNI_NUMERIC, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"fmod", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 10,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_broadcast,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_mod = {
    .domain = "",
    .name = "Mod",
    .summary = "Remainder of a / b",
    TNI_VERSIONS(versions),
};
