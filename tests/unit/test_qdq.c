/* SPDX-License-Identifier: Apache-2.0 */
/* test_qdq.c - quantised graphs: what becomes integers, and with what result */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/rig.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 8192 };

static void add_constant(pb *graph, const char *name, int dtype, int rank,
                         const int64_t *dims, const void *data, size_t size)
{
    pb t = {0};
    pb_tensor(&t, name, dtype, rank, dims, data, size);
    pb_message(graph, 5, &t);
}

/* `to` = DequantizeLinear(QuantizeLinear(from)), int8. */
static void add_pair(pb *graph, const char *from, const char *to, float scale,
                     int8_t zero)
{
    char s[32], z[32], q[32], in[100];
    (void)snprintf(s, sizeof s, "%s_s", to);
    (void)snprintf(z, sizeof z, "%s_z", to);
    (void)snprintf(q, sizeof q, "%s_q", to);
    add_constant(graph, s, TN_F32, 0, NULL, &scale, sizeof scale);
    add_constant(graph, z, TN_I8, 0, NULL, &zero, sizeof zero);
    (void)snprintf(in, sizeof in, "%s,%s,%s", from, s, z);
    pb_node(graph, 1, "", "QuantizeLinear", q, in, q, NULL);
    (void)snprintf(in, sizeof in, "%s,%s,%s", q, s, z);
    pb_node(graph, 1, "", "DequantizeLinear", to, in, to, NULL);
}

/* Weights with a scale for each index of `axis`. */
static void add_weights(pb *graph, int rank, const int64_t *dims, int64_t axis)
{
    static int8_t w[512], zero[16];
    static float scale[16];
    pb attrs = {0};
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dims[i];
    for (int i = 0; i < n; i++) w[i] = (int8_t)(i * 29 % 127 - 63);
    for (int i = 0; i < 16; i++) scale[i] = 0.01f + 0.001f * (float)i;
    add_constant(graph, "w_q", TN_I8, rank, dims, w, (size_t)n);
    add_constant(graph, "w_s", TN_F32, 1, &dims[axis], scale,
                 (size_t)dims[axis] * sizeof *scale);
    add_constant(graph, "w_z", TN_I8, 1, &dims[axis], zero, (size_t)dims[axis]);
    pb_attr_int(&attrs, "axis", axis);
    pb_node(graph, 1, "", "DequantizeLinear", "w", "w_q,w_s,w_z", "w", &attrs);
}

/* Runs the model and describes its graph; returns how many values there are,
 * the first 200 of which go to out. */
static int run(const pb *bytes, uint32_t flags, int rank, const int64_t *dims,
               double *out, char *text)
{
    rig r = rig_open(bytes, flags, 1);
    tn_tensor *x = rig_input(rank, dims);
    const tn_tensor *y = rig_run(&r, x);
    const int len = (int)tn_tensor_len(y);
    for (int i = 0; i < len && i < 200; i++) out[i] = tn_tensor_get(y, i);
    rig_describe(&r, text, TEXT);
    rig_close(&r);
    tn_tensor_free(x);
    return len;
}

