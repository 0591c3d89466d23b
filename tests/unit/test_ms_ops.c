/* SPDX-License-Identifier: Apache-2.0 */
/* test_ms_ops.c - com.microsoft operators against what they stand for */
#include "harness/opcall.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char ms[] = "com.microsoft";

static bool near(double a, double b, double most)
{
    return fabs(a - b) <= most;
}

static void inverse(void **state)
{
    (void)state;
    const float x[8] = {0, 2, 1, 0, 4, 7, 2, 6};
    const float want[8] = {0, 1, 0.5f, 0, 0.6f, -0.7f, -0.2f, 0.4f};
    const int64_t dims[3] = {2, 2, 2}, flat[2] = {2, 4};
    opcall c;
    opcall_init(&c, ms, "Inverse", 1);
    opcall_in(&c, TN_F32, 3, dims, x);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    for (int i = 0; i < 8; i++)
        assert_true(near(tni_get_f64(c.out[0], i), (double)want[i], 1e-6));
    opcall_fini(&c);
    opcall_init(&c, ms, "Inverse", 1);
    opcall_in(&c, TN_F32, 2, flat, x);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "matrices of 2 x 4"));
    opcall_fini(&c);
}

static void cdist(void **state)
{
    (void)state;
    const float a[4] = {0, 0, 3, 4}, b[6] = {0, 0, 3, 4, 6, 8};
    const double want[6] = {0, 25, 100, 25, 0, 25};
    const int64_t a_dims[2] = {2, 2}, b_dims[2] = {3, 2}, odd[2] = {2, 3};
    for (int root = 0; root < 2; root++) {
        opcall c;
        opcall_init(&c, ms, "CDist", 1);
        opcall_in(&c, TN_F32, 2, a_dims, a);
        opcall_in(&c, TN_F32, 2, b_dims, b);
        if (root) opcall_string(&c, "metric", "euclidean");
        assert_int_equal(opcall_ref(&c, 1), TN_OK);
        for (int i = 0; i < 6; i++)
            assert_true(tni_get_f64(c.out[0], i) ==
                        (root ? sqrt(want[i]) : want[i]));
        opcall_fini(&c);
    }
    opcall c;
    opcall_init(&c, ms, "CDist", 1);
    opcall_in(&c, TN_F32, 2, a_dims, a);
    opcall_in(&c, TN_F32, 2, odd, b);
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    opcall_fini(&c);
    opcall_init(&c, ms, "CDist", 1);
    opcall_in(&c, TN_F32, 2, a_dims, a);
    opcall_in(&c, TN_F32, 2, b_dims, b);
    opcall_string(&c, "metric", "cosine");
    assert_int_equal(opcall_ref(&c, 1), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "metric must be"));
    opcall_fini(&c);
}

/* floor(1 / (1/255)) is 254 in float: a certain class gets 254, as there. */
static void qlinear_softmax(void **state)
{
    (void)state;
    const uint8_t x[4] = {0, 255, 10, 0}, zero = 0;
    const float xs = 1.0f, ys = 1.0f / 255.0f;
    const int64_t dims[2] = {1, 4};
    opcall c;
    opcall_init(&c, ms, "QLinearSoftmax", 1);
    opcall_in(&c, TN_U8, 2, dims, x);
    opcall_in(&c, TN_F32, 0, NULL, &xs);
    opcall_in(&c, TN_U8, 0, NULL, &zero);
    opcall_in(&c, TN_F32, 0, NULL, &ys);
    opcall_in(&c, TN_U8, 0, NULL, &zero);
    opcall_int(&c, "axis", -1);
    opcall_int(&c, "opset", 13);
    assert_int_equal(opcall_ref(&c, 1), TN_OK);
    const uint8_t *y = c.out[0]->data;
    assert_int_equal(y[1], (int)floorf(1.0f / ys));
    assert_int_equal(y[0] + y[2] + y[3], 0);
    opcall_fini(&c);
}

