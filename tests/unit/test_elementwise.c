/* SPDX-License-Identifier: Apache-2.0 */
/* test_elementwise.c - broadcasting, casts and edge cases of elementwise ops */
#include "base/num.h"
#include "harness/opcall.h"
#include "ops/convert.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tni_kernels kernels;

/* Ref and run with and without kernels; the statement looks at c->out. */
#define BOTH(c, n_out, ...)                                                    \
    do {                                                                       \
        assert_int_equal(opcall_ref(c, n_out), TN_OK);                         \
        __VA_ARGS__;                                                           \
        assert_int_equal(opcall_run(c, n_out), TN_OK);                         \
        __VA_ARGS__;                                                           \
        (c)->kernels = &kernels;                                               \
        assert_int_equal(opcall_run(c, n_out), TN_OK);                         \
        __VA_ARGS__;                                                           \
        (c)->kernels = NULL;                                                   \
    } while (0)

#define OUT(c, T) TNI_CDATA(T, (c)->out[0])

/* A binary operator on vectors of n; y may be one element. */
static void binary_in(opcall *c, const char *op, int opset, tn_dtype dtype,
                      const void *x, const void *y, int64_t n, int64_t ny)
{
    const int64_t dx[1] = {n}, dy[1] = {ny};
    opcall_init(c, "", op, opset);
    opcall_in(c, dtype, 1, dx, x);
    opcall_in(c, dtype, 1, dy, y);
}

/* --- broadcasting ------------------------------------------------------ */

typedef struct shape_pair {
    int rx, ry;
    int64_t x[4], y[4];
} shape_pair;

static const shape_pair pairs[] = {
    {0, 0, {0}, {0}},
    {1, 0, {5}, {0}},
    {0, 1, {0}, {5}},
    {2, 2, {2, 3}, {2, 3}},
    {3, 1, {2, 3, 4}, {4}},
    {3, 2, {2, 3, 4}, {3, 1}},
    {4, 4, {2, 3, 2, 5}, {1, 3, 1, 1}},
    {4, 4, {2, 1, 2, 1}, {1, 3, 1, 5}},
    {2, 4, {3, 1}, {2, 2, 3, 7}},
    {2, 2, {0, 3}, {1, 3}},
    {2, 2, {300, 3}, {300, 1}},
    {2, 1, {9001, 3}, {3}},
    {4, 4, {2, 3, 50, 2}, {1, 3, 1, 2}},
    {4, 4, {2, 1, 50, 5}, {1, 3, 50, 1}},
    {3, 3, {7, 20, 1}, {7, 1, 4}},
    {2, 2, {2, 40000}, {2, 1}},
};

static int64_t offset(const tni_tensor *in, const tni_tensor *out, int64_t at)
{
    int64_t off = 0, step = 1;
    for (int d = out->rank - 1; d >= 0; d--) {
        const int64_t index = at % out->dims[d];
        const int k = d - (out->rank - in->rank);
        at /= out->dims[d];
        if (k < 0) continue;
        off += in->dims[k] == 1 ? 0 : index * step;
        step *= in->dims[k];
    }
    return off;
}

static void check_sub(const opcall *c)
{
    const tni_tensor *x = c->in[0], *y = c->in[1], *z = c->out[0];
    for (int64_t i = 0; i < z->len; i++)
        assert_true(TNI_CDATA(float, z)[i] ==
                    TNI_CDATA(float, x)[offset(x, z, i)] -
                        TNI_CDATA(float, y)[offset(y, z, i)]);
}

static void broadcasts_every_shape(void **state)
{
    static float data[80000];
    (void)state;
    for (size_t i = 0; i < 80000; i++) data[i] = (float)(i * 7 % 1001);
    for (int p = 0; p < TNI_COUNT(pairs); p++) {
        opcall c;
        opcall_init(&c, "", "Sub", 14);
        opcall_in(&c, TN_F32, pairs[p].rx, pairs[p].x, data);
        opcall_in(&c, TN_F32, pairs[p].ry, pairs[p].y, data + 1);
        BOTH(&c, 1, check_sub(&c));
        opcall_fini(&c);
    }
}

