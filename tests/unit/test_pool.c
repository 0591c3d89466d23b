/* SPDX-License-Identifier: Apache-2.0 */
/* test_pool.c - pooling against its definition: pads, ceil, dilation, dtypes */
#include "harness/opcall.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tni_kernels kernels;

enum { PLANES = 6, MAX_IN = 4096 };

typedef struct geometry {
    int64_t in, k, s, d, b, e;
    bool ceil_mode;
} geometry;

static int64_t out_extent(const geometry *g)
{
    const int64_t room = g->in + g->b + g->e - ((g->k - 1) * g->d + 1);
    int64_t out = 0;
    /* The count of window starts, by walking. */
    for (int64_t at = 0; at <= room; at += g->s) out++;
    if (g->ceil_mode && room % g->s != 0 && out * g->s < g->in + g->b) out++;
    return out;
}

/* A square window over a square plane, from its definition. */
static double define(const geometry *g, const float *x, int64_t oy, int64_t ox,
                     int kind, int64_t *at)
{
    double max = -(double)INFINITY, sum = 0, n = 0, n_pad = 0;
    for (int64_t ky = 0; ky < g->k; ky++)
        for (int64_t kx = 0; kx < g->k; kx++) {
            const int64_t y = oy * g->s - g->b + ky * g->d;
            const int64_t c = ox * g->s - g->b + kx * g->d;
            if (y < g->in + g->e && c < g->in + g->e) n_pad++;
            if (y < 0 || y >= g->in || c < 0 || c >= g->in) continue;
            const double v = (double)x[y * g->in + c];
            n++;
            sum += kind == 3 ? v * v : v;
            if (v > max) {
                max = v;
                *at = y * g->in + c;
            }
        }
    switch (kind) {
    case 0: return max;
    case 1: return n == 0 ? 0 : sum / n;
    case 2: return n_pad == 0 ? 0 : sum / n_pad;
    default: return sqrt(sum);
    }
}

static void describe(opcall *c, const geometry *g, int64_t attrs[4][4])
{
    for (int i = 0; i < 2; i++) {
        attrs[0][i] = g->k;
        attrs[1][i] = g->s;
        attrs[2][i] = g->d;
        attrs[3][i] = g->b;
        attrs[3][2 + i] = g->e;
    }
    opcall_ints(c, "kernel_shape", attrs[0], 2);
    opcall_ints(c, "strides", attrs[1], 2);
    opcall_ints(c, "dilations", attrs[2], 2);
    opcall_ints(c, "pads", attrs[3], 4);
    opcall_int(c, "ceil_mode", g->ceil_mode);
}

/* kind: 0 max, 1 average, 2 average with pads, 3 L2. */
static void check(const geometry *g, int kind, bool planned, bool indices)
{
    static const char *const ops[] = {"MaxPool", "AveragePool", "AveragePool",
                                      "LpPool"};
    static float x[MAX_IN];
    const int64_t dims[4] = {2, 3, g->in, g->in}, out = out_extent(g);
    int64_t attrs[4][4];
    opcall c;
    for (int64_t i = 0; i < PLANES * g->in * g->in; i++)
        x[i] = (float)(i * 7919 % 509) / 32.0f - 8.0f;
    opcall_init(&c, "", ops[kind], 22);
    c.kernels = &kernels;
    describe(&c, g, attrs);
    if (kind == 2) opcall_int(&c, "count_include_pad", 1);
    opcall_in(&c, TN_F32, 4, dims, x);
    const tn_status s =
        planned ? opcall_run(&c, 1) : opcall_ref(&c, indices ? 2 : 1);
    if (planned && s == TN_EUNSUPPORTED) {
        opcall_fini(&c);
        return;
    }
    assert_int_equal(s, TN_OK);
    assert_int_equal(c.out[0]->dims[2], out);
    assert_int_equal(c.out[0]->dims[3], out);
    for (int64_t u = 0; u < PLANES * out * out; u++) {
        const int64_t plane = u / (out * out);
        int64_t at = 0;
        const double want = define(g, x + plane * g->in * g->in, u / out % out,
                                   u % out, kind, &at);
        const double got = (double)TNI_CDATA(float, c.out[0])[u];
        if (fabs(got - want) > 1e-5 && got != want)
            fail_msg("%s in %d k %d s %d d %d pads %d %d ceil %d at %d: %g, "
                     "want %g",
                     ops[kind], (int)g->in, (int)g->k, (int)g->s, (int)g->d,
                     (int)g->b, (int)g->e, g->ceil_mode, (int)u, got, want);
        if (indices && want > -(double)INFINITY)
            assert_int_equal(TNI_CDATA(int64_t, c.out[1])[u],
                             plane * g->in * g->in + at);
    }
    opcall_fini(&c);
}

static void test_geometry(void **state)
{
    (void)state;
    for (int64_t in = 3; in <= 11; in += 2)
        for (int64_t k = 1; k <= 4; k++)
            for (int64_t s = 1; s <= 3; s++)
                for (int64_t d = 1; d <= 2; d++)
                    for (int p = 0; p < 3; p++)
                        for (int ceil_mode = 0; ceil_mode < 2; ceil_mode++) {
                            const geometry g = {in,
                                                k,
                                                s,
                                                d,
                                                p == 0 ? 0 : (k - 1) / 2,
                                                p == 2 ? k / 2 : 0,
                                                ceil_mode != 0};
                            if (in + g.b + g.e < (k - 1) * d + 1) continue;
                            for (int kind = 0; kind < 4; kind++) {
                                check(&g, kind, false, kind == 0);
                                check(&g, kind, true, false);
                            }
                        }
}

