/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_pow.c - ONNX Pow, opsets 1, 7, 12, 13, 15
 *
 * Shapes:  x, y broadcast -> z; before opset 7 y goes into x by broadcast and
 *          axis
 * Types:   x floats, i32, i64; y all numeric; z as x
 * Numeric: f32 by f32: libm's powf, with 2, 3 and 1/2 as products and root;
 *          other floats in double; integers by integers exact and wrapping, a
 *          negative exponent truncates
 * Source:  onnx.ai/onnx/operators, Pow; node tests test_pow*
 */
#include "ops/elementwise.h"

#include <math.h>

enum { BLOCK = 256 };

static float root_f32(float x)
{
    return x == -INFINITY ? INFINITY : sqrtf(x + 0.0f);
}

static double root_f64(double x)
{
    return x == -(double)INFINITY ? (double)INFINITY : sqrt(x + 0.0);
}

TNI_ZIP_LOOP(any_f32, float, float, float, powf(x, y))
TNI_ZIP_LOOP(any_f64, double, double, double, pow(x, y))
TNI_MAP_LOOP(square_f32, float, float, x *x)
TNI_MAP_LOOP(square_f64, double, double, x *x)
TNI_MAP_LOOP(cube_f32, float, float, x *x *x)
TNI_MAP_LOOP(cube_f64, double, double, x *x *x)
TNI_MAP_LOOP(half_f32, float, float, root_f32(x))
TNI_MAP_LOOP(half_f64, double, double, root_f64(x))

/* One exponent for the row: the common ones need no pow. */
static void loop_f32(void *to, const void *x, const void *y, size_t n,
                     size_t sx, size_t sy, const tni_ew_args *args)
{
    const float e = *(const float *)y;
    if (sx == 0 || sy != 0)
        any_f32(to, x, y, n, sx, sy, args);
    else if (e == 2.0f)
        square_f32(to, x, n, args);
    else if (e == 3.0f)
        cube_f32(to, x, n, args);
    else if (e == 0.5f)
        half_f32(to, x, n, args);
    else
        any_f32(to, x, y, n, sx, sy, args);
}

static void loop_f64(void *to, const void *x, const void *y, size_t n,
                     size_t sx, size_t sy, const tni_ew_args *args)
{
    const double e = *(const double *)y;
    if (sx == 0 || sy != 0)
        any_f64(to, x, y, n, sx, sy, args);
    else if (e == 2.0)
        square_f64(to, x, n, args);
    else if (e == 3.0)
        cube_f64(to, x, n, args);
    else if (e == 0.5)
        half_f64(to, x, n, args);
    else
        any_f64(to, x, y, n, sx, sy, args);
}

/* By squaring, modulo 2^64. */
static int64_t power(int64_t base, int64_t exp, bool exp_unsigned)
{
    if (exp < 0 && !exp_unsigned) {
        if (base == 1) return 1;
        if (base == -1) return (exp & 1) != 0 ? -1 : 1;
        return 0;
    }
    uint64_t b = (uint64_t)base, z = 1;
    for (uint64_t e = (uint64_t)exp; e != 0; e >>= 1) {
        if ((e & 1) != 0) z *= b;
        b *= b;
    }
    return (int64_t)z;
}

static const tni_ew_zip zip = {.fn = {TNI_LOOPS_FLOAT(loop)}};

/* --- base and exponent of different dtypes, or integers ----------------- */

typedef struct pow_job {
    tni_bcast bcast;
    int64_t stride[2 * TN_MAX_RANK];
    tn_dtype x_dtype, y_dtype;
    size_t x_size, y_size;
    const char *x, *y;
    char *z;
} pow_job;

static void pow_ints(const pow_job *j, char *z, const char *x, const char *y,
                     size_t m, size_t sx, size_t sy)
{
    int64_t a[BLOCK], b[BLOCK];
    const bool is_unsigned = tni_is_unsigned_int(j->y_dtype);
    tni_convert(a, TN_I64, x, j->x_dtype, sx != 0 ? m : 1, NULL);
    tni_convert(b, TN_I64, y, j->y_dtype, sy != 0 ? m : 1, NULL);
    int64_t c[BLOCK];
    for (size_t i = 0; i < m; i++)
        c[i] = power(a[i * sx], b[i * sy], is_unsigned);
    tni_convert(z, j->x_dtype, c, TN_I64, m, NULL);
}