static void refuses_shapes_that_do_not_fit(void **state)
{
    const float x[6] = {0};
    opcall c;
    (void)state;
    opcall_init(&c, "", "Add", 14);
    opcall_in(&c, TN_F32, 2, (const int64_t[]){2, 3}, x);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){2}, x);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "broadcast"));
    opcall_fini(&c);
}

/* Before opset 7 the second input lies where `axis` says. */
static void places_by_axis(void **state)
{
    const float x[12] = {0}, y[3] = {1, 2, 3};
    opcall c;
    (void)state;
    opcall_init(&c, "", "Add", 6);
    opcall_int(&c, "broadcast", 1);
    opcall_int(&c, "axis", 1);
    opcall_in(&c, TN_F32, 3, (const int64_t[]){2, 3, 2}, x);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){3}, y);
    BOTH(&c, 1,
         for (int i = 0; i < 12; i++)
             assert_true(OUT(&c, float)[i] == y[i / 2 % 3]));
    opcall_fini(&c);
}

/* Tasks one by one from the last to the first, as if by other threads. */
static void run_backwards(void *pool, size_t n, tni_par_fn fn, void *ctx)
{
    (void)pool;
    for (size_t i = n; i-- > 0;) fn(ctx, i, i + 1, (int)(i % 3));
}

static void same_bits_for_any_split(void **state)
{
    enum { N = 70001 };
    static float x[N], first[N];
    const tni_par par = {NULL, 3, run_backwards};
    (void)state;
    for (int i = 0; i < N; i++) x[i] = (float)i * 0.001f - 30.0f;
    opcall c;
    opcall_init(&c, "", "Tanh", 13);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){N}, x);
    c.kernels = &kernels;
    assert_int_equal(opcall_run(&c, 1), TN_OK);
    memcpy(first, c.out[0]->data, sizeof first);
    c.par = &par;
    assert_int_equal(opcall_run(&c, 1), TN_OK);
    assert_memory_equal(c.out[0]->data, first, sizeof first);
    opcall_fini(&c);
}

/* The output may have the memory of any input, the third included. */
static void folds_in_place(void **state)
{
    float x[3][600];
    (void)state;
    for (int k = 0; k < 3; k++) {
        opcall c;
        opcall_init(&c, "", "Sum", 13);
        for (int i = 0; i < 3; i++) {
            for (int e = 0; e < 600; e++) x[i][e] = (float)(e + 1000 * i);
            opcall_in(&c, TN_F32, 1, (const int64_t[]){600}, x[i]);
        }
        c.alias = k;
        assert_int_equal(opcall_run(&c, 1), TN_OK);
        for (int e = 0; e < 600; e++)
            assert_true(OUT(&c, float)[e] == (float)(3 * e + 3000));
        opcall_fini(&c);
    }
}

/* --- integers ---------------------------------------------------------- */

static void integers_wrap(void **state)
{
    const int8_t a[2] = {127, -128}, b[2] = {1, -1};
    const uint16_t u[1] = {65535};
    const int32_t low[1] = {INT32_MIN};
    const int64_t far[2] = {INT64_MAX, INT64_MIN}, two[2] = {2, -1};
    opcall c;
    (void)state;
    binary_in(&c, "Add", 14, TN_I8, a, b, 2, 2);
    BOTH(&c, 1, {
        assert_int_equal(OUT(&c, int8_t)[0], -128);
        assert_int_equal(OUT(&c, int8_t)[1], 127);
    });
    opcall_fini(&c);
    binary_in(&c, "Mul", 14, TN_U16, u, u, 1, 1);
    BOTH(&c, 1, assert_int_equal(OUT(&c, uint16_t)[0], 1));
    opcall_fini(&c);
    binary_in(&c, "Mul", 14, TN_I64, far, two, 2, 2);
    BOTH(&c, 1, {
        assert_true(OUT(&c, int64_t)[0] == -2);
        assert_true(OUT(&c, int64_t)[1] == INT64_MIN);
    });
    opcall_fini(&c);
    static const char *const unary[] = {"Abs", "Neg"};
    for (int i = 0; i < 2; i++) {
        opcall_init(&c, "", unary[i], 13);
        opcall_in(&c, TN_I32, 1, (const int64_t[]){1}, low);
        BOTH(&c, 1, assert_true(OUT(&c, int32_t)[0] == INT32_MIN));
        opcall_fini(&c);
    }
}

