/* SPDX-License-Identifier: Apache-2.0 */
/* test_attention.c - attention spelled out: what becomes one node, and that it
 * answers what the nodes answer */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/rig.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static tn_err err;

enum { BATCH = 2, HEADS = 3, WIDTH = 8, TEXT = 8192, MOST = 20000 };

/* How a graph differs from the plain one. */
typedef struct variant {
    bool mask, mask_first; /* added; as the first input of Add */
    bool times;            /* Mul by the factor, else Div */
    bool k_in_two;         /* K^T by two transpositions */
    bool free_batch;       /* a symbol */
    int64_t softmax_axis;
    bool dark;          /* the mask is -infinity for the first of the batch */
    bool mask_made;     /* the mask is a product with a constant itself */
    bool past;          /* keys come after others, by Concat */
    bool q_scaled;      /* Q is multiplied before the product, not the scores */
    int64_t wide;       /* the mask's extent at 1, 0: one */
    int64_t cut;        /* the extent at 0 of the shapes, 0: as it is */
    const char *output; /* one more output of the graph, NULL: none */
    bool fuses;
} variant;

static void add_shape(pb *graph, const char *name, int64_t n, const int64_t *v)
{
    pb t = {0};
    pb_tensor(&t, name, 7, 1, &n, v, (size_t)n * sizeof *v);
    pb_message(graph, 5, &t);
}

static void add_transpose(pb *graph, const char *in, const char *out, int64_t a,
                          int64_t b, int64_t c, int64_t d)
{
    /* AttributeProto: name 1, ints 8, type 20 (INTS 7). */
    const int64_t perm[4] = {a, b, c, d};
    pb attrs = {0}, attr = {0};
    pb_text(&attr, 1, "perm");
    for (int i = 0; i < 4; i++) pb_int(&attr, 8, perm[i]);
    pb_int(&attr, 20, 7);
    pb_message(&attrs, 5, &attr);
    pb_node(graph, 1, "", "Transpose", out, in, out, &attrs);
}

static void add_scores(pb *graph, const variant *v)
{
    static const float by = 2.5f;
    pb t = {0}, attrs = {0};
    pb_tensor(&t, "by", TN_F32, 0, NULL, &by, sizeof by);
    pb_message(graph, 5, &t);
    if (v->q_scaled) pb_node(graph, 1, "", "Mul", "Q_by", "Q,by", "Q_by", NULL);
    pb_node(graph, 1, "", "MatMul", "qk",
            v->q_scaled ? "Q_by,K"
            : v->past   ? "Q,K_all"
                        : "Q,K",
            "qk", NULL);
    pb_node(graph, 1, "", v->times ? "Mul" : "Div", "z", "qk,by", "z", NULL);
    if (v->mask_made)
        pb_node(graph, 1, "", "Mul", "made", "mask,by", "made", NULL);
    if (v->mask)
        pb_node(graph, 1, "", "Add", "masked",
                v->mask_made    ? "made,z"
                : v->mask_first ? "mask,z"
                                : "z,mask",
                "masked", NULL);
    pb_attr_int(&attrs, "axis", v->softmax_axis);
    pb_node(graph, 1, "", "Softmax", "p", v->mask ? "masked" : "z", "p",
            &attrs);
}

/* Inputs q, k, v[, mask]; len queries. */
static pb make_model(const variant *v, int64_t len)
{
    const int64_t batch = v->free_batch ? -1 : BATCH;
    const int64_t dims[3] = {batch, len, HEADS * WIDTH};
    const int64_t mask[4] = {batch, v->wide > 0 ? v->wide : 1, 1, len};
    const int64_t cut[4] = {v->cut, v->cut > 0 ? -1 : 0, HEADS, WIDTH};
    const int64_t joined[3] = {0, 0, HEADS * WIDTH};
    pb graph = {0}, model = {0};
    add_shape(&graph, "cut", 4, cut);
    add_shape(&graph, "joined", 3, joined);
    pb_node(&graph, 1, "", "Reshape", "q4", "q,cut", "q4", NULL);
    pb_node(&graph, 1, "", "Reshape", "k4", "k,cut", "k4", NULL);
    pb_node(&graph, 1, "", "Reshape", "v4", "v,cut", "v4", NULL);
    add_transpose(&graph, "q4", "Q", 0, 2, 1, 3);
    add_transpose(&graph, "v4", "V", 0, 2, 1, 3);
    if (v->k_in_two) {
        add_transpose(&graph, "k4", "k_heads", 0, 2, 1, 3);
        add_transpose(&graph, "k_heads", "K", 0, 1, 3, 2);
    } else {
        add_transpose(&graph, "k4", "K", 0, 2, 3, 1);
    }
    if (v->past) {
        pb axis = {0};
        pb_attr_int(&axis, "axis", 3);
        pb_node(&graph, 1, "", "Concat", "K_all", "K,K", "K_all", &axis);
        pb axis_v = {0};
        pb_attr_int(&axis_v, "axis", 2);
        pb_node(&graph, 1, "", "Concat", "V_all", "V,V", "V_all", &axis_v);
    }
    add_scores(&graph, v);
    pb_node(&graph, 1, "", "MatMul", "o", v->past ? "p,V_all" : "p,V", "o",
            NULL);
    add_transpose(&graph, "o", "o_t", 0, 2, 1, 3);
    pb_node(&graph, 1, "", "Reshape", "y", "o_t,joined", "y", NULL);
    pb_value(&graph, 11, "q", TN_F32, 3, dims);
    pb_value(&graph, 11, "k", TN_F32, 3, dims);
    pb_value(&graph, 11, "v", TN_F32, 3, dims);
    if (v->mask) pb_value(&graph, 11, "mask", TN_F32, 4, mask);
    pb_value(&graph, 12, "y", TN_F32, -1, NULL);
    if (v->output != NULL) pb_value(&graph, 12, v->output, TN_F32, -1, NULL);
    pb_model(&model, &graph, 17);
    return model;
}

