/* SPDX-License-Identifier: Apache-2.0 */
/* test_old_ops.c - operators as old and as optimising writers mean them */
#include "harness/opcall.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void dynamic_slice(void **state)
{
    (void)state;
    const float x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const int64_t starts[1] = {1}, ends[1] = {-1}, axes[1] = {1};
    const int64_t dims[2] = {3, 4}, one[1] = {1};
    for (int with_axes = 0; with_axes < 2; with_axes++) {
        opcall c;
        opcall_init(&c, "", "DynamicSlice", 9);
        opcall_in(&c, TN_F32, 2, dims, x);
        opcall_in(&c, TN_I64, 1, one, starts);
        opcall_in(&c, TN_I64, 1, one, ends);
        if (with_axes) opcall_in(&c, TN_I64, 1, one, axes);
        assert_int_equal(opcall_ref(&c, 1), TN_OK);
        const tni_tensor *y = c.out[0];
        const float *v = y->data;
        assert_int_equal(y->dims[0], with_axes ? 3 : 1);
        assert_int_equal(y->dims[1], with_axes ? 2 : 4);
        assert_true(v[0] == (with_axes ? 1.0f : 4.0f));
        assert_true(v[y->len - 1] == (with_axes ? 10.0f : 7.0f));
        opcall_fini(&c);
    }
}

/* [2, 2, 1, 2]: per channel over the batch, or over everything. */
static void mean_variance(void **state)
{
    (void)state;
    const float x[8] = {1, 3, 10, 10, 5, 7, 30, 30};
    const int64_t dims[4] = {2, 2, 1, 2};
    for (int across = 0; across < 2; across++)
        for (int scaled = 0; scaled < 2; scaled++) {
            opcall c;
            opcall_init(&c, "", "MeanVarianceNormalization", 8);
            opcall_in(&c, TN_F32, 4, dims, x);
            opcall_int(&c, "across_channels", across);
            if (!scaled) opcall_int(&c, "normalize_variance", 0);
            assert_int_equal(opcall_ref(&c, 1), TN_OK);
            const float *y = c.out[0]->data;
            const double mean = across ? 12.0 : 4.0;
            const double var = across ? 116.5 : 5.0;
            const double want = (1.0 - mean) / (scaled ? sqrt(var) : 1.0);
            assert_true(fabs((double)y[0] - want) < 1e-5);
            opcall_fini(&c);
        }
}

/* output_shape with the batch and the channels in front. */
static void whole_output_shape(void **state)
{
    (void)state;
    const float x[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    float w[18];
    const int64_t x_dims[4] = {1, 1, 3, 3}, w_dims[4] = {1, 2, 3, 3};
    const int64_t whole[4] = {1, 2, 10, 8}, strides[2] = {3, 2};
    float want[160];
    for (int i = 0; i < 18; i++) w[i] = 1.0f;
    for (int n = 2; n <= 4; n += 2) {
        opcall c;
        opcall_init(&c, "", "ConvTranspose", 8);
        opcall_in(&c, TN_F32, 4, x_dims, x);
        opcall_in(&c, TN_F32, 4, w_dims, w);
        opcall_ints(&c, "strides", strides, 2);
        opcall_ints(&c, "output_shape", whole + 4 - n, n);
        assert_int_equal(opcall_ref(&c, 1), TN_OK);
        assert_int_equal(c.out[0]->len, 160);
        if (n == 2)
            memcpy(want, c.out[0]->data, sizeof want);
        else
            assert_memory_equal(want, c.out[0]->data, sizeof want);
        opcall_fini(&c);
    }
    opcall c;
    opcall_init(&c, "", "ConvTranspose", 8);
    opcall_in(&c, TN_F32, 4, x_dims, x);
    opcall_in(&c, TN_F32, 4, w_dims, w);
    opcall_ints(&c, "output_shape", whole, 3);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "output_shape has 3 values"));
    opcall_fini(&c);
}

/* Scale and result wider than x, as ONNX Runtime's fusions write it. */
static void layer_norm_of_two_types(void **state)
{
    (void)state;
    const uint16_t x[4] = {0x3c00, 0x4000, 0x4200, 0x4400}; /* 1, 2, 3, 4 */
    const float scale[4] = {1, 1, 1, 2};
    const int64_t dims[2] = {1, 4};
    opcall c;
    opcall_init(&c, "", "LayerNormalization", 12);
    opcall_in(&c, TN_F16, 2, dims, x);
    opcall_in(&c, TN_F32, 1, dims + 1, scale);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_int_equal(c.out[0]->dtype, TN_F32);
    const float *y = c.out[0]->data;
    const double unit = 1.0 / sqrt(1.25 + 1e-5);
    assert_true(fabs((double)y[0] + 1.5 * unit) < 1e-6);
    assert_true(fabs((double)y[3] - 3.0 * unit) < 1e-6);
    opcall_fini(&c);
}

/* Three quarters of a pixel beyond the border of 0, 0, 0, 8: of the cubic's
 * four pixels all but the first are the last one, which weighs the rest. */
static void cubic_beyond_the_border(void **state)
{
    (void)state;
    const float x[4] = {0, 0, 0, 8}, grid[2] = {1.5f, 0.0f};
    const int64_t x_dims[4] = {1, 1, 1, 4}, g_dims[4] = {1, 1, 1, 2};
    opcall c;
    opcall_init(&c, "", "GridSample", 16);
    opcall_in(&c, TN_F32, 4, x_dims, x);
    opcall_in(&c, TN_F32, 4, g_dims, grid);
    opcall_string(&c, "mode", "bicubic");
    opcall_string(&c, "padding_mode", "border");
    opcall_int(&c, "align_corners", 1);
    /* (1.5 + 1) / 2 * 3 = 3.75: the first of the pixels 2, 3, 4, 5 is a 0
     * whose weight at distance 1.75 is ((-0.75 d + 3.75) d - 6) d + 3. */
    const double d = 1.75;
    const double first = ((-0.75 * d + 3.75) * d - 6.0) * d + 3.0;
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    assert_true(fabs(tni_get_f64(c.out[0], 0) - 8.0 * (1.0 - first)) < 1e-5);
    opcall_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dynamic_slice),
        cmocka_unit_test(mean_variance),
        cmocka_unit_test(whole_output_shape),
        cmocka_unit_test(layer_norm_of_two_types),
        cmocka_unit_test(cubic_beyond_the_border),
    };
    return cmocka_run_group_tests_name("old_ops", tests, NULL, NULL);
}