static void division_truncates(void **state)
{
    const int32_t x[6] = {7, -7, 7, -7, INT32_MIN, 0};
    const int32_t y[6] = {2, 2, -2, -2, -1, 5};
    const int32_t want[6] = {3, -3, -3, 3, INT32_MIN, 0};
    opcall c;
    (void)state;
    binary_in(&c, "Div", 14, TN_I32, x, y, 6, 6);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int32_t), want, sizeof want));
    opcall_fini(&c);
}

static void division_by_zero_is_an_error(void **state)
{
    const int64_t x[2] = {1, 2}, y[2] = {1, 0};
    static const char *const ops[] = {"Div", "Mod"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        opcall c;
        binary_in(&c, ops[i], 14, TN_I64, x, y, 2, 2);
        assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
        assert_non_null(strstr(c.err.message, "element 1"));
        assert_int_equal(opcall_run(&c, 1), TN_EINVAL);
        assert_string_equal(c.fault, "integer division by zero");
        opcall_fini(&c);
    }
}

static void mod_takes_a_sign(void **state)
{
    const int32_t x[4] = {7, -7, 7, -7}, y[4] = {3, 3, -3, -3};
    const int32_t floor_want[4] = {1, 2, -2, -1};
    const int32_t trunc_want[4] = {1, -1, 1, -1};
    const float fx[3] = {-4.3f, 7.2f, -0.0f}, fy[3] = {2.1f, -3.4f, 2.0f};
    opcall c;
    (void)state;
    binary_in(&c, "Mod", 13, TN_I32, x, y, 4, 4);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int32_t), floor_want, 16));
    opcall_int(&c, "fmod", 1);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int32_t), trunc_want, 16));
    opcall_fini(&c);
    binary_in(&c, "Mod", 28, TN_F32, fx, fy, 3, 3);
    BOTH(&c, 1, {
        assert_float_equal(OUT(&c, float)[0], 2.0f, 1e-5f);
        assert_float_equal(OUT(&c, float)[1], -3.0f, 1e-5f);
        assert_false(signbit(OUT(&c, float)[2]));
    });
    opcall_fini(&c);
}

static void shifts_are_bounded(void **state)
{
    const int8_t x[4] = {-8, -8, 64, 1}, y[4] = {1, 100, 1, -1};
    const int8_t right[4] = {-4, -1, 32, 0}, left[4] = {-16, 0, -128, 0};
    opcall c;
    (void)state;
    binary_in(&c, "BitShift", 28, TN_I8, x, y, 4, 4);
    opcall_string(&c, "direction", "RIGHT");
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int8_t), right, 4));
    c.attrs[0].v.s = (tn_string){"LEFT", 4};
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int8_t), left, 4));
    c.attrs[0].v.s = (tn_string){"UP", 2};
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    opcall_fini(&c);
}

static void integer_powers_are_exact(void **state)
{
    const int64_t x[5] = {3, -1, -1, 2, 2};
    const int32_t y[5] = {39, -3, -4, -1, 64};
    const int64_t want[5] = {4052555153018976267, -1, 1, 0, 0};
    opcall c;
    (void)state;
    opcall_init(&c, "", "Pow", 15);
    opcall_in(&c, TN_I64, 1, (const int64_t[]){5}, x);
    opcall_in(&c, TN_I32, 1, (const int64_t[]){5}, y);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int64_t), want, sizeof want));
    opcall_fini(&c);
}

