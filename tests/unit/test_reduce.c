/* SPDX-License-Identifier: Apache-2.0 */
/* test_reduce.c - reductions: every axes mask, empty sets, integers, softmax */
#include "harness/opcall.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tni_kernels kernels;

enum { MAX_LEN = 4096 };

static const char *const names[] = {
    "ReduceSum",       "ReduceMean",     "ReduceMax", "ReduceMin",
    "ReduceProd",      "ReduceL1",       "ReduceL2",  "ReduceLogSum",
    "ReduceLogSumExp", "ReduceSumSquare"};
enum { SUM, MEAN, MAX, MIN, PROD, L1, L2, LOG_SUM, LOG_SUM_EXP, SUM_SQUARE };

/* One output cell by the definition: elements whose kept coordinates match. */
static double define(int kind, const float *x, int rank, const int64_t *dims,
                     uint32_t mask, int64_t cell)
{
    int64_t len = 1, n = 0;
    double acc = kind == PROD  ? 1
                 : kind == MAX ? -(double)INFINITY
                 : kind == MIN ? (double)INFINITY
                               : 0;
    for (int i = 0; i < rank; i++) len *= dims[i];
    for (int64_t e = 0; e < len; e++) {
        int64_t rest = e, at = 0, step = 1;
        for (int i = rank - 1; i >= 0; i--) {
            if ((mask >> i & 1u) == 0) {
                at += rest % dims[i] * step;
                step *= dims[i];
            }
            rest /= dims[i];
        }
        if (at != cell) continue;
        const double v = (double)x[e];
        n++;
        switch (kind) {
        case MAX: acc = v > acc ? v : acc; break;
        case MIN: acc = v < acc ? v : acc; break;
        case PROD: acc *= v; break;
        case L1: acc += fabs(v); break;
        case L2:
        case SUM_SQUARE: acc += v * v; break;
        case LOG_SUM_EXP: acc += exp(v); break;
        default: acc += v; break;
        }
    }
    switch (kind) {
    case MEAN: return acc / (double)n;
    case L2: return sqrt(acc);
    case LOG_SUM:
    case LOG_SUM_EXP: return log(acc);
    default: return acc;
    }
}

static int axes_of(int64_t *axes, uint32_t mask, int rank)
{
    int n = 0;
    for (int i = 0; i < rank; i++)
        if ((mask >> i & 1u) != 0)
            axes[n++] = i % 2 == 0 ? i : i - rank; /* some from the end */
    return n;
}

static void check_mask(int kind, int rank, const int64_t *dims, uint32_t mask)
{
    static float x[MAX_LEN];
    int64_t len = 1, axes[8], one[1];
    for (int i = 0; i < rank; i++) len *= dims[i];
    assert_true(len <= MAX_LEN);
    for (int64_t i = 0; i < len; i++)
        x[i] = (float)(i * 7919 % 101 + 1) / 64.0f;
    one[0] = axes_of(axes, mask, rank);
    for (int keep = 0; keep < 2; keep++)
        for (int planned = 0; planned < 2; planned++) {
            opcall c;
            opcall_init(&c, "", names[kind], 18);
            c.kernels = &kernels;
            c.inputs_const = true;
            opcall_int(&c, "keepdims", keep);
            opcall_int(&c, "noop_with_empty_axes", 1);
            opcall_in(&c, TN_F32, rank, dims, x);
            opcall_in(&c, TN_I64, 1, one, axes);
            const tn_status s = planned ? opcall_run(&c, 1) : opcall_ref(&c, 1);
            if (!planned || s != TN_EUNSUPPORTED) {
                assert_int_equal(s, TN_OK);
                assert_int_equal(c.out[0]->rank,
                                 keep ? rank : rank - (int)one[0]);
                for (int64_t o = 0; o < c.out[0]->len; o++) {
                    const double want = define(kind, x, rank, dims, mask, o);
                    const double got = (double)TNI_CDATA(float, c.out[0])[o];
                    if (fabs(got - want) > 1e-5 + 2e-5 * fabs(want))
                        fail_msg("%s rank %d mask %u cell %lld: %g, want %g",
                                 names[kind], rank, mask, (long long)o, got,
                                 want);
                }
            }
            opcall_fini(&c);
        }
}

