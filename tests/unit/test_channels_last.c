/* SPDX-License-Identifier: Apache-2.0 */
/* test_channels_last.c - 8-bit operators with the channels last, held against
 * those with the channels second */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/opcall.h"

#include <stdlib.h>
#include <string.h>

static tni_kernels kernels;
static uint32_t seed = 11;
static const char *const ms = "com.microsoft";

enum { MOST = 40, H = 9, WIDTH = 11, MAX = 2 * MOST * H * WIDTH };

static void fill(uint8_t *v, int n)
{
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = (uint8_t)(seed >> 24);
    }
}

/* y[n][h][w][c] = x[n][c][h][w] */
static void to_last(uint8_t *y, const uint8_t *x, const int64_t *dims)
{
    const int64_t n = dims[0], c = dims[1], len = dims[2] * dims[3];
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < c; k++)
            for (int64_t p = 0; p < len; p++)
                y[(i * len + p) * c + k] = x[(i * c + k) * len + p];
}

typedef struct geometry {
    int64_t in, groups, out, kernel, stride, pad, dilation;
} geometry;

typedef struct data {
    uint8_t x[MAX], x_last[MAX], w[MOST * MOST * 9], w_zero[MOST];
    float w_scale[MOST];
    int32_t bias[MOST];
} data;

static void call_conv(opcall *c, const geometry *g, const data *d, bool last,
                      const tn_dtype type[3], int per_channel)
{
    static const float x_scale = 0.02f, y_scale = 0.7f;
    static const uint8_t x_zero = 120, y_zero = 100;
    const int64_t x[2][4] = {{2, g->in, H, WIDTH}, {2, H, WIDTH, g->in}};
    const int64_t w[4] = {g->out, g->in / g->groups, g->kernel, g->kernel};
    static int64_t strides[2], pads[4], dilations[2];
    strides[0] = strides[1] = g->stride;
    dilations[0] = dilations[1] = g->dilation;
    for (int i = 0; i < 4; i++) pads[i] = g->pad;
    opcall_init(c, last ? ms : "", "QLinearConv", last ? 1 : 10);
    opcall_in(c, type[0], 4, x[last], last ? d->x_last : d->x);
    opcall_in(c, TN_F32, 0, NULL, &x_scale);
    opcall_in(c, type[0], 0, NULL, &x_zero);
    opcall_in(c, type[1], 4, w, d->w);
    opcall_in(c, TN_F32, per_channel, &w[0], d->w_scale);
    opcall_in(c, type[1], per_channel, &w[0], d->w_zero);
    opcall_in(c, TN_F32, 0, NULL, &y_scale);
    opcall_in(c, type[2], 0, NULL, &y_zero);
    opcall_in(c, TN_I32, 1, &w[0], d->bias);
    opcall_int(c, "group", g->groups);
    opcall_ints(c, "strides", strides, 2);
    opcall_ints(c, "pads", pads, 4);
    opcall_ints(c, "dilations", dilations, 2);
    if (last) opcall_int(c, "channels_last", 1);
    c->kernels = &kernels;
    c->inputs_const = true;
}

/* Every pairing of dtypes, dense, grouped, depthwise; by ref and by plan. */
static void test_convolution(void **state)
{
    static const geometry shapes[] = {
        {3, 1, 17, 3, 2, 1, 1},   {40, 1, 24, 1, 1, 0, 1},
        {16, 1, 33, 1, 2, 0, 1},  {8, 1, 8, 3, 1, 2, 2},
        {12, 3, 9, 3, 1, 1, 1},   {36, 36, 36, 3, 1, 1, 1},
        {16, 16, 16, 3, 2, 0, 1}, {4, 4, 8, 2, 1, 0, 1},
    };
    static data d;
    static uint8_t want[MAX];
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int signs = 0; signs < 16; signs++) {
            const tn_dtype type[3] = {signs & 1 ? TN_I8 : TN_U8,
                                      signs & 2 ? TN_I8 : TN_U8,
                                      signs & 4 ? TN_I8 : TN_U8};
            const geometry *g = &shapes[i];
            fill(d.x, 2 * (int)g->in * H * WIDTH);
            fill(d.w, MOST * MOST * 9);
            fill(d.w_zero, MOST);
            for (int k = 0; k < MOST; k++) {
                /* Zero points that leave signed bytes, every other time. */
                if (signs & 8) d.w_zero[k] = signs & 2 ? 0 : 128;
                d.w_scale[k] = 0.001f * (float)(k + 1);
                d.bias[k] = 1000 * (k - 20);
            }
            to_last(d.x_last, d.x, (int64_t[]){2, g->in, H, WIDTH});
            opcall a, b;
            call_conv(&a, g, &d, false, type, 1);
            call_conv(&b, g, &d, true, type, 1);
            assert_int_equal(opcall_ref(&a, 1), TN_OK);
            to_last(want, a.out[0]->data, a.out[0]->dims);
            for (int way = 0; way < 2; way++) {
                assert_int_equal(way ? opcall_run(&b, 1) : opcall_ref(&b, 1),
                                 TN_OK);
                assert_int_equal(b.out[0]->len, a.out[0]->len);
                assert_memory_equal(b.out[0]->data, want,
                                    (size_t)a.out[0]->len);
            }
            opcall_fini(&a);
            opcall_fini(&b);
        }
    }
}