static void float_powers_have_short_cuts(void **state)
{
    const float x[4] = {-3.0f, 2.0f, -0.0f, -INFINITY};
    static const float exps[4] = {2.0f, 3.0f, 0.5f, -1.5f};
    (void)state;
    for (int e = 0; e < 4; e++) {
        opcall c;
        binary_in(&c, "Pow", 15, TN_F32, x, &exps[e], 4, 1);
        BOTH(
            &c, 1, for (int i = 0; i < 4; i++) {
                const float want = powf(x[i], exps[e]), got = OUT(&c, float)[i];
                assert_true(isnan(want) ? isnan(got) != 0
                                        : want == got &&
                                              !signbit(want) == !signbit(got));
            });
        opcall_fini(&c);
    }
}

/* --- floats ------------------------------------------------------------ */

static void nan_goes_through(void **state)
{
    const float x[3] = {NAN, 1.0f, NAN}, y[3] = {1.0f, NAN, NAN};
    static const char *const ops[] = {"Min", "Max"};
    static const char *const unary[] = {"Relu", "Abs", "Sign", "Clip"};
    opcall c;
    (void)state;
    for (int i = 0; i < 2; i++) {
        binary_in(&c, ops[i], 13, TN_F32, x, y, 3, 3);
        BOTH(&c, 1,
             for (int k = 0; k < 3; k++) assert_true(isnan(OUT(&c, float)[k])));
        opcall_fini(&c);
    }
    for (int i = 0; i < TNI_COUNT(unary); i++) {
        opcall_init(&c, "", unary[i], 14);
        opcall_in(&c, TN_F32, 1, (const int64_t[]){3}, x);
        BOTH(&c, 1, {
            assert_true(isnan(OUT(&c, float)[0]));
            assert_true(OUT(&c, float)[1] == 1.0f);
        });
        opcall_fini(&c);
    }
}

static void rounds_half_to_even(void **state)
{
    const float x[6] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 2.4f};
    const float want[6] = {0.0f, 2.0f, 2.0f, -0.0f, -2.0f, 2.0f};
    opcall c;
    (void)state;
    opcall_init(&c, "", "Round", 22);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){6}, x);
    BOTH(&c, 1,
         for (int i = 0; i < 6; i++) assert_true(OUT(&c, float)[i] == want[i]));
    opcall_fini(&c);
}

static void clip_takes_max_last(void **state)
{
    const float x[4] = {-1.0f, 2.5f, 9.0f, -INFINITY}, lo = 3.0f, hi = 2.0f;
    opcall c;
    (void)state;
    opcall_init(&c, "", "Clip", 13);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){4}, x);
    opcall_in(&c, TN_F32, 0, NULL, &lo);
    opcall_in(&c, TN_F32, 0, NULL, &hi);
    BOTH(&c, 1,
         for (int i = 0; i < 4; i++) assert_true(OUT(&c, float)[i] == 2.0f));
    opcall_fini(&c);
    const uint8_t u[3] = {1, 100, 255}, most = 99;
    opcall_init(&c, "", "Clip", 13);
    opcall_in(&c, TN_U8, 1, (const int64_t[]){3}, u);
    opcall_in(&c, TN_U8, 0, NULL, NULL);
    opcall_in(&c, TN_U8, 0, NULL, &most);
    BOTH(&c, 1, {
        assert_int_equal(OUT(&c, uint8_t)[0], 1);
        assert_int_equal(OUT(&c, uint8_t)[2], 99);
    });
    opcall_fini(&c);
}

/* Halves pass through float and are rounded once. */
static void halves_are_rounded_once(void **state)
{
    uint16_t x[3], y[3];
    opcall c;
    (void)state;
    for (int i = 0; i < 3; i++) {
        x[i] = tni_f32_to_f16((float)i + 0.1f);
        y[i] = tni_f32_to_f16(0.3f);
    }
    binary_in(&c, "Mul", 14, TN_F16, x, y, 3, 3);
    BOTH(
        &c, 1, for (int i = 0; i < 3; i++) {
            const float v = tni_f16_to_f32(x[i]) * tni_f16_to_f32(y[i]);
            assert_int_equal(OUT(&c, uint16_t)[i], tni_f32_to_f16(v));
        });
    opcall_fini(&c);
}

/* --- casts ------------------------------------------------------------- */