/* auto_pad with k = 4, s = 3 on 10: 4 windows, 3 pixels of padding in all. */
static void test_auto_pad(void **state)
{
    static const struct {
        const char *mode;
        int64_t b, e;
    } modes[] = {{"SAME_UPPER", 1, 2}, {"SAME_LOWER", 2, 1}, {"VALID", 0, 0}};
    static const int64_t kernel[2] = {4, 4}, strides[2] = {3, 3};
    float x[100];
    (void)state;
    for (int i = 0; i < 100; i++) x[i] = (float)(i * 37 % 101);
    for (int m = 0; m < 3; m++)
        for (int planned = 0; planned < 2; planned++) {
            const geometry g = {10, 4, 3, 1, modes[m].b, modes[m].e, false};
            const int64_t dims[4] = {1, 1, 10, 10}, out = m < 2 ? 4 : 3;
            opcall c;
            opcall_init(&c, "", "MaxPool", 22);
            c.kernels = &kernels;
            opcall_string(&c, "auto_pad", modes[m].mode);
            opcall_ints(&c, "kernel_shape", kernel, 2);
            opcall_ints(&c, "strides", strides, 2);
            opcall_in(&c, TN_F32, 4, dims, x);
            assert_int_equal(planned ? opcall_run(&c, 1) : opcall_ref(&c, 1),
                             TN_OK);
            assert_int_equal(c.out[0]->dims[3], out);
            for (int64_t u = 0; u < out * out; u++) {
                int64_t at = 0;
                assert_true((double)TNI_CDATA(float, c.out[0])[u] ==
                            define(&g, x, u / out, u % out, 0, &at));
            }
            opcall_fini(&c);
        }
}

static void test_bytes(void **state)
{
    static const int64_t kernel[1] = {3}, pads[2] = {1, 1};
    const int64_t dims[3] = {1, 1, 4};
    const uint8_t u[4] = {3, 200, 7, 0}, want_u[4] = {200, 200, 200, 7};
    const int8_t s[4] = {-3, -100, -7, -128}, want_s[4] = {-3, -3, -7, -7};
    (void)state;
    for (int planned = 0; planned < 2; planned++)
        for (int t = 0; t < 2; t++) {
            opcall c;
            opcall_init(&c, "", "MaxPool", 12);
            c.kernels = &kernels;
            opcall_ints(&c, "kernel_shape", kernel, 1);
            opcall_ints(&c, "pads", pads, 2);
            opcall_in(&c, t == 0 ? TN_U8 : TN_I8, 3, dims,
                      t == 0 ? (const void *)u : (const void *)s);
            assert_int_equal(planned ? opcall_run(&c, 1) : opcall_ref(&c, 1),
                             TN_OK);
            assert_memory_equal(
                c.out[0]->data,
                t == 0 ? (const void *)want_u : (const void *)want_s, 4);
            opcall_fini(&c);
        }
}

static void test_column_major(void **state)
{
    static const int64_t kernel[2] = {2, 2}, strides[2] = {2, 2};
    const int64_t dims[4] = {1, 2, 2, 4};
    const float x[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1, 1, 1, 1, 9};
    const int64_t want[4] = {3, 7, 8, 15}; /* row + 2 * column + 8 * channel */
    opcall c;
    (void)state;
    opcall_init(&c, "", "MaxPool", 12);
    opcall_ints(&c, "kernel_shape", kernel, 2);
    opcall_ints(&c, "strides", strides, 2);
    opcall_int(&c, "storage_order", 1);
    opcall_in(&c, TN_F32, 4, dims, x);
    assert_int_equal(opcall_ref(&c, 2), TN_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(TNI_CDATA(int64_t, c.out[1])[i], want[i]);
    opcall_fini(&c);
}

static void test_unpool_bad_index(void **state)
{
    static const int64_t kernel[1] = {2};
    const int64_t dims[3] = {1, 1, 2}, bad[2] = {0, 3};
    const float x[2] = {1, 2};
    opcall c;
    (void)state;
    opcall_init(&c, "", "MaxUnpool", 11);
    opcall_ints(&c, "kernel_shape", kernel, 1);
    opcall_in(&c, TN_F32, 3, dims, x);
    opcall_in(&c, TN_I64, 3, dims, bad);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    opcall_fini(&c);
}

static void test_refused(void **state)
{
    static const struct {
        int64_t kernel, stride, pad;
    } bad[] = {{0, 1, 0}, {3, 0, 0},         {3, 1, -1},
               {9, 1, 0}, {INT64_MAX, 1, 0}, {3, INT64_MIN, 0}};
    const int64_t dims[3] = {1, 1, 5};
    const float x[5] = {0};
    (void)state;
    for (int i = 0; i < TNI_COUNT(bad); i++) {
        const int64_t pads[2] = {bad[i].pad, bad[i].pad};
        opcall c;
        opcall_init(&c, "", "AveragePool", 19);
        opcall_ints(&c, "kernel_shape", &bad[i].kernel, 1);
        opcall_ints(&c, "strides", &bad[i].stride, 1);
        opcall_ints(&c, "pads", pads, 2);
        opcall_in(&c, TN_F32, 3, dims, x);
        assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
        opcall_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_auto_pad),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_column_major),
        cmocka_unit_test(test_unpool_bad_index),
        cmocka_unit_test(test_refused),
    };
    tni_kernels_init(&kernels, UINT32_MAX);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