static void test_masks(void **state)
{
    static const struct {
        int rank;
        int64_t dims[5];
    } shapes[] = {{1, {300}},        {2, {3, 70}},         {3, {5, 1, 67}},
                  {4, {2, 3, 4, 5}}, {5, {2, 1, 3, 2, 9}}, {2, {600, 3}}};
    (void)state;
    for (int kind = 0; kind < 10; kind++) {
        if (kind == PROD) continue; /* overflows on these; below */
        for (int k = 0; k < TNI_COUNT(shapes); k++)
            for (uint32_t m = 0; m < 1u << shapes[k].rank; m++)
                check_mask(kind, shapes[k].rank, shapes[k].dims, m);
    }
    for (uint32_t m = 0; m < 8; m++)
        check_mask(PROD, 3, (const int64_t[]){2, 3, 4}, m);
}

static void test_empty_sets(void **state)
{
    static const double want[] = {
        0, (double)NAN, -(double)INFINITY, (double)INFINITY,  1,
        0, 0,   -(double)INFINITY, -(double)INFINITY, 0};
    const int64_t dims[3] = {2, 0, 4}, one[1] = {1}, axes[1] = {1};
    (void)state;
    for (int kind = 0; kind < 10; kind++) {
        opcall c;
        opcall_init(&c, "", names[kind], 18);
        opcall_in(&c, TN_F32, 3, dims, "");
        opcall_in(&c, TN_I64, 1, one, axes);
        assert_int_equal(opcall_ref(&c, 1), TN_OK);
        assert_int_equal(c.out[0]->len, 8);
        for (int i = 0; i < 8; i++) {
            const double got = (double)TNI_CDATA(float, c.out[0])[i];
            if (isnan(want[kind]))
                assert_true(isnan(got));
            else
                assert_true(got == want[kind]);
        }
        opcall_fini(&c);
    }
}

static void check_i64(const char *op, int opset, const int64_t *x, int n,
                      int64_t want)
{
    const int64_t dims[1] = {n};
    opcall c;
    opcall_init(&c, "", op, opset);
    opcall_int(&c, "keepdims", 0);
    opcall_in(&c, TN_I64, 1, dims, x);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_int_equal(c.out[0]->rank, 0);
    assert_true(TNI_CDATA(int64_t, c.out[0])[0] == want);
    opcall_fini(&c);
}

static void test_integers(void **state)
{
    /* Beyond the 53 bits of a double. */
    const int64_t big = INT64_C(9007199254740993);
    const int64_t x[3] = {big, -2, -5}, y[2] = {-7, 2};
    (void)state;
    check_i64("ReduceSum", 13, x, 3, big - 7);
    check_i64("ReduceMax", 13, x, 3, big);
    check_i64("ReduceMin", 13, x, 3, -5);
    check_i64("ReduceL1", 13, x, 3, big + 7);
    check_i64("ReduceMean", 13, y, 2, -2); /* truncates */
    check_i64("ReduceProd", 13, y, 2, -14);
    check_i64("ReduceSumSquare", 13, y, 2, 53);
    check_i64("ReduceL2", 13, y, 2, 7);
}

static void test_bool_and_bytes(void **state)
{
    const uint8_t b[3] = {0, 1, 0}, u[3] = {7, 255, 3};
    const int8_t s[3] = {-128, 5, 127};
    const int64_t dims[1] = {3}, none[1] = {0};
    opcall c;
    (void)state;
    opcall_init(&c, "", "ReduceMax", 20);
    opcall_in(&c, TN_BOOL, 1, dims, b);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_int_equal(TNI_CDATA(uint8_t, c.out[0])[0], 1);
    opcall_fini(&c);
    opcall_init(&c, "", "ReduceMin", 18);
    opcall_in(&c, TN_U8, 1, dims, u);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_int_equal(TNI_CDATA(uint8_t, c.out[0])[0], 3);
    opcall_fini(&c);
    opcall_init(&c, "", "ReduceMax", 18);
    opcall_in(&c, TN_I8, 1, none, "");
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_int_equal(TNI_CDATA(int8_t, c.out[0])[0], -128);
    opcall_fini(&c);
    opcall_init(&c, "", "ReduceMin", 18);
    opcall_in(&c, TN_I8, 1, dims, s);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_int_equal(TNI_CDATA(int8_t, c.out[0])[0], -128);
    opcall_fini(&c);
}

