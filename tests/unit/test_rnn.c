/* SPDX-License-Identifier: Apache-2.0 */
/* test_rnn.c - recurrent networks: plan against reference, lengths, layouts */
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

enum { SEQ = 5, BATCH = 3, INPUT = 7, HIDDEN = 18, MOST = 8192 };

typedef struct options {
    const char *direction;
    bool batch_first, lens, states, bias, peepholes;
    float clip;
    const char *flag; /* an integer attribute set to 1, or NULL */
} options;

static uint32_t seed = 1;

static float next_float(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 16777216.0f - 0.5f;
}

static const float *values(int n)
{
    static float v[MOST];
    assert_true(n <= MOST);
    for (int i = 0; i < n; i++) v[i] = next_float();
    return v;
}

static void set_up(opcall *c, const char *op, int gates, const options *o)
{
    const int64_t dirs = strcmp(o->direction, "bidirectional") == 0 ? 2 : 1;
    const int64_t x[2][3] = {{SEQ, BATCH, INPUT}, {BATCH, SEQ, INPUT}};
    const int64_t s[2][3] = {{dirs, BATCH, HIDDEN}, {BATCH, dirs, HIDDEN}};
    const int width = gates * HIDDEN, n = (int)dirs;
    const bool cell = gates == 4;
    const int32_t lens[BATCH] = {SEQ, 2, 0};
    opcall_init(c, "", op, 14);
    opcall_string(c, "direction", o->direction);
    opcall_int(c, "layout", o->batch_first);
    if (o->clip > 0) opcall_float(c, "clip", o->clip);
    if (o->flag != NULL) opcall_int(c, o->flag, 1);
    opcall_in(c, TN_F32, 3, x[o->batch_first], values(SEQ * BATCH * INPUT));
    opcall_in(c, TN_F32, 3, (int64_t[]){dirs, width, INPUT},
              values(n * width * INPUT));
    opcall_in(c, TN_F32, 3, (int64_t[]){dirs, width, HIDDEN},
              values(n * width * HIDDEN));
    opcall_in(c, TN_F32, 2, (int64_t[]){dirs, 2 * width},
              o->bias ? values(n * 2 * width) : NULL);
    opcall_in(c, TN_I32, 1, (int64_t[]){BATCH}, o->lens ? lens : NULL);
    opcall_in(c, TN_F32, 3, s[o->batch_first],
              o->states ? values(n * BATCH * HIDDEN) : NULL);
    if (cell) {
        opcall_in(c, TN_F32, 3, s[o->batch_first],
                  o->states ? values(n * BATCH * HIDDEN) : NULL);
        opcall_in(c, TN_F32, 2, (int64_t[]){dirs, 3 * HIDDEN},
                  o->peepholes ? values(n * 3 * HIDDEN) : NULL);
    }
    c->kernels = &kernels;
    c->inputs_const = true;
}

static void check(const char *op, int gates, const options *o)
{
    static float want[3][MOST];
    opcall c;
    const int n_out = gates == 4 ? 3 : 2;
    set_up(&c, op, gates, o);
    assert_int_equal(opcall_ref(&c, n_out), TN_OK);
    for (int i = 0; i < n_out; i++)
        memcpy(want[i], c.out[i]->data, (size_t)c.out[i]->len * sizeof(float));
    assert_int_equal(opcall_run(&c, n_out), TN_OK);
    for (int i = 0; i < n_out; i++) {
        const float *got = c.out[i]->data;
        for (int64_t k = 0; k < c.out[i]->len; k++) {
            if (fabsf(got[k] - want[i][k]) <= 2e-6f) continue;
            fail_msg("%s %s output %d element %d: %g, expected %g", op,
                     o->direction, i, (int)k, (double)got[k],
                     (double)want[i][k]);
        }
    }
    opcall_fini(&c);
}

static void test_against_reference(void **state)
{
    (void)state;
    static const char *const directions[] = {"forward", "reverse",
                                             "bidirectional"};
    for (int bits = 0; bits < 32; bits++) {
        for (int d = 0; d < 3; d++) {
            options o = {directions[d],           (bits & 1) != 0,
                         (bits & 2) != 0,         (bits & 4) != 0,
                         (bits & 8) != 0,         false,
                         bits & 16 ? 0.2f : 0.0f, NULL};
            check("RNN", 1, &o);
            check("GRU", 3, &o);
            check("LSTM", 4, &o);
            o.flag = "linear_before_reset";
            check("GRU", 3, &o);
            o.flag = "input_forget";
            o.peepholes = true;
            check("LSTM", 4, &o);
        }
    }
}

/* More hidden units than the terms that a product sums in one go. */
static void test_blocks_of_terms(void **state)
{
    const size_t kc = kernels.gemm.kc;
    kernels.gemm.kc = 7;
    test_against_reference(state);
    kernels.gemm.kc = kc;
}

/* With no weights the gates are those of the biases alone. */
static void test_closed_form(void **state)
{
    (void)state;
    const float zero[16] = {0}, bias[8] = {0.5f, -0.25f, 1.0f, 0.75f};
    const int64_t one[3] = {1, 1, 1}, four[3] = {1, 4, 1};
    opcall c;
    opcall_init(&c, "", "LSTM", 14);
    opcall_in(&c, TN_F32, 3, one, zero);
    opcall_in(&c, TN_F32, 3, four, zero);
    opcall_in(&c, TN_F32, 3, four, zero);
    opcall_in(&c, TN_F32, 2, (int64_t[]){1, 8}, bias);
    assert_int_equal(opcall_ref(&c, 3), TN_OK);
    const double cell = 1 / (1 + exp(-0.5)) * tanh(0.75);
    const double h = 1 / (1 + exp(0.25)) * tanh(cell);
    assert_true(fabs(tni_get_f64(c.out[2], 0) - cell) < 1e-7);
    assert_true(fabs(tni_get_f64(c.out[0], 0) - h) < 1e-7);
    opcall_fini(&c);
}

static void test_bad_lengths(void **state)
{
    (void)state;
    const options o = {"forward", false, true, false, false, false, 0, NULL};
    opcall c;
    set_up(&c, "GRU", 3, &o);
    TNI_DATA(int32_t, &c.inputs[4])[1] = SEQ + 1;
    assert_int_equal(opcall_ref(&c, 2), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "sequence_lens[1]"));
    assert_int_equal(opcall_run(&c, 2), TN_EINVAL);
    opcall_fini(&c);
}

static void test_bad_attributes(void **state)
{
    (void)state;
    const options o = {"sideways", false, false, false, false, false, 0, NULL};
    opcall c;
    set_up(&c, "RNN", 1, &o);
    assert_int_equal(opcall_ref(&c, 2), TN_EINVAL);
    assert_non_null(strstr(c.err.message, "direction must be"));
    opcall_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_blocks_of_terms),
        cmocka_unit_test(test_closed_form),
        cmocka_unit_test(test_bad_lengths),
        cmocka_unit_test(test_bad_attributes),
    };
    tni_kernels_init(&kernels, UINT32_MAX);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