static tn_tensor *make_input(const variant *v, size_t i, int64_t len)
{
    const int64_t dims[3] = {BATCH, len, HEADS * WIDTH};
    const int64_t wide = v->wide > 0 ? v->wide : 1;
    const int64_t mask[4] = {BATCH, wide, 1, len};
    const int64_t n = i < 3 ? BATCH * len * HEADS * WIDTH : BATCH * wide * len;
    tn_tensor *x = NULL;
    assert_int_equal(tn_tensor_new(&x, TN_F32, i < 3 ? 3 : 4,
                                   i < 3 ? dims : mask, NULL, &err),
                     TN_OK);
    float *const data = tn_tensor_data(x);
    for (int64_t k = 0; k < n; k++)
        data[k] = i < 3 ? (float)((k + (int64_t)i * 7) * 37 % 101) * 0.04f - 2
                        : (k % len % 3 == 1 ? -10000.0f : 0.0f);
    if (i == 3 && v->dark)
        for (int64_t k = 0; k < wide * len; k++) data[k] = -INFINITY;
    return x;
}

/* Runs the model and describes its graph; returns the number of values. */
static int64_t run(const pb *bytes, const variant *v, int64_t len,
                   uint32_t flags, int threads, float *out, char *text)
{
    rig r = rig_open(bytes, flags, threads);
    const size_t n_in = v->mask ? 4 : 3;
    tn_tensor *in[4];
    for (size_t i = 0; i < n_in; i++) in[i] = make_input(v, i, len);
    const tn_tensor *y = rig_exec(&r, in, n_in);
    const int64_t n = tn_tensor_len(y);
    assert_int_equal(tn_tensor_rank(y), 3);
    assert_true(n <= MOST);
    for (int64_t i = 0; i < n; i++) out[i] = (float)tn_tensor_get(y, i);
    rig_describe(&r, text, TEXT);
    rig_close(&r);
    for (size_t i = 0; i < n_in; i++) tn_tensor_free(in[i]);
    return n;
}

static void check(const variant *v, int64_t len)
{
    static float a[MOST], b[MOST], c[MOST];
    static char text[TEXT], plain[TEXT];
    pb model = make_model(v, len);
    const int64_t n = run(&model, v, len, 0, 1, a, text);
    assert_int_equal(n, BATCH * len * HEADS * WIDTH);
    assert_int_equal(run(&model, v, len, TN_SESSION_NO_OPTIMIZE, 1, b, plain),
                     n);
    for (int64_t i = 0; i < n; i++)
        if (isnan(a[i]) ? !isnan(b[i]) : !(fabsf(a[i] - b[i]) <= 1e-5f))
            fail_msg("%g %g", (double)a[i], (double)b[i]);
    /* A batch that is masked altogether is NaN, as Softmax has it. */
    assert_true((isnan(a[0]) != 0) == v->dark);
    assert_true(isnan(a[n - 1]) == 0);
    if ((strstr(text, "Attention y(") != NULL) != v->fuses)
        fail_msg("%s:\n%s", v->fuses ? "not fused" : "fused", text);
    /* The same bits for any number of threads. */
    assert_int_equal(run(&model, v, len, 0, 3, c, text), n);
    assert_memory_equal(a, c, (size_t)n * sizeof *a);
    pb_free(&model);
}

/* What exporters write; 150 positions are two blocks of queries. */
static void fused(void **state)
{
    static const variant variants[] = {
        {.softmax_axis = -1, .fuses = true},
        {.softmax_axis = 3, .times = true, .fuses = true},
        {.softmax_axis = -1, .mask = true, .fuses = true},
        {.softmax_axis = -1, .mask = true, .mask_first = true, .fuses = true},
        {.softmax_axis = -1, .k_in_two = true, .fuses = true},
        {.softmax_axis = -1, .cut = BATCH, .fuses = true},
        {.softmax_axis = -1, .mask = true, .dark = true, .fuses = true},
        {.softmax_axis = -1, .mask = true, .wide = HEADS, .fuses = true},
        {.softmax_axis = -1, .mask = true, .mask_made = true, .fuses = true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        check(&variants[i], 5);
        check(&variants[i], 150);
    }
}

/* Another axis, a scale or score that the caller wants to see, a shape that
 * pins the batch, an unknown batch of the keys; a cache of keys and values, a
 * factor on the queries. */
static void left_alone(void **state)
{
    static const variant variants[] = {
        {.softmax_axis = 2},
        {.softmax_axis = -1, .output = "p"},
        {.softmax_axis = -1, .output = "qk"},
        {.softmax_axis = -1, .output = "o_t"},
        {.softmax_axis = -1, .free_batch = true},
        {.softmax_axis = -1, .free_batch = true, .cut = BATCH},
        {.softmax_axis = -1, .past = true},
        {.softmax_axis = -1, .q_scaled = true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
        check(&variants[i], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused),
        cmocka_unit_test(left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