static void floats_to_integers(void **state)
{
    const float x[6] = {300.7f, -1.5f, 3e9f, NAN, INFINITY, -3e9f};
    const int8_t i8[6] = {44, -1, 0, 0, 0, 0};
    const uint8_t u8[6] = {44, 255, 0, 0, 0, 0};
    const int32_t i32[6] = {300,       -1,        INT32_MIN,
                            INT32_MIN, INT32_MIN, INT32_MIN};
    const int64_t i64[6] = {300,       -1,        3000000000,
                            INT64_MIN, INT64_MIN, -3000000000};
    const uint64_t u64[6] = {300,        UINT64_MAX, 3000000000u,
                             1ull << 63, 0,          0ull - 3000000000u};
    const uint8_t yes[6] = {1, 1, 1, 1, 1, 1};
    const struct {
        tn_dtype to;
        const void *want;
    } cases[] = {{TN_I8, i8},   {TN_U8, u8},   {TN_I32, i32},
                 {TN_I64, i64}, {TN_U64, u64}, {TN_BOOL, yes}};
    (void)state;
    for (int i = 0; i < TNI_COUNT(cases); i++) {
        opcall c;
        opcall_init(&c, "", "Cast", 21);
        opcall_int(&c, "to", cases[i].to);
        opcall_in(&c, TN_F32, 1, (const int64_t[]){6}, x);
        BOTH(&c, 1,
             assert_memory_equal(OUT(&c, char), cases[i].want,
                                 6 * tn_dtype_size(cases[i].to)));
        opcall_fini(&c);
    }
}

static void doubles_to_halves_round_once(void **state)
{
    /* Just above the middle of two halves; a float of it is the middle. */
    const double x[2] = {1.0 + 0x1p-11 + 0x1p-40, 65520.0 - 0x1p-20};
    uint16_t y[2];
    (void)state;
    tni_convert(y, TN_F16, x, TN_F64, 2, NULL);
    assert_int_equal(y[0], 0x3c01);
    assert_int_equal(y[1], 0x7bff);
}

static void small_integers_wrap(void **state)
{
    const float x[5] = {-9.0f, -8.0f, 7.0f, 8.0f, 15.0f};
    const int8_t i4[5] = {7, -8, 7, -8, -1};
    const uint8_t u4[5] = {7, 8, 7, 8, 15};
    const int8_t i2[5] = {-1, 0, -1, 0, -1};
    int8_t y[5];
    (void)state;
    tni_convert(y, TN_I4, x, TN_F32, 5, NULL);
    assert_memory_equal(y, i4, 5);
    tni_convert(y, TN_U4, x, TN_F32, 5, NULL);
    assert_memory_equal(y, u4, 5);
    tni_convert(y, TN_I2, x, TN_F32, 5, NULL);
    assert_memory_equal(y, i2, 5);
}

static void powers_of_two_round_as_asked(void **state)
{
    const float x[4] = {1.0f, 1.1f, 1.5f, INFINITY};
    const uint8_t up[4] = {127, 128, 128, 254};
    const uint8_t down[4] = {127, 127, 127, 254};
    const uint8_t nearest[4] = {127, 127, 128, 255};
    tni_convert_mode mode = {false, TNI_ROUND_UP};
    uint8_t y[4];
    (void)state;
    tni_convert(y, TN_F8E8M0, x, TN_F32, 4, &mode);
    assert_memory_equal(y, up, 4);
    mode.round = TNI_ROUND_DOWN;
    tni_convert(y, TN_F8E8M0, x, TN_F32, 4, &mode);
    assert_memory_equal(y, down, 4);
    mode = (tni_convert_mode){true, TNI_ROUND_NEAREST};
    tni_convert(y, TN_F8E8M0, x, TN_F32, 4, &mode);
    assert_memory_equal(y, nearest, 4);
}

