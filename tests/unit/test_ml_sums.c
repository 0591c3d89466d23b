/* SPDX-License-Identifier: Apache-2.0 */
/* test_ml_sums.c - sums and kernels that linear models and machines share */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/ml.h"
#include "ops/svm.h"

#include <math.h>

enum { most = 41 };

static void test_sums(void **state)
{
    (void)state;
    float a[most], b[most];
    double dot = 0.0, distance = 0.0;
    for (int n = 0; n < most; n++) {
        /* Whole numbers: every order of summation is exact. */
        assert_true(tni_ml_dot(a, b, n) == dot);
        assert_true(tni_ml_distance2(a, b, n) == distance);
        a[n] = (float)(1 + n % 5);
        b[n] = (float)(n % 3 - 4);
        const double d = (double)a[n] - (double)b[n];
        dot += (double)a[n] * (double)b[n];
        distance += d * d;
    }
}

static void test_degrees(void **state)
{
    (void)state;
    static const double degrees[] = {0.0, 0.5, 1.0, 2.0,  3.0,
                                     7.0, 8.5, 32., 33.0, -2.0};
    const float x[1] = {1.25f}, v[1] = {1.5f};
    for (size_t i = 0; i < sizeof degrees / sizeof degrees[0]; i++) {
        const tni_svm_kernel k = {TNI_SVM_POLY, 2.0, 0.5, degrees[i]};
        const double want = pow(2.0 * 1.25 * 1.5 + 0.5, degrees[i]);
        const double got = (double)tni_svm_kernel_at(&k, x, v, 1);
        assert_true(fabs(got - want) <= 0x1p-23 * want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_degrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