/* Convolution, bounds inside the range, a function, a product, pooling. */
static void whole_graph(void **state)
{
    static const int64_t x[4] = {1, 4, 6, 5}, w[4] = {6, 4, 3, 3};
    static const char *const want[] = {"QLinearConv", "Lookup", "QLinearMul",
                                       "QLinearConcat",
                                       "QLinearGlobalAveragePool"};
    static char text[TEXT], plain[TEXT];
    double a[200], b[200];
    pb graph = {0}, model = {0}, axis = {0};
    (void)state;
    add_pair(&graph, "x", "a", 0.03125f, 5);
    add_weights(&graph, 4, w, 0);
    pb_node(&graph, 1, "", "Conv", "conv", "a,w", "c", NULL);
    pb_node(&graph, 1, "", "Relu", "relu", "c", "r", NULL);
    add_pair(&graph, "r", "d", 0.0625f, -20);
    pb_node(&graph, 1, "", "Sigmoid", "sigmoid", "d", "s", NULL);
    add_pair(&graph, "s", "e", 0.00390625f, -128);
    pb_node(&graph, 1, "", "Mul", "mul", "d,e", "m", NULL);
    add_pair(&graph, "m", "f", 0.0625f, -128);
    pb_attr_int(&axis, "axis", 1);
    pb_node(&graph, 1, "", "Concat", "concat", "d,f", "k", &axis);
    add_pair(&graph, "k", "l", 0.0625f, -120);
    pb_node(&graph, 1, "", "GlobalAveragePool", "pool", "l", "p", NULL);
    add_pair(&graph, "p", "y", 0.0625f, -120);
    pb_value(&graph, 11, "x", TN_F32, 4, x);
    pb_value(&graph, 12, "y", TN_F32, -1, NULL);
    pb_model(&model, &graph, 17);
    assert_int_equal(run(&model, 0, 4, x, a, text), 12);
    assert_int_equal(run(&model, TN_SESSION_NO_OPTIMIZE, 4, x, b, plain), 12);
    /* A tie may round the other way: one code. */
    for (int i = 0; i < 12; i++)
        if (!(fabs(a[i] - b[i]) <= 0.0625)) fail_msg("%g %g", a[i], b[i]);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        if (strstr(text, want[i]) == NULL)
            fail_msg("no %s:\n%s", want[i], text);
    assert_null(strstr(text, "in float"));
    pb_free(&model);
}

/* Scales per column; what is not quantised again stays a float. */
static void products(void **state)
{
    static const int64_t x[2] = {3, 20}, w[2] = {20, 11};
    static char text[TEXT], plain[TEXT];
    double a[200], b[200];
    pb graph = {0}, model = {0};
    (void)state;
    add_pair(&graph, "x", "a", 0.03125f, 5);
    add_weights(&graph, 2, w, 1);
    pb_node(&graph, 1, "", "MatMul", "mm", "a,w", "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 2, x);
    pb_value(&graph, 12, "y", TN_F32, -1, NULL);
    pb_model(&model, &graph, 17);
    assert_int_equal(run(&model, 0, 2, x, a, text), 33);
    assert_int_equal(run(&model, TN_SESSION_NO_OPTIMIZE, 2, x, b, plain), 33);
    for (int i = 0; i < 33; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-4)) fail_msg("%g %g", a[i], b[i]);
    assert_non_null(strstr(text, "MatMulIntegerToFloat"));
    pb_free(&model);
}

/* A product held between bounds, in whatever order they come. */
static void held(void **state)
{
    static const int64_t x[2] = {3, 20}, w[2] = {20, 11};
    static const float bounds[][2] = {
        {-0.5f, 0.5f}, {0.5f, -0.5f}, {0.25f, 0.25f}, {-99, 99}, {1, -99}};
    static char text[TEXT], plain[TEXT];
    double a[200], b[200];
    (void)state;
    for (size_t k = 0; k < sizeof bounds / sizeof bounds[0]; k++) {
        pb graph = {0}, model = {0};
        add_pair(&graph, "x", "a", 0.03125f, 5);
        add_weights(&graph, 2, w, 1);
        add_constant(&graph, "lo", TN_F32, 0, NULL, &bounds[k][0], 4);
        add_constant(&graph, "hi", TN_F32, 0, NULL, &bounds[k][1], 4);
        pb_node(&graph, 1, "", "MatMul", "mm", "a,w", "m", NULL);
        pb_node(&graph, 1, "", "Clip", "clip", "m,lo,hi", "c", NULL);
        add_pair(&graph, "c", "y", 0.0625f, -20);
        pb_value(&graph, 11, "x", TN_F32, 2, x);
        pb_value(&graph, 12, "y", TN_F32, -1, NULL);
        pb_model(&model, &graph, 17);
        assert_int_equal(run(&model, 0, 2, x, a, text), 33);
        assert_int_equal(run(&model, TN_SESSION_NO_OPTIMIZE, 2, x, b, plain),
                         33);
        for (int i = 0; i < 33; i++)
            if (!(fabs(a[i] - b[i]) <= 0.0625))
                fail_msg("bounds %zu: %g %g", k, a[i], b[i]);
        assert_non_null(strstr(text, "QLinearMatMul"));
        pb_free(&model);
    }
}