static void every_pair_converts_zero_and_one(void **state)
{
    const double values[2] = {0.0, 1.0};
    (void)state;
    for (int a = 1; a < TN_DTYPE_COUNT; a++)
        for (int b = 1; b < TN_DTYPE_COUNT; b++) {
            const tn_dtype from = (tn_dtype)a, to = (tn_dtype)b;
            if (!tni_can_convert(from) || !tni_can_convert(to)) continue;
            /* e8m0 has no 0. */
            const int first = from == TN_F8E8M0 || to == TN_F8E8M0 ? 1 : 0;
            uint64_t x[2] = {0}, y[2] = {0};
            double back[2] = {0};
            tni_convert(x, from, values, TN_F64, 2, NULL);
            tni_convert(y, to, x, from, 2, NULL);
            tni_convert(back, TN_F64, y, to, 2, NULL);
            for (int i = first; i < 2; i++) assert_true(back[i] == values[i]);
        }
}

static void numbers_to_strings(void **state)
{
    const float x[8] = {3.0f,        0.1f,  1e-5f, 1e10f,
                        123456.789f, -0.0f, NAN,   -INFINITY};
    static const char *const want[8] = {"3",         "0.1", "1e-05", "1e+10",
                                        "123456.79", "-0",  "NaN",   "-INF"};
    opcall c;
    (void)state;
    opcall_init(&c, "", "Cast", 13);
    opcall_int(&c, "to", TN_STRING);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){8}, x);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    for (int i = 0; i < 8; i++) {
        const tn_string s = OUT(&c, tn_string)[i];
        assert_int_equal(s.len, strlen(want[i]));
        assert_memory_equal(s.ptr, want[i], s.len);
    }
    opcall_fini(&c);
}

static tn_string str(const char *text)
{
    return (tn_string){text, strlen(text)};
}

static void strings_to_numbers(void **state)
{
    const tn_string x[6] = {str("3.5"),  str("-1e3"), str("+INF"),
                            str(" nan"), str("0"),    str("1e400")};
    const tn_string bad[1] = {str("hello")};
    opcall c;
    (void)state;
    opcall_init(&c, "", "Cast", 13);
    opcall_int(&c, "to", TN_F64);
    opcall_in(&c, TN_STRING, 1, (const int64_t[]){6}, x);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const double *y = OUT(&c, double);
    assert_true(y[0] == 3.5 && y[1] == -1000.0 && y[2] > 1e308);
    assert_true(isnan(y[3]) && y[4] == 0.0 && isinf(y[5]));
    opcall_fini(&c);
    opcall_init(&c, "", "Cast", 13);
    opcall_int(&c, "to", TN_I64);
    opcall_in(&c, TN_STRING, 1, (const int64_t[]){1}, bad);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "'hello'"));
    opcall_fini(&c);
}

static void text_round_trips(void **state)
{
    static const double values[] = {0.1,    -2.5e-300, 1.7976931348623157e308,
                                    5e-324, 123456789, 1.0 / 3.0};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char buf[32];
        double back = 0.0;
        const size_t n = tni_num_format(buf, sizeof buf, values[i], 17);
        assert_true(tni_num_parse_f64(&back, NULL, buf, n));
        assert_true(back == values[i]);
    }
    char long_text[2000];
    double v = 0.0;
    memset(long_text, '0', sizeof long_text);
    long_text[0] = '1';
    long_text[1] = '.';
    assert_true(tni_num_parse_f64(&v, NULL, long_text, sizeof long_text));
    assert_true(v == 1.0);
    int64_t i = 0;
    assert_true(tni_num_parse_i64(&i, NULL, "-9223372036854775808", 20));
    assert_true(i == INT64_MIN);
    assert_false(tni_num_parse_i64(&i, NULL, "9223372036854775808", 19));
    assert_false(tni_num_parse_i64(&i, NULL, "", 0));
}

/* --- the others -------------------------------------------------------- */

static void equal_compares_strings(void **state)
{
    const tn_string x[3] = {str("a"), str("bc"), {NULL, 0}};
    const tn_string y[1] = {str("bc")};
    const uint8_t want[3] = {0, 1, 0};
    opcall c;
    (void)state;
    binary_in(&c, "Equal", 19, TN_STRING, x, y, 3, 1);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, uint8_t), want, 3));
    opcall_fini(&c);
}