static void pow_doubles(const pow_job *j, char *z, const char *x, const char *y,
                        size_t m, size_t sx, size_t sy)
{
    double a[BLOCK], b[BLOCK], c[BLOCK];
    tni_convert(a, TN_F64, x, j->x_dtype, sx != 0 ? m : 1, NULL);
    tni_convert(b, TN_F64, y, j->y_dtype, sy != 0 ? m : 1, NULL);
    loop_f64(c, a, b, m, sx, sy, NULL);
    tni_convert(z, j->x_dtype, c, TN_F64, m, NULL);
}

static void pow_piece(void *ctx, int64_t at, size_t n)
{
    const pow_job *j = ctx;
    const size_t sx = tni_bcast_step(&j->bcast, 0);
    const size_t sy = tni_bcast_step(&j->bcast, 1);
    const char *x = j->x + tni_bcast_offset(&j->bcast, 0, at) * j->x_size;
    const char *y = j->y + tni_bcast_offset(&j->bcast, 1, at) * j->y_size;
    char *z = j->z + (size_t)at * j->x_size;
    const bool ints = !tni_is_float(j->x_dtype) && !tni_is_float(j->y_dtype);
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        const char *xi = x + i * sx * j->x_size, *yi = y + i * sy * j->y_size;
        if (ints)
            pow_ints(j, z + i * j->x_size, xi, yi, m, sx, sy);
        else
            pow_doubles(j, z + i * j->x_size, xi, yi, m, sx, sy);
    }
}

static bool is_plain(tn_dtype x, tn_dtype y)
{
    return x == y && tni_is_float(x);
}

static void job_init(pow_job *j, tn_dtype x, tn_dtype y, const tni_shape *out,
                     const tni_shape *in)
{
    j->x_dtype = x;
    j->y_dtype = y;
    j->x_size = tn_dtype_size(x);
    j->y_size = tn_dtype_size(y);
    tni_bcast_init(&j->bcast, j->stride, out, in, 2);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *y = c->in[1];
    if (is_plain(x->dtype, y->dtype)) return tni_ew_zip_ref(c, &zip);
    tni_shape in[2], out;
    tni_shape_of(&in[0], x);
    tni_shape_of(&in[1], y);
    TN_TRY(tni_bcast_shape(&out, in, 2, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, out.rank, out.dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    pow_job j;
    job_init(&j, x->dtype, y->dtype, &out, in);
    j.x = x->data;
    j.y = y->data;
    j.z = c->out[0]->data;
    tni_bcast_for(&j.bcast, c->par, pow_piece, &j);
    return TN_OK;
}

static void run(const tni_run *c)
{
    pow_job j = *(const pow_job *)c->state;
    j.bcast.stride = j.stride;
    j.x = c->in[0]->data;
    j.y = c->in[1]->data;
    j.z = c->out[0]->data;
    tni_bcast_for(&j.bcast, c->par, pow_piece, &j);
}

static tn_status plan(tni_plan *c)
{
    if (c->out[0] == NULL) return TN_OK;
    if (is_plain(c->in[0]->dtype, c->in[1]->dtype))
        return tni_ew_zip_plan(c, &zip);
    pow_job *j = TNI_NEW(c->arena, pow_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_shape in[2], out;
    tni_shape_of_type(&in[0], c->in[0]);
    tni_shape_of_type(&in[1], c->in[1]);
    tni_shape_of_type(&out, c->out[0]);
    job_init(j, c->in[0]->dtype, c->in[1]->dtype, &out, in);
    c->state = j;
    c->run = run;
    return TN_OK;
}

#define BASES (TNI_FLOATS | TNI_T(TN_I32) | TNI_T(TN_I64))

static const tni_arg in[] = {
    {"X", BASES, 'T', 0},
    {"Y", TNI_NUMERIC, 0, 0},
};
static const tni_arg in_1[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"Y", TNI_FLOATS, 'T', 0},
};
static const tni_arg out[] = {{"Z", BASES, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 7,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_broadcast,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out),
     TNI_ATTRS(tni_ew_legacy_attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_legacy,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_pow = {
    .domain = "",
    .name = "Pow",
    .summary = "x to the power of y",
    TNI_VERSIONS(versions),
};