static void test_bad_convolution(void **state)
{
    static data d;
    const geometry g = {4, 1, 4, 1, 1, 0, 1};
    const tn_dtype type[3] = {TN_U8, TN_U8, TN_U8};
    opcall c;
    (void)state;
    call_conv(&c, &g, &d, true, type, 1);
    c.inputs[8].dims[0] = c.inputs[8].len = 3;
    assert_int_equal(opcall_run(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "does not have 4 values"));
    opcall_fini(&c);
    call_conv(&c, &g, &d, true, type, 1);
    c.inputs[4].dims[0] = c.inputs[4].len = 3;
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "expected 1 or 4"));
    opcall_fini(&c);
}

static void test_max_pool(void **state)
{
    static uint8_t x[MAX], last[MAX], want[MAX];
    static const int64_t kernel[2] = {3, 2}, strides[2] = {2, 1};
    static const int64_t pads[4] = {1, 0, 1, 1};
    (void)state;
    for (int s8 = 0; s8 < 2; s8++) {
        const tn_dtype type = s8 ? TN_I8 : TN_U8;
        opcall a, b;
        fill(x, 2 * 5 * H * WIDTH);
        to_last(last, x, (int64_t[]){2, 5, H, WIDTH});
        opcall_init(&a, "", "MaxPool", 12);
        opcall_in(&a, type, 4, (int64_t[]){2, 5, H, WIDTH}, x);
        opcall_init(&b, ms, "NhwcMaxPool", 1);
        opcall_in(&b, type, 4, (int64_t[]){2, H, WIDTH, 5}, last);
        opcall *both[2] = {&a, &b};
        for (int i = 0; i < 2; i++) {
            opcall_ints(both[i], "kernel_shape", kernel, 2);
            opcall_ints(both[i], "strides", strides, 2);
            opcall_ints(both[i], "pads", pads, 4);
            both[i]->kernels = &kernels;
        }
        assert_int_equal(opcall_ref(&a, 1), TN_OK);
        to_last(want, a.out[0]->data, a.out[0]->dims);
        for (int way = 0; way < 2; way++) {
            assert_int_equal(way ? opcall_run(&b, 1) : opcall_ref(&b, 1),
                             TN_OK);
            assert_memory_equal(b.out[0]->data, want, (size_t)a.out[0]->len);
        }
        opcall_fini(&a);
        opcall_fini(&b);
    }
}

static void test_lookup(void **state)
{
    static uint8_t x[300], table[256];
    opcall c;
    (void)state;
    fill(x, 300);
    fill(table, 256);
    opcall_init(&c, "tenon", "Lookup", 1);
    opcall_in(&c, TN_I8, 2, (int64_t[]){3, 100}, x);
    opcall_in(&c, TN_U8, 1, (int64_t[]){256}, table);
    c.kernels = &kernels;
    for (int way = 0; way < 2; way++) {
        assert_int_equal(way ? opcall_run(&c, 1) : opcall_ref(&c, 1), TN_OK);
        assert_int_equal(c.out[0]->dtype, TN_U8);
        for (int i = 0; i < 300; i++)
            assert_int_equal(TNI_CDATA(uint8_t, c.out[0])[i], table[x[i]]);
    }
    c.inputs[1].dims[0] = c.inputs[1].len = 255;
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "expected 256"));
    opcall_fini(&c);
}

/* All pairs of codes: the vector way and the plain one. */
static void test_sums_and_products(void **state)
{
    static uint8_t a[65536], b[65536];
    static const char *const ops[] = {"QLinearAdd", "QLinearMul"};
    static const float sa = 0.0313f, sb = 0.0117f;
    static const uint8_t za = 131, zb = 7, zc = 90;
    (void)state;
    for (int i = 0; i < 65536; i++) {
        a[i] = (uint8_t)(i >> 8);
        b[i] = (uint8_t)i;
    }
    for (int i = 0; i < 4; i++) {
        const tn_dtype type = i & 1 ? TN_I8 : TN_U8;
        const float sc = i & 2 ? 0.021f : 0.033f;
        opcall c;
        uint8_t *want = malloc(65536);
        assert_non_null(want);
        opcall_init(&c, ms, ops[i >> 1], 1);
        opcall_in(&c, type, 2, (int64_t[]){256, 256}, a);
        opcall_in(&c, TN_F32, 0, NULL, &sa);
        opcall_in(&c, type, 0, NULL, &za);
        opcall_in(&c, type, 2, (int64_t[]){256, 256}, b);
        opcall_in(&c, TN_F32, 0, NULL, &sb);
        opcall_in(&c, type, 0, NULL, &zb);
        opcall_in(&c, TN_F32, 0, NULL, &sc);
        opcall_in(&c, type, 0, NULL, &zc);
        c.kernels = &kernels;
        assert_int_equal(opcall_ref(&c, 1), TN_OK);
        memcpy(want, c.out[0]->data, 65536);
        assert_int_equal(opcall_run(&c, 1), TN_OK);
        assert_memory_equal(c.out[0]->data, want, 65536);
        free(want);
        opcall_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_bad_convolution),
        cmocka_unit_test(test_max_pool),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_sums_and_products),
    };
    tni_kernels_init(&kernels, UINT32_MAX);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