/* Scales that no quantiser writes: nothing to compare, but no fault. */
static void broken_scales(void **state)
{
    static const int64_t x[2] = {3, 20}, w[2] = {20, 11};
    static const float scales[] = {0.0f, NAN, INFINITY, -1.0f};
    static char text[TEXT];
    double a[200];
    (void)state;
    for (size_t k = 0; k < sizeof scales / sizeof scales[0]; k++) {
        pb graph = {0}, model = {0};
        add_pair(&graph, "x", "a", 0.03125f, 5);
        add_weights(&graph, 2, w, 1);
        pb_node(&graph, 1, "", "MatMul", "mm", "a,w", "m", NULL);
        pb_node(&graph, 1, "", "Relu", "relu", "m", "c", NULL);
        add_pair(&graph, "c", "y", scales[k], -20);
        pb_value(&graph, 11, "x", TN_F32, 2, x);
        pb_value(&graph, 12, "y", TN_F32, -1, NULL);
        pb_model(&model, &graph, 17);
        assert_int_equal(run(&model, 0, 2, x, a, text), 33);
        pb_free(&model);
    }
}

static void dynamic(void **state)
{
    static const int64_t x[2] = {3, 20}, w[2] = {20, 11};
    static char text[TEXT], plain[TEXT];
    double a[200], b[200];
    float bias[11], scale = 0.02f;
    int8_t weights[220];
    pb graph = {0}, model = {0}, to = {0};
    (void)state;
    for (int i = 0; i < 11; i++) bias[i] = 0.25f * (float)i;
    for (int i = 0; i < 220; i++) weights[i] = (int8_t)(i * 29 % 255 - 127);
    add_constant(&graph, "w", TN_I8, 2, w, weights, sizeof weights);
    add_constant(&graph, "ws", TN_F32, 0, NULL, &scale, sizeof scale);
    add_constant(&graph, "bias", TN_F32, 1, &w[1], bias, sizeof bias);
    pb_node(&graph, 1, "", "DynamicQuantizeLinear", "dq", "x", "q,s,z", NULL);
    pb_node(&graph, 1, "", "MatMulInteger", "mm", "q,w,z", "i", NULL);
    pb_attr_int(&to, "to", TN_F32);
    pb_node(&graph, 1, "", "Cast", "cast", "i", "f", &to);
    pb_node(&graph, 1, "", "Mul", "scales", "s,ws", "both", NULL);
    pb_node(&graph, 1, "", "Mul", "scaled", "f,both", "g", NULL);
    pb_node(&graph, 1, "", "Add", "add", "g,bias", "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 2, x);
    pb_value(&graph, 12, "y", TN_F32, -1, NULL);
    pb_model(&model, &graph, 17);
    assert_int_equal(run(&model, 0, 2, x, a, text), 33);
    assert_int_equal(run(&model, TN_SESSION_NO_OPTIMIZE, 2, x, b, plain), 33);
    assert_memory_equal(a, b, 33 * sizeof *a);
    assert_non_null(strstr(text, "MatMulIntegerToFloat"));
    assert_null(strstr(text, "Cast"));
    pb_free(&model);
}

/* The graph says why a node computes in float. */
static void reasons(void **state)
{
    static const int64_t x[2] = {3, 20};
    static char text[TEXT];
    double a[200];
    pb graph = {0}, model = {0};
    (void)state;
    add_pair(&graph, "x", "a", 0.03125f, 5);
    pb_node(&graph, 1, "", "Softmax", "soft", "a", "b", NULL);
    pb_node(&graph, 1, "", "Add", "add", "a,a", "c", NULL);
    pb_node(&graph, 1, "", "Mul", "mul", "a,x", "d", NULL);
    pb_node(&graph, 1, "", "Sub", "sub", "b,c", "e", NULL);
    pb_node(&graph, 1, "", "Sub", "last", "e,d", "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 2, x);
    pb_value(&graph, 12, "y", TN_F32, -1, NULL);
    pb_model(&model, &graph, 17);
    (void)run(&model, 0, 2, x, a, text);
    assert_non_null(strstr(text, "there is no such operator on integers"));
    assert_non_null(strstr(text, "the result is not quantised"));
    assert_non_null(strstr(text, "an input is not quantised"));
    pb_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_graph), cmocka_unit_test(products),
        cmocka_unit_test(held),        cmocka_unit_test(broken_scales),
        cmocka_unit_test(dynamic),     cmocka_unit_test(reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