static void where_moves_every_size(void **state)
{
    static const tn_dtype dtypes[] = {TN_U8, TN_F16, TN_F32, TN_F64, TN_C128};
    const uint8_t cond[4] = {1, 0, 0, 1};
    uint8_t x[64], y[64];
    (void)state;
    memset(x, 1, sizeof x);
    memset(y, 2, sizeof y);
    for (int i = 0; i < TNI_COUNT(dtypes); i++) {
        const size_t size = tn_dtype_size(dtypes[i]);
        opcall c;
        opcall_init(&c, "", "Where", 16);
        opcall_in(&c, TN_BOOL, 1, (const int64_t[]){4}, cond);
        opcall_in(&c, dtypes[i], 1, (const int64_t[]){4}, x);
        opcall_in(&c, dtypes[i], 1, (const int64_t[]){1}, y);
        BOTH(&c, 1,
             for (size_t k = 0; k < 4 * size; k++)
                 assert_int_equal(OUT(&c, uint8_t)[k], cond[k / size] ? 1 : 2));
        opcall_fini(&c);
    }
}

static void sums_run_both_ways(void **state)
{
    const int32_t x[6] = {1, 2, 3, 4, 5, 6};
    const int64_t axis = -1;
    const int32_t want[4][6] = {{1, 3, 6, 4, 9, 15},
                                {0, 1, 3, 0, 4, 9},
                                {6, 5, 3, 15, 11, 6},
                                {5, 3, 0, 11, 6, 0}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        opcall c;
        opcall_init(&c, "", "CumSum", 14);
        opcall_int(&c, "exclusive", i & 1);
        opcall_int(&c, "reverse", i >> 1);
        opcall_in(&c, TN_I32, 2, (const int64_t[]){2, 3}, x);
        opcall_in(&c, TN_I64, 0, NULL, &axis);
        c.inputs_const = true;
        BOTH(&c, 1, assert_memory_equal(OUT(&c, int32_t), want[i], 24));
        opcall_fini(&c);
    }
}

static void quantises_per_tensor_and_axis(void **state)
{
    const float x[4] = {1.5f, 2.5f, -300.0f, NAN};
    const float scale[2] = {1.0f, 2.0f};
    const int8_t zero[2] = {0, 1};
    const int8_t one_want[4] = {2, 2, -128, -128};
    const int8_t axis_want[4] = {2, 2, -128, -128};
    opcall c;
    (void)state;
    opcall_init(&c, "", "QuantizeLinear", 21);
    opcall_in(&c, TN_F32, 2, (const int64_t[]){2, 2}, x);
    opcall_in(&c, TN_F32, 0, NULL, scale);
    opcall_in(&c, TN_I8, 0, NULL, zero);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int8_t), one_want, 4));
    opcall_fini(&c);
    opcall_init(&c, "", "QuantizeLinear", 21);
    opcall_in(&c, TN_F32, 2, (const int64_t[]){2, 2}, x);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){2}, scale);
    opcall_in(&c, TN_I8, 1, (const int64_t[]){2}, zero);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, int8_t), axis_want, 4));
    opcall_fini(&c);
}

/* Five elements in blocks of two: the last block has one. */
static void dequantises_by_blocks(void **state)
{
    const int8_t x[10] = {1, 2, 3, 4, 5, 1, 2, 3, 4, 5};
    const float scale[6] = {1.0f, 10.0f, 100.0f, 2.0f, 20.0f, 200.0f};
    const float rows[10] = {1, 2, 30, 40, 500, 2, 4, 60, 80, 1000};
    opcall c;
    (void)state;
    opcall_init(&c, "", "DequantizeLinear", 21);
    opcall_int(&c, "axis", 1);
    opcall_int(&c, "block_size", 2);
    opcall_in(&c, TN_I8, 2, (const int64_t[]){2, 5}, x);
    opcall_in(&c, TN_F32, 2, (const int64_t[]){2, 3}, scale);
    BOTH(&c, 1, assert_memory_equal(OUT(&c, float), rows, sizeof rows));
    opcall_fini(&c);
    opcall_init(&c, "", "DequantizeLinear", 21);
    opcall_int(&c, "axis", 0);
    opcall_int(&c, "block_size", 2);
    opcall_in(&c, TN_I8, 2, (const int64_t[]){5, 2}, x);
    opcall_in(&c, TN_F32, 2, (const int64_t[]){3, 2}, scale);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const float *y = OUT(&c, float);
    assert_true(y[0] == 1.0f && y[1] == 20.0f && y[2] == 3.0f);
    assert_true(y[4] == 500.0f && y[5] == 2.0f && y[9] == 1000.0f);
    opcall_fini(&c);
}

