/* SPDX-License-Identifier: Apache-2.0 */
/* test_integer.c - integer products and convolutions by their definition */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/opcall.h"

#include <math.h>
#include <string.h>

static tni_kernels kernels;
static uint32_t seed = 7;

static void fill(uint8_t *v, int n)
{
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = (uint8_t)(seed >> 24);
    }
}

enum { M = 9, K = 33, N = 70 };

/* Full range operands of every pairing, a zero point for each column. */
static void test_matmul_integer(void **state)
{
    (void)state;
    static uint8_t a[M * K], b[K * N], za[1], zb[N];
    for (int signs = 0; signs < 8; signs++) {
        const bool sa = signs & 1, sb = signs & 2, packed = signs & 4;
        fill(a, M * K);
        fill(b, K * N);
        fill(za, 1);
        fill(zb, N);
        opcall c;
        opcall_init(&c, "", "MatMulInteger", 10);
        opcall_in(&c, sa ? TN_I8 : TN_U8, 2, (int64_t[]){M, K}, a);
        opcall_in(&c, sb ? TN_I8 : TN_U8, 2, (int64_t[]){K, N}, b);
        opcall_in(&c, sa ? TN_I8 : TN_U8, 0, NULL, za);
        opcall_in(&c, sb ? TN_I8 : TN_U8, 1, (int64_t[]){N}, zb);
        c.kernels = &kernels;
        c.inputs_const = packed;
        for (int way = 0; way < 2; way++) {
            assert_int_equal(way ? opcall_run(&c, 1) : opcall_ref(&c, 1),
                             TN_OK);
            for (int i = 0; i < M; i++) {
                for (int j = 0; j < N; j++) {
                    int32_t sum = 0;
                    for (int k = 0; k < K; k++) {
                        const int x = sa ? (int8_t)a[i * K + k] : a[i * K + k];
                        const int y = sb ? (int8_t)b[k * N + j] : b[k * N + j];
                        sum += (x - (sa ? (int8_t)za[0] : za[0])) *
                               (y - (sb ? (int8_t)zb[j] : zb[j]));
                    }
                    assert_int_equal(TNI_CDATA(int32_t, c.out[0])[i * N + j],
                                     sum);
                }
            }
        }
        opcall_fini(&c);
    }
}

/* 0.5 and 1.5 go to even; what is too large stays in range. */
static void test_rounding(void **state)
{
    (void)state;
    const int8_t a[6] = {1, 3, 5, -1, 127, -128}, one[1] = {1};
    const float half = 0.5f, unit = 1.0f, tiny = 0.001f;
    const int8_t zero = 0, shift = 10;
    const int8_t want[6] = {10, 12, 12, 10, 74, -54};
    opcall c;
    opcall_init(&c, "", "QLinearMatMul", 10);
    opcall_in(&c, TN_I8, 2, (int64_t[]){6, 1}, a);
    opcall_in(&c, TN_F32, 0, NULL, &half);
    opcall_in(&c, TN_I8, 0, NULL, &zero);
    opcall_in(&c, TN_I8, 2, (int64_t[]){1, 1}, one);
    opcall_in(&c, TN_F32, 0, NULL, &unit);
    opcall_in(&c, TN_I8, 0, NULL, &zero);
    opcall_in(&c, TN_F32, 0, NULL, &unit);
    opcall_in(&c, TN_I8, 0, NULL, &shift);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_memory_equal(c.out[0]->data, want, sizeof want);
    memcpy(c.inputs[6].data, &tiny, sizeof tiny);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const int8_t ends[6] = {127, 127, 127, -128, 127, -128};
    assert_memory_equal(c.out[0]->data, ends, sizeof ends);
    opcall_fini(&c);
}

typedef struct geometry {
    int64_t channels, groups, outputs, stride, pad, dilation;
} geometry;

enum { SIDE = 7, KERNEL = 3 };

static int32_t define(const geometry *g, const uint8_t *x, const int8_t *w,
                      int zx, int64_t o, int64_t row, int64_t col)
{
    const int64_t ic = g->channels / g->groups;
    const int64_t first = o / (g->outputs / g->groups) * ic;
    int32_t sum = 0;
    for (int64_t c = 0; c < ic; c++) {
        for (int64_t t = 0; t < KERNEL * KERNEL; t++) {
            const int64_t i =
                row * g->stride - g->pad + t / KERNEL * g->dilation;
            const int64_t j =
                col * g->stride - g->pad + t % KERNEL * g->dilation;
            if (i < 0 || j < 0 || i >= SIDE || j >= SIDE) continue;
            sum += (x[((first + c) * SIDE + i) * SIDE + j] - zx) *
                   w[(o * ic + c) * KERNEL * KERNEL + t];
        }
    }
    return sum;
}

static void test_convolution(void **state)
{
    (void)state;
    static const geometry cases[] = {
        {3, 1, 20, 1, 1, 1}, {8, 8, 8, 2, 1, 1}, {8, 2, 24, 1, 0, 2},
        {4, 1, 70, 2, 2, 1}, {6, 3, 6, 1, 1, 1},
    };
    static uint8_t x[8 * SIDE * SIDE], w[70 * 8 * 9];
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const geometry *g = &cases[k];
        const int64_t ic = g->channels / g->groups;
        const int64_t pads[4] = {g->pad, g->pad, g->pad, g->pad};
        const int64_t strides[2] = {g->stride, g->stride};
        const int64_t dilations[2] = {g->dilation, g->dilation};
        const uint8_t zx = 131;
        fill(x, (int)(g->channels * SIDE * SIDE));
        fill(w, (int)(g->outputs * ic * 9));
        opcall c;
        opcall_init(&c, "", "ConvInteger", 10);
        opcall_int(&c, "group", g->groups);
        opcall_ints(&c, "pads", pads, 4);
        opcall_ints(&c, "strides", strides, 2);
        opcall_ints(&c, "dilations", dilations, 2);
        opcall_in(&c, TN_U8, 4, (int64_t[]){1, g->channels, SIDE, SIDE}, x);
        opcall_in(&c, TN_I8, 4, (int64_t[]){g->outputs, ic, KERNEL, KERNEL}, w);
        opcall_in(&c, TN_U8, 0, NULL, &zx);
        c.kernels = &kernels;
        c.inputs_const = true;
        for (int way = 0; way < 2; way++) {
            assert_int_equal(way ? opcall_run(&c, 1) : opcall_ref(&c, 1),
                             TN_OK);
            const int32_t *y = c.out[0]->data;
            const int64_t h = c.out[0]->dims[2], v = c.out[0]->dims[3];
            for (int64_t o = 0; o < g->outputs; o++)
                for (int64_t i = 0; i < h * v; i++)
                    assert_int_equal(*y++, define(g, x, (const int8_t *)w, zx,
                                                  o, i / v, i % v));
        }
        opcall_fini(&c);
    }
}

static void test_bad_scales(void **state)
{
    (void)state;
    const int8_t a[4] = {1, 2, 3, 4}, zero[3] = {0};
    opcall c;
    opcall_init(&c, "", "MatMulInteger", 10);
    opcall_in(&c, TN_I8, 2, (int64_t[]){2, 2}, a);
    opcall_in(&c, TN_I8, 2, (int64_t[]){2, 2}, a);
    opcall_in(&c, TN_I8, 0, NULL, NULL);
    opcall_in(&c, TN_I8, 1, (int64_t[]){3}, zero);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "expected 1 or 2"));
    opcall_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matmul_integer),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_bad_scales),
    };
    tni_kernels_init(&kernels, UINT32_MAX);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
