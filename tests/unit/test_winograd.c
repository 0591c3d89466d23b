/* SPDX-License-Identifier: Apache-2.0 */
/* test_winograd.c - 3x3 convolutions in sessions: error, `exact`, same bits */
#include "harness/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

/* Sizes of either tile, with V of one's own and shared; the last is direct. */
static const struct shape {
    int64_t channels, height, width;
    bool winograd;
} shapes[] = {{64, 21, 30, true},
              {20, 50, 61, true},
              {128, 28, 28, true},
              {256, 14, 14, true},
              {3, 2, 3, false}};
enum { n_shapes = sizeof shapes / sizeof shapes[0], batch = 3 };

/* Values in (-1, 1) of which no two neighbours are alike. */
static float *numbers(size_t n, uint32_t seed, float scale)
{
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = ((float)(seed >> 8) * 0x1p-23f - 1.0f) * scale;
    }
    return x;
}

/* y = Relu(Conv(x, w, b) + x), padded to the size of x. */
static pb residual_model(const struct shape *s)
{
    pb graph = {0}, model = {0}, w = {0}, b = {0}, attrs = {0};
    const int64_t c = s->channels, dims[4] = {-1, c, s->height, s->width};
    const int64_t w_dims[4] = {c, c, 3, 3}, b_dims[1] = {c};
    const size_t w_len = (size_t)(c * c * 9), b_len = (size_t)c;
    float *weights = numbers(w_len, 1, 0.3f), *bias = numbers(b_len, 2, 1.0f);
    pb_attr_text(&attrs, "auto_pad", "SAME_UPPER");
    pb_node(&graph, 1, "", "Conv", "conv", "x,w,b", "a", &attrs);
    pb_node(&graph, 1, "", "Add", "add", "a,x", "c", NULL);
    pb_node(&graph, 1, "", "Relu", "relu", "c", "y", NULL);
    pb_tensor(&w, "w", TN_F32, 4, w_dims, weights, w_len * sizeof *weights);
    pb_message(&graph, 5, &w);
    pb_tensor(&b, "b", TN_F32, 1, b_dims, bias, b_len * sizeof *bias);
    pb_message(&graph, 5, &b);
    pb_value(&graph, 11, "x", TN_F32, 4, dims);
    pb_value(&graph, 12, "y", TN_F32, 4, dims);
    pb_model(&model, &graph, 17);
    free(weights);
    free(bias);
    return model;
}

static rig open_shape(const struct shape *s, uint32_t flags, int threads)
{
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.flags = flags;
    opts.n_threads = threads;
    return rig_own(residual_model(s), &opts);
}

static size_t image_len(const struct shape *s)
{
    return (size_t)(s->channels * s->height * s->width);
}

static tn_tensor *images(const struct shape *s, int64_t n, const float *data)
{
    tn_tensor *x = NULL;
    const int64_t dims[4] = {n, s->channels, s->height, s->width};
    assert_int_equal(tn_tensor_new(&x, TN_F32, 4, dims, NULL, &err), TN_OK);
    memcpy(tn_tensor_data(x), data, (size_t)n * image_len(s) * sizeof *data);
    return x;
}

static void error_is_small(void **state)
{
    (void)state;
    for (int i = 0; i < n_shapes; i++) {
        const struct shape *s = &shapes[i];
        float *data = numbers(image_len(s), 3, 1.0f);
        tn_tensor *x = images(s, 1, data);
        rig fast = open_shape(s, 0, 1),
            exact = open_shape(s, TN_SESSION_EXACT, 1);
        rig plain = open_shape(s, TN_SESSION_REFERENCE, 1);
        const tn_tensor *want = rig_run(&plain, x);
        const tn_tensor *y = rig_run(&fast, x), *z = rig_run(&exact, x);
        tn_diff d;
        assert_int_equal(tn_tensor_compare(&d, y, want, 1e-3, 1e-4, &err),
                         TN_OK);
        assert_int_equal(d.n_bad, 0);
        assert_int_equal(tn_tensor_compare(&d, z, want, 1e-5, 1e-5, &err),
                         TN_OK);
        assert_int_equal(d.n_bad, 0);
        /* Another algorithm shows in the last bits. */
        const bool same = memcmp(tn_tensor_cdata(y), tn_tensor_cdata(z),
                                 image_len(s) * sizeof *data) == 0;
        assert_int_equal(same, !s->winograd);
        rig_close(&fast);
        rig_close(&exact);
        rig_close(&plain);
        tn_tensor_free(x);
        free(data);
    }
}

static void same_bits_everywhere(void **state)
{
    (void)state;
    for (int i = 0; i < n_shapes; i++) {
        const struct shape *s = &shapes[i];
        const size_t len = image_len(s);
        float *data = numbers(batch * len, 4, 1.0f), *first = NULL;
        tn_tensor *all = images(s, batch, data);
        for (int threads = 1; threads <= 3; threads++) {
            rig r = open_shape(s, 0, threads);
            const tn_tensor *y = rig_run(&r, all);
            const size_t size = batch * len * sizeof *data;
            if (first == NULL) {
                first = malloc(size);
                assert_non_null(first);
                memcpy(first, tn_tensor_cdata(y), size);
            }
            assert_memory_equal(first, tn_tensor_cdata(y), size);
            /* An image alone gives the bits it has in the batch. */
            for (size_t k = 0; k < batch; k++) {
                tn_tensor *one = images(s, 1, data + k * len);
                y = rig_run(&r, one);
                assert_memory_equal(first + k * len, tn_tensor_cdata(y),
                                    len * sizeof *data);
                tn_tensor_free(one);
            }
            rig_close(&r);
        }
        tn_tensor_free(all);
        free(first);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_is_small),
        cmocka_unit_test(same_bits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
