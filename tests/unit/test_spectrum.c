/* SPDX-License-Identifier: Apache-2.0 */
/* test_spectrum.c - DFT and STFT: plan against reference, all forms */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/opcall.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static tni_kernels kernels;

enum { MOST = 40000 };

static const float *values(int64_t n)
{
    static float v[MOST];
    static uint32_t seed = 1;
    assert_true(n <= MOST);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = (float)(seed >> 8) / 16777216.0f - 0.5f;
    }
    return v;
}

/* The planned operator's numbers are the reference's, as far as floats go. */
static void same(opcall *c, const char *what)
{
    static float want[2 * MOST];
    c->kernels = &kernels;
    c->inputs_const = true;
    assert_int_equal(opcall_ref(c, 1), TN_OK);
    const int64_t n = c->out[0]->len;
    assert_true(n <= 2 * MOST);
    memcpy(want, c->out[0]->data, (size_t)n * sizeof *want);
    double norm = 0;
    for (int64_t i = 0; i < n; i++) norm = fmax(norm, fabs((double)want[i]));
    assert_int_equal(opcall_run(c, 1), TN_OK);
    assert_int_equal(c->out[0]->len, n);
    const float *got = c->out[0]->data;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= 2e-6 * norm))
            fail_msg("%s: %g at %d of %d, expected %g", what, (double)got[i],
                     (int)i, (int)n, (double)want[i]);
    opcall_fini(c);
}

static void dft_case(int opset, int64_t n, int64_t length, int axis, int parts,
                     int flags)
{
    char what[120];
    snprintf(what, sizeof what,
             "opset %d, %d points, length %d, axis %d, %d parts, flags %d",
             opset, (int)n, (int)length, axis, parts, flags);
    const int64_t a = axis;
    int64_t dims[4] = {2, 3, 2, parts};
    dims[axis] = n;
    opcall c;
    opcall_init(&c, "", "DFT", opset);
    opcall_int(&c, "inverse", flags & 1);
    opcall_int(&c, "onesided", flags >> 1);
    if (opset < 20) opcall_int(&c, "axis", a);
    opcall_in(&c, TN_F32, 4, dims,
              values(dims[0] * dims[1] * dims[2] * dims[3]));
    opcall_in(&c, TN_I64, 0, NULL, length > 0 ? &length : NULL);
    if (opset >= 20) opcall_in(&c, TN_I64, 0, NULL, &a);
    same(&c, what);
}

static void test_dft(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 3, 7, 8, 30, 128, 250, 512, 514, 960};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const int64_t n = sizes[i];
        for (int k = 0; k < 8; k++)
            for (int axis = 0; axis < 3; axis++) {
                const int parts = 1 + (k & 1), opset = axis == 1 ? 17 : 20;
                /* By default the half spectrum of one bin is of none. */
                if (n > 1 || k >> 1 != 3)
                    dft_case(opset, n, 0, axis, parts, k >> 1);
                /* Cut and padded */
                if (n > 2) dft_case(opset, n, n - 2, axis, parts, k >> 1);
                dft_case(opset, n, n + 6, axis, parts, k >> 1);
            }
    }
}

static void stft_case(int64_t n, int64_t step, int64_t length, int parts,
                      bool windowed, bool onesided)
{
    char what[120];
    snprintf(what, sizeof what, "%d samples, frames of %d, %d parts%s%s",
             (int)n, (int)length, parts, windowed ? ", windowed" : "",
             onesided ? ", onesided" : "");
    static float window[2048];
    for (int64_t i = 0; i < length; i++)
        window[i] = 0.5f - 0.4f * cosf((float)i);
    opcall c;
    opcall_init(&c, "", "STFT", 17);
    opcall_int(&c, "onesided", onesided);
    opcall_in(&c, TN_F32, 3, (int64_t[]){2, n, parts}, values(2 * n * parts));
    opcall_in(&c, TN_I64, 0, NULL, &step);
    opcall_in(&c, TN_F32, 1, &length, windowed ? window : NULL);
    opcall_in(&c, TN_I64, 0, NULL, &length);
    same(&c, what);
}

static void test_stft(void **state)
{
    (void)state;
    static const int64_t lengths[] = {1, 2, 9, 16, 128, 400, 401, 1024};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (int k = 0; k < 6; k++) {
            const bool real = k < 4;
            stft_case(lengths[i] + 3000, 1 + lengths[i] * 2 / 3 + 40,
                      lengths[i], real ? 1 : 2, k % 2 == 0, real && k < 2);
        }
}

/* A frame is the same wherever it stands, and whatever threads there are. */
static void test_position(void **state)
{
    (void)state;
    static float twice[2 * 1200];
    memcpy(twice, values(1200), 1200 * sizeof *twice);
    memcpy(twice + 1200, twice, 1200 * sizeof *twice);
    const int64_t step = 400, length = 400;
    opcall c;
    opcall_init(&c, "", "STFT", 17);
    opcall_in(&c, TN_F32, 3, (int64_t[]){1, 2400, 1}, twice);
    opcall_in(&c, TN_I64, 0, NULL, &step);
    opcall_in(&c, TN_F32, 1, &length, NULL);
    opcall_in(&c, TN_I64, 0, NULL, &length);
    c.kernels = &kernels;
    c.inputs_const = true;
    assert_int_equal(opcall_run(&c, 1), TN_OK);
    const float *y = c.out[0]->data;
    assert_memory_equal(y, y + c.out[0]->len / 2,
                        (size_t)c.out[0]->len / 2 * sizeof *y);
    opcall_fini(&c);
}

static void test_bad(void **state)
{
    (void)state;
    const int64_t step = 4, length = 8, window_len = 7;
    opcall c;
    opcall_init(&c, "", "STFT", 17);
    opcall_in(&c, TN_F32, 3, (int64_t[]){1, 100, 1}, values(100));
    opcall_in(&c, TN_I64, 0, NULL, &step);
    opcall_in(&c, TN_F32, 1, &window_len, values(7));
    opcall_in(&c, TN_I64, 0, NULL, &length);
    c.kernels = &kernels;
    c.inputs_const = true;
    assert_int_equal(opcall_run(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "a window of 7 for frames of 8"));
    opcall_fini(&c);
    opcall_init(&c, "", "DFT", 17);
    opcall_in(&c, TN_F32, 3, (int64_t[]){1, 10, 3}, values(30));
    c.kernels = &kernels;
    assert_int_equal(opcall_run(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "expected 1 (real) or 2"));
    opcall_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dft),
        cmocka_unit_test(test_stft),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_bad),
    };
    tni_kernels_init(&kernels, UINT32_MAX);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