/* The weights of a small QAttention, whole and as integers. */
static void qattention(void **state)
{
    (void)state;
    enum { B = 2, S = 3, I = 4, H = 4 };
    uint8_t x[B * S * I];
    int8_t w[I * 3 * H];
    float wide_x[B * S * I], wide_w[I * 3 * H], bias[3 * H], scales[3 * H];
    int8_t zeros[3 * H];
    const uint8_t x_zero = 100;
    const float x_scale = 0.02f;
    const int64_t x_dims[3] = {B, S, I}, w_dims[2] = {I, 3 * H};
    const int64_t n[1] = {3 * H};
    for (int j = 0; j < 3 * H; j++) {
        bias[j] = (float)j * 0.1f - 0.5f;
        scales[j] = 0.01f + 0.001f * (float)j;
        zeros[j] = (int8_t)(j - 5);
    }
    for (int i = 0; i < B * S * I; i++) {
        x[i] = (uint8_t)(i * 37 % 256);
        wide_x[i] = (float)(x[i] - x_zero) * x_scale;
    }
    for (int i = 0; i < I * 3 * H; i++) {
        w[i] = (int8_t)(i * 53 % 200 - 100);
        wide_w[i] = (float)(w[i] - zeros[i % (3 * H)]) * scales[i % (3 * H)];
    }
    opcall a, q;
    opcall_init(&a, ms, "Attention", 1);
    opcall_in(&a, TN_F32, 3, x_dims, wide_x);
    opcall_in(&a, TN_F32, 2, w_dims, wide_w);
    opcall_in(&a, TN_F32, 1, n, bias);
    opcall_int(&a, "num_heads", 2);
    assert_int_equal(opcall_ref(&a, 1), TN_OK);
    opcall_init(&q, ms, "QAttention", 1);
    opcall_in(&q, TN_U8, 3, x_dims, x);
    opcall_in(&q, TN_I8, 2, w_dims, w);
    opcall_in(&q, TN_F32, 1, n, bias);
    opcall_in(&q, TN_F32, 0, NULL, &x_scale);
    opcall_in(&q, TN_F32, 1, n, scales);
    opcall_in(&q, TN_I32, 0, NULL, NULL);
    opcall_in(&q, TN_U8, 0, NULL, &x_zero);
    opcall_in(&q, TN_I8, 1, n, zeros);
    opcall_int(&q, "num_heads", 2);
    assert_int_equal(opcall_ref(&q, 1), TN_OK);
    assert_int_equal(q.out[0]->len, B * S * H);
    assert_memory_equal(a.out[0]->data, q.out[0]->data,
                        B * S * H * sizeof(float));
    opcall_fini(&a);
    opcall_fini(&q);
}

/* Two directions, two rows of unlike length. Rounding inputs and states to
 * 256 steps moves an answer by less than their number times a step. */