static void scales_must_fit(void **state)
{
    const float x[4] = {0}, scale[3] = {1, 1, 1};
    opcall c;
    (void)state;
    opcall_init(&c, "", "QuantizeLinear", 21);
    opcall_in(&c, TN_F32, 2, (const int64_t[]){2, 2}, x);
    opcall_in(&c, TN_F32, 1, (const int64_t[]){3}, scale);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "scale"));
    opcall_fini(&c);
}

static void microsoft_add_rounds(void **state)
{
    const uint8_t a[2] = {10, 255}, b[1] = {4}, zero = 0;
    const float as = 0.5f, bs = 0.25f, cs = 1.0f;
    opcall c;
    (void)state;
    opcall_init(&c, "com.microsoft", "QLinearAdd", 1);
    opcall_in(&c, TN_U8, 1, (const int64_t[]){2}, a);
    opcall_in(&c, TN_F32, 0, NULL, &as);
    opcall_in(&c, TN_U8, 0, NULL, &zero);
    opcall_in(&c, TN_U8, 1, (const int64_t[]){1}, b);
    opcall_in(&c, TN_F32, 0, NULL, &bs);
    opcall_in(&c, TN_U8, 0, NULL, &zero);
    opcall_in(&c, TN_F32, 0, NULL, &cs);
    opcall_in(&c, TN_U8, 0, NULL, &zero);
    BOTH(&c, 1, {
        assert_int_equal(OUT(&c, uint8_t)[0], 6);
        assert_int_equal(OUT(&c, uint8_t)[1], 128); /* 128.5 to even */
    });
    opcall_fini(&c);
}

static int setup(void **state)
{
    (void)state;
    tni_kernels_init(&kernels, UINT32_MAX);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broadcasts_every_shape),
        cmocka_unit_test(refuses_shapes_that_do_not_fit),
        cmocka_unit_test(places_by_axis),
        cmocka_unit_test(same_bits_for_any_split),
        cmocka_unit_test(folds_in_place),
        cmocka_unit_test(integers_wrap),
        cmocka_unit_test(division_truncates),
        cmocka_unit_test(division_by_zero_is_an_error),
        cmocka_unit_test(mod_takes_a_sign),
        cmocka_unit_test(shifts_are_bounded),
        cmocka_unit_test(integer_powers_are_exact),
        cmocka_unit_test(float_powers_have_short_cuts),
        cmocka_unit_test(nan_goes_through),
        cmocka_unit_test(rounds_half_to_even),
        cmocka_unit_test(clip_takes_max_last),
        cmocka_unit_test(halves_are_rounded_once),
        cmocka_unit_test(floats_to_integers),
        cmocka_unit_test(doubles_to_halves_round_once),
        cmocka_unit_test(small_integers_wrap),
        cmocka_unit_test(powers_of_two_round_as_asked),
        cmocka_unit_test(every_pair_converts_zero_and_one),
        cmocka_unit_test(numbers_to_strings),
        cmocka_unit_test(strings_to_numbers),
        cmocka_unit_test(text_round_trips),
        cmocka_unit_test(equal_compares_strings),
        cmocka_unit_test(where_moves_every_size),
        cmocka_unit_test(sums_run_both_ways),
        cmocka_unit_test(quantises_per_tensor_and_axis),
        cmocka_unit_test(dequantises_by_blocks),
        cmocka_unit_test(scales_must_fit),
        cmocka_unit_test(microsoft_add_rounds),
    };
    return cmocka_run_group_tests_name("elementwise", tests, setup, NULL);
}