static void test_special_values(void **state)
{
    const float x[6] = {1, NAN, 3, -INFINITY, -INFINITY, -INFINITY};
    const int64_t dims[2] = {2, 3}, one[1] = {1}, axes[1] = {-1};
    (void)state;
    for (int planned = 0; planned < 2; planned++)
        for (int kind = MAX; kind <= LOG_SUM_EXP; kind++) {
            opcall c;
            if (kind != MAX && kind != MIN && kind != LOG_SUM_EXP) continue;
            opcall_init(&c, "", names[kind], 18);
            c.kernels = &kernels;
            c.inputs_const = true;
            opcall_in(&c, TN_F32, 2, dims, x);
            opcall_in(&c, TN_I64, 1, one, axes);
            assert_int_equal(planned ? opcall_run(&c, 1) : opcall_ref(&c, 1),
                             TN_OK);
            assert_true(isnan(TNI_CDATA(float, c.out[0])[0]));
            assert_true(TNI_CDATA(float, c.out[0])[1] == -INFINITY);
            opcall_fini(&c);
        }
}

static void test_bad_axes(void **state)
{
    const float x[6] = {0};
    const int64_t dims[2] = {2, 3};
    static const int64_t bad[][2] = {{2, 0}, {-3, 0}, {0, 0}, {1, -1}};
    (void)state;
    for (int i = 0; i < TNI_COUNT(bad); i++) {
        opcall c;
        opcall_init(&c, "", "ReduceSum", 11);
        opcall_ints(&c, "axes", bad[i], 2);
        opcall_in(&c, TN_F32, 2, dims, x);
        assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
        opcall_fini(&c);
    }
}

/* --- softmax --------------------------------------------------------------- */

static void check_softmax(const char *op, int opset, int axis, bool log_form)
{
    enum { A = 3, B = 5, C = 70 };
    static float x[A * B * C];
    const int64_t dims[3] = {A, B, C};
    const int64_t n = opset < 13 ? (axis == 0   ? A * B * C
                                    : axis == 1 ? B * C
                                                : C)
                                 : dims[axis];
    const int64_t inner = opset < 13  ? 1
                          : axis == 0 ? B * C
                          : axis == 1 ? C
                                      : 1;
    for (int i = 0; i < A * B * C; i++)
        x[i] = (float)(i * 7919 % 211) / 16.0f + 80.0f;
    for (int planned = 0; planned < 2; planned++) {
        opcall c;
        opcall_init(&c, "", op, opset);
        c.kernels = &kernels;
        opcall_int(&c, "axis", axis);
        opcall_in(&c, TN_F32, 3, dims, x);
        assert_int_equal(planned ? opcall_run(&c, 1) : opcall_ref(&c, 1),
                         TN_OK);
        for (int64_t i = 0; i < A * B * C; i++) {
            const int64_t first = i / (n * inner) * n * inner + i % inner;
            double sum = 0, want;
            for (int64_t k = 0; k < n; k++)
                sum += exp((double)x[first + k * inner] - (double)x[i]);
            want = log_form ? -log(sum) : 1.0 / sum;
            assert_true(fabs((double)TNI_CDATA(float, c.out[0])[i] - want) <=
                        1e-6 + 1e-5 * fabs(want));
        }
        opcall_fini(&c);
    }
}

static void test_softmax(void **state)
{
    (void)state;
    for (int axis = 0; axis < 3; axis++) {
        check_softmax("Softmax", 11, axis, false);
        check_softmax("Softmax", 13, axis, false);
        check_softmax("LogSoftmax", 11, axis, true);
        check_softmax("LogSoftmax", 13, axis, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_empty_sets),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_bool_and_bytes),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_bad_axes),
        cmocka_unit_test(test_softmax),
    };
    tni_kernels_init(&kernels, UINT32_MAX);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