static void dynamic_quantize_lstm(void **state)
{
    (void)state;
    enum { T = 4, N = 2, I = 3, H = 2, D = 2 };
    float x[T * N * I], w[D * 4 * H * I], r[D * 4 * H * H], b[D * 8 * H];
    int8_t qw[D * I * 4 * H], qr[D * H * 4 * H];
    const float w_scale[D] = {0.01f, 0.02f}, r_scale[D] = {0.02f, 0.01f};
    const int8_t zero[D] = {3, -2};
    const int32_t lens[N] = {4, 3};
    const int64_t x_dims[3] = {T, N, I}, d1[1] = {D}, n1[1] = {N};
    const int64_t w_dims[3] = {D, 4 * H, I}, r_dims[3] = {D, 4 * H, H};
    const int64_t qw_dims[3] = {D, I, 4 * H}, qr_dims[3] = {D, H, 4 * H};
    const int64_t b_dims[2] = {D, 8 * H};
    for (int i = 0; i < T * N * I; i++)
        x[i] = (float)(i * 29 % 40) / 20.0f - 1.0f;
    for (int i = 0; i < D * 8 * H; i++) b[i] = (float)(i % 5) * 0.1f;
    for (int d = 0; d < D; d++)
        for (int j = 0; j < 4 * H; j++) {
            for (int i = 0; i < I; i++) {
                int8_t *q = &qw[(d * I + i) * 4 * H + j];
                *q = (int8_t)((d * 31 + i * 17 + j * 23) % 120 - 60);
                w[(d * 4 * H + j) * I + i] = (float)(*q - zero[d]) * w_scale[d];
            }
            for (int i = 0; i < H; i++) {
                int8_t *q = &qr[(d * H + i) * 4 * H + j];
                *q = (int8_t)((d * 13 + i * 41 + j * 7) % 100 - 50);
                r[(d * 4 * H + j) * H + i] = (float)(*q - zero[d]) * r_scale[d];
            }
        }
    opcall a, q;
    opcall_init(&a, "", "LSTM", 14);
    opcall_in(&a, TN_F32, 3, x_dims, x);
    opcall_in(&a, TN_F32, 3, w_dims, w);
    opcall_in(&a, TN_F32, 3, r_dims, r);
    opcall_in(&a, TN_F32, 2, b_dims, b);
    opcall_in(&a, TN_I32, 1, n1, lens);
    opcall_string(&a, "direction", "bidirectional");
    opcall_int(&a, "hidden_size", H);
    assert_int_equal(opcall_ref(&a, 3), TN_OK);
    opcall_init(&q, ms, "DynamicQuantizeLSTM", 1);
    opcall_in(&q, TN_F32, 3, x_dims, x);
    opcall_in(&q, TN_I8, 3, qw_dims, qw);
    opcall_in(&q, TN_I8, 3, qr_dims, qr);
    opcall_in(&q, TN_F32, 2, b_dims, b);
    opcall_in(&q, TN_I32, 1, n1, lens);
    for (int i = 0; i < 3; i++) opcall_in(&q, TN_F32, 0, NULL, NULL);
    opcall_in(&q, TN_F32, 1, d1, w_scale);
    opcall_in(&q, TN_I8, 1, d1, zero);
    opcall_in(&q, TN_F32, 1, d1, r_scale);
    opcall_in(&q, TN_I8, 1, d1, zero);
    opcall_string(&q, "direction", "bidirectional");
    opcall_int(&q, "hidden_size", H);
    assert_int_equal(opcall_ref(&q, 3), TN_OK);
    for (int o = 0; o < 3; o++) {
        assert_int_equal(q.out[o]->len, a.out[o]->len);
        assert_true(tni_same_shape(q.out[o], a.out[o]));
        bool same = true;
        for (int64_t i = 0; i < a.out[o]->len; i++) {
            const double u = tni_get_f64(a.out[o], i);
            const double v = tni_get_f64(q.out[o], i);
            assert_true(near(u, v, 0.03));
            same = same && u == v;
        }
        assert_false(same);
    }
    opcall_fini(&a);
    opcall_fini(&q);
}

/* The mean that an rms norm does not have is 0, by ref and by run. */
static void skip_rms_norm_mean(void **state)
{
    (void)state;
    const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, gamma[4] = {1, 1, 1, 1};
    const int64_t dims[3] = {1, 2, 4}, cols[1] = {4};
    tni_kernels kernels;
    tni_kernels_init(&kernels, UINT32_MAX);
    for (int planned = 0; planned < 2; planned++) {
        opcall c;
        opcall_init(&c, ms, "SkipSimplifiedLayerNormalization", 1);
        opcall_in(&c, TN_F32, 3, dims, x);
        opcall_in(&c, TN_F32, 3, dims, x);
        opcall_in(&c, TN_F32, 1, cols, gamma);
        c.kernels = &kernels;
        assert_int_equal(planned ? opcall_run(&c, 4) : opcall_ref(&c, 4),
                         TN_OK);
        for (int i = 0; i < 2; i++)
            assert_true(tni_get_f64(c.out[1], i) == 0.0);
        assert_true(tni_get_f64(c.out[3], 7) == 16.0);
        opcall_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inverse),
        cmocka_unit_test(cdist),
        cmocka_unit_test(qlinear_softmax),
        cmocka_unit_test(qattention),
        cmocka_unit_test(dynamic_quantize_lstm),
        cmocka_unit_test(skip_rms_norm_mean),
    };
    return cmocka_run_group_tests_name("ms_ops", tests, NULL, NULL);
}
