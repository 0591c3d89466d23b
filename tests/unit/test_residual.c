/* SPDX-License-Identifier: Apache-2.0 */
/* test_residual.c - what is added to a product of unknown extents: into its
 * epilogue when the shapes must be equal, left alone when they need not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/rig.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 8, INNER = 12, MOST = 2 * 5 * WIDTH, TEXT = 4096 };

static void add_floats(pb *graph, const char *name, int rank,
                       const int64_t *dims)
{
    float data[WIDTH * INNER];
    pb t = {0};
    size_t n = 1;
    for (int i = 0; i < rank; i++) n *= (size_t)dims[i];
    for (size_t i = 0; i < n; i++) data[i] = (float)(i * 29 % 17) * 0.1f - 0.8f;
    pb_tensor(&t, name, TN_F32, rank, dims, data, n * sizeof *data);
    pb_message(graph, 5, &t);
}

/* y = Gelu(n up) down + bias + other, n = LayerNormalization(x). */
static pb make_model(const char *other)
{
    const int64_t up[2] = {WIDTH, INNER}, down[2] = {INNER, WIDTH};
    const int64_t dims[3] = {-1, -1, WIDTH}, row[1] = {WIDTH};
    pb graph = {0}, model = {0};
    char sum[32];
    add_floats(&graph, "up", 2, up);
    add_floats(&graph, "down", 2, down);
    add_floats(&graph, "gamma", 1, row);
    add_floats(&graph, "bias", 1, row);
    pb_node(&graph, 1, "", "LayerNormalization", "n", "x,gamma,bias", "n",
            NULL);
    pb_node(&graph, 1, "", "MatMul", "a", "n,up", "a", NULL);
    pb_node(&graph, 1, "", "Gelu", "g", "a", "g", NULL);
    pb_node(&graph, 1, "", "MatMul", "b", "g,down", "b", NULL);
    pb_node(&graph, 1, "", "Add", "c", "b,bias", "c", NULL);
    (void)snprintf(sum, sizeof sum, "c,%s", other);
    pb_node(&graph, 1, "", "Add", "y", sum, "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 3, dims);
    pb_value(&graph, 11, "z", TN_F32, 3, dims);
    pb_value(&graph, 12, "y", TN_F32, -1, NULL);
    pb_model(&model, &graph, 20);
    return model;
}

/* Runs the model on x[2, 5, WIDTH] and z[1, 1, WIDTH]. */
static void run(const pb *bytes, uint32_t flags, float *out, char *text)
{
    rig r = rig_open(bytes, flags, 1);
    tn_tensor *in[2] = {rig_input(3, (int64_t[3]){2, 5, WIDTH}),
                        rig_input(3, (int64_t[3]){1, 1, WIDTH})};
    const tn_tensor *y = rig_exec(&r, in, 2);
    for (int64_t i = 0; i < MOST; i++) out[i] = (float)tn_tensor_get(y, i);
    rig_describe(&r, text, TEXT);
    rig_close(&r);
    for (int i = 0; i < 2; i++) tn_tensor_free(in[i]);
}

/* n is what the product was computed from; z broadcasts when it runs. */
static void free_extents(void **state)
{
    static char text[TEXT], plain[TEXT];
    (void)state;
    for (int other = 0; other < 2; other++) {
        float a[MOST], b[MOST];
        pb model = make_model(other ? "z" : "n");
        run(&model, 0, a, text);
        run(&model, TN_SESSION_NO_OPTIMIZE, b, plain);
        for (int i = 0; i < MOST; i++)
            if (!(fabsf(a[i] - b[i]) <= 1e-5f))
                fail_msg("%g %g", (double)a[i], (double)b[i]);
        if ((strstr(text, "Add y(") != NULL) != (other == 1))
            fail_msg("added elsewhere:\n%s", text);
        pb_free(&model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_extents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
