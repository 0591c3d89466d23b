/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_gradient.c - ai.onnx.preview.training Gradient against differences
 *
 * Each case is a small graph over inputs a, b, c with a result y; the model
 * adds z = Sin(y), so that the gradient at y differs from element to element,
 * and da, db, dc = Gradient(z). They are compared in float64 with
 * (f(x + h) - f(x - h)) / 2h, f the sum of z.
 */
#include "harness/oom.h"
#include "harness/rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

static const char training[] = "ai.onnx.preview.training";

/* "name=1,2" int list, "name=i3" int, "name=f0.5" float. */
static void put_attr(pb *attrs, const char *text)
{
    pb a = {0};
    char name[32];
    const char *eq = strchr(text, '=');
    (void)snprintf(name, sizeof name, "%.*s", (int)(eq - text), text);
    const char *v = eq + 1;
    if (*v == 'i') {
        pb_attr_int(attrs, name, strtoll(v + 1, NULL, 10));
    } else if (*v == 'f') {
        pb_attr_float(attrs, name, strtof(v + 1, NULL));
    } else {
        pb_text(&a, 1, name);
        for (char *end = NULL; *v != '\0'; v = *end == ',' ? end + 1 : end)
            pb_int(&a, 8, strtoll(v, &end, 10));
        pb_int(&a, 20, 7);
        pb_message(attrs, 5, &a);
    }
}

/* The strings of a comma list as an attribute. */
static void put_names(pb *attrs, const char *name, const char *list)
{
    pb a = {0};
    pb_text(&a, 1, name);
    for (const char *p = list; *p != '\0';) {
        const size_t n = strcspn(p, ",");
        pb_bytes(&a, 9, p, n);
        p += n + (p[n] == ',');
    }
    pb_int(&a, 20, 8);
    pb_message(attrs, 5, &a);
}

static void put_gradient(pb *graph, const char *xs, const char *zs,
                         const char *y, const char *in, const char *out)
{
    pb attrs = {0};
    put_names(&attrs, "xs", xs);
    if (zs[0] != '\0') put_names(&attrs, "zs", zs);
    pb_attr_text(&attrs, "y", y);
    pb_node(graph, 1, training, "Gradient", "grad", in, out, &attrs);
}

typedef struct graph_case {
    const char *shapes; /* of a, b, c: "2,3 3,1" ("-": a scalar) */
    const char *nodes;  /* "OP INPUTS OUTPUTS ATTR ATTR" with | between */
    bool positive;      /* inputs in (0.5, 2.5) instead of (-1, 1) */
} graph_case;

enum { MAX_INPUTS = 3, MAX_DIMS = 4 };

typedef struct shapes {
    int n, rank[MAX_INPUTS];
    int64_t dims[MAX_INPUTS][MAX_DIMS];
} shapes;

static shapes shapes_of(const graph_case *k)
{
    shapes s = {0};
    const char *p = k->shapes;
    for (;; p++) {
        int rank = 0;
        if (*p == '-') {
            p++;
        } else {
            for (char *end = NULL;; p = end + 1) {
                s.dims[s.n][rank++] = strtoll(p, &end, 10);
                if (*end == ',') continue;
                p = end;
                break;
            }
        }
        s.rank[s.n++] = rank;
        if (*p != ' ') return s;
    }
}

/* The next word of `*at` up to a space or '|', false at the end of a node. */
static bool next_word(const char **at, char *word, size_t size)
{
    while (**at == ' ') ++*at;
    const size_t n = strcspn(*at, " |");
    (void)snprintf(word, size, "%.*s", (int)n, *at);
    *at += n;
    return n > 0;
}

static void put_case(pb *graph, const graph_case *k)
{
    static const char *const names[MAX_INPUTS] = {"a", "b", "c"};
    const shapes s = shapes_of(k);
    for (int i = 0; i < s.n; i++)
        pb_value(graph, 11, names[i], TN_F64, s.rank[i], s.dims[i]);
    for (const char *p = k->nodes; *p != '\0'; p += *p == '|') {
        char op[32], in[32], out[32], attr[32];
        pb attrs = {0};
        (void)next_word(&p, op, sizeof op);
        (void)next_word(&p, in, sizeof in);
        (void)next_word(&p, out, sizeof out);
        while (next_word(&p, attr, sizeof attr)) put_attr(&attrs, attr);
        pb_node(graph, 1, "", op, "", in, out, &attrs);
    }
    pb ints = {0}, half = {0};
    const int64_t six[2] = {3, -1}, two[1] = {2}, one = 1;
    const double p = 2.5;
    pb_tensor(&ints, "k_3_m1", TN_I64, 1, two, six, sizeof six);
    pb_message(graph, 5, &ints);
    pb_tensor(&half, "k_2_5", TN_F64, 0, NULL, &p, sizeof p);
    pb_message(graph, 5, &half);
    pb first = {0};
    pb_tensor(&first, "k_1", TN_I64, 1, &one, &one, sizeof one);
    pb_message(graph, 5, &first);
    const int64_t wide[3] = {2, 3, 4}, three[1] = {3};
    pb shape = {0};
    pb_tensor(&shape, "k_2_3_4", TN_I64, 1, three, wide, sizeof wide);
    pb_message(graph, 5, &shape);
}

static pb finish_model(pb *graph)
{
    pb model = {0}, import = {0};
    pb_model(&model, graph, 18);
    pb_text(&import, 1, training);
    pb_int(&import, 2, 1);
    pb_message(&model, 8, &import);
    return model;
}

static pb model_of(const graph_case *k)
{
    static const char *const lists[4] = {"", "a", "a,b", "a,b,c"};
    static const char *const outs[4] = {"", "da", "da,db", "da,db,dc"};
    static const char *const each[3] = {"da", "db", "dc"};
    pb graph = {0};
    const int n = shapes_of(k).n;
    put_case(&graph, k);
    pb_node(&graph, 1, "", "Sin", "", "y", "z", NULL);
    put_gradient(&graph, lists[n], "", "z", lists[n], outs[n]);
    pb_value(&graph, 12, "z", TN_F64, -1, NULL);
    for (int i = 0; i < n; i++) pb_value(&graph, 12, each[i], TN_F64, -1, NULL);
    return finish_model(&graph);
}

static double sum_of(const tn_tensor *t)
{
    double sum = 0.0;
    for (int64_t i = 0; i < tn_tensor_len(t); i++) sum += tn_tensor_get(t, i);
    return sum;
}

static tn_tensor *input_of(const graph_case *k, int i)
{
    tn_tensor *t = NULL;
    const shapes s = shapes_of(k);
    assert_int_equal(
        tn_tensor_new(&t, TN_F64, s.rank[i], s.dims[i], NULL, &err), TN_OK);
    double *data = tn_tensor_data(t);
    for (int64_t j = 0; j < tn_tensor_len(t); j++) {
        const double v = (double)((j * 37 + i * 11 + 5) % 41) / 20.5 - 0.99;
        data[j] = k->positive ? v + 1.5 : v;
    }
    return t;
}

static void check_case(const graph_case *k)
{
    const shapes s = shapes_of(k);
    tn_tensor *in[MAX_INPUTS] = {NULL};
    rig r = rig_own(model_of(k), NULL);
    for (int i = 0; i < s.n; i++) in[i] = input_of(k, i);
    (void)rig_exec(&r, in, (size_t)s.n);
    double *found[MAX_INPUTS] = {NULL};
    for (int i = 0; i < s.n; i++) {
        const tn_tensor *g = tn_run_output(r.run, (size_t)i + 1);
        assert_int_equal(tn_tensor_rank(g), s.rank[i]);
        for (int d = 0; d < s.rank[i]; d++)
            assert_int_equal(tn_tensor_dims(g)[d], s.dims[i][d]);
        found[i] = malloc(((size_t)tn_tensor_len(g) + 1) * sizeof(double));
        assert_non_null(found[i]);
        for (int64_t j = 0; j < tn_tensor_len(g); j++)
            found[i][j] = tn_tensor_get(g, j);
    }
    const double h = 1e-6;
    for (int i = 0; i < s.n; i++)
        for (int64_t j = 0; j < tn_tensor_len(in[i]); j++) {
            double *x = (double *)tn_tensor_data(in[i]) + j;
            const double at = *x;
            *x = at + h;
            (void)rig_exec(&r, in, (size_t)s.n);
            double slope = sum_of(tn_run_output(r.run, 0));
            *x = at - h;
            (void)rig_exec(&r, in, (size_t)s.n);
            slope = (slope - sum_of(tn_run_output(r.run, 0))) / (2.0 * h);
            *x = at;
            if (!(fabs(slope - found[i][j]) <= 1e-6 * (1.0 + fabs(slope))))
                fail_msg("%s: input %d, element %lld: gradient %.9g, "
                         "difference %.9g",
                         k->nodes, i, (long long)j, found[i][j], slope);
        }
    for (int i = 0; i < s.n; i++) {
        free(found[i]);
        tn_tensor_free(in[i]);
    }
    rig_close(&r);
}

static const graph_case cases[] = {
    {"3,4", "Abs a y", false},
    {"3,4", "Cos a y", false},
    {"3,4", "Erf a y", false},
    {"3,4", "Exp a y", false},
    {"3,4", "Identity a y", false},
    {"3,4", "LeakyRelu a y", false},
    {"3,4", "LogSoftmax a y", false},
    {"3,4", "Neg a y", false},
    {"3,4", "Relu a y", false},
    {"3,4", "Sigmoid a y", false},
    {"3,4", "Sin a y", false},
    {"3,4", "Softmax a y", false},
    {"3,4", "Softplus a y", false},
    {"3,4", "Tanh a y", false},
    {"3,4", "Log a y", true},
    {"3,4", "Reciprocal a y", true},
    {"3,4", "Sqrt a y", true},
    {"2,3,4 3,1", "Add a,b y", false},
    {"- 2,1", "Add a,b y", false},
    {"1,4 3,1,1", "Add a,b y", false},
    {"2,3,4 3,1", "Sub a,b y", false},
    {"- 2,1", "Sub a,b y", false},
    {"1,4 3,1,1", "Sub a,b y", false},
    {"2,3,4 3,1", "Mul a,b y", false},
    {"- 2,1", "Mul a,b y", false},
    {"1,4 3,1,1", "Mul a,b y", false},
    {"2,3,4 3,1", "Sum a,b y", false},
    {"- 2,1", "Sum a,b y", false},
    {"1,4 3,1,1", "Sum a,b y", false},
    {"2,3,4 3,1", "Div a,b y", true},
    {"- 2,1", "Div a,b y", true},
    {"1,4 3,1,1", "Div a,b y", true},
    {"2,3,4 3,1", "Pow a,b y", true},
    {"- 2,1", "Pow a,b y", true},
    {"1,4 3,1,1", "Pow a,b y", true},
    {"2,3", "Pow a,k_2_5 y", true},
    {"3,4", "Softmax a y axis=i0", false},
    {"3,4 4,2", "MatMul a,b y", false},
    {"4 4,2", "MatMul a,b y", false},
    {"3,4 4", "MatMul a,b y", false},
    {"4 4", "MatMul a,b y", false},
    {"2,3,4 4,2", "MatMul a,b y", false},
    {"4 2,4,3", "MatMul a,b y", false},
    {"2,1,3,4 5,4,2", "MatMul a,b y", false},
    {"2,3,4 4", "MatMul a,b y", false},
    {"3,4 4,5 5", "Gemm a,b,c y transA=i0 transB=i0 alpha=f0.75 beta=f0.5",
     false},
    {"3,4 5,4 5", "Gemm a,b,c y transA=i0 transB=i1 alpha=f0.75 beta=f0.5",
     false},
    {"4,3 4,5 3,1", "Gemm a,b,c y transA=i1 transB=i0 alpha=f0.75 beta=f0.5",
     false},
    {"4,3 5,4 -", "Gemm a,b,c y transA=i1 transB=i1 alpha=f0.75 beta=f0.5",
     false},
    {"2,3,4", "ReduceSum a,k_1 y keepdims=i1", false},
    {"2,3,4", "ReduceSum a,k_1 y keepdims=i0", false},
    {"2,3,4", "ReduceSum a y", false},
    {"2,3,4", "ReduceMean a,k_1 y keepdims=i1", false},
    {"2,3,4", "ReduceMean a,k_1 y keepdims=i0", false},
    {"2,3,4", "ReduceMean a y", false},
    {"2,6", "Reshape a,k_3_m1 y", false},
    {"2,3,2", "Flatten a y axis=i2", false},
    {"2,3", "Unsqueeze a,k_1 u|Squeeze u,k_1 s|Mul s,a y", false},
    {"2,3,4", "Transpose a t perm=2,0,1|Transpose t y", false},
    {"2,3 2,1 2,2", "Concat a,b,c y axis=i-1", false},
    {"3,1", "Expand a,k_2_3_4 y", false},
    {"2,3 3", "Less a,b w|Where w,a,b y", false},
    {"3", "Cast a t to=i11|Exp t y", false},
    {"2,3 2,3", "Mul a,b p|Sub p,a q|Mul q,q r|Tanh a t|Add r,t y", false},
    {"2,3 2,3", "Shape a s|Reshape b,s y", false},
};

static void same_as_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(&cases[i]);
}

/* --- other values, zs, gradients of gradients ----------------------------- */

/* Runs a model of scalar float64 inputs and outputs. */
static void run_scalars(pb bytes, const double *in, int n_in, double *out,
                        int n_out)
{
    rig r = rig_own(bytes, NULL);
    tn_tensor *t[4] = {NULL};
    for (int i = 0; i < n_in; i++) {
        assert_int_equal(tn_tensor_new(&t[i], TN_F64, 0, NULL, NULL, &err),
                         TN_OK);
        *(double *)tn_tensor_data(t[i]) = in[i];
    }
    (void)rig_exec(&r, t, (size_t)n_in);
    for (int i = 0; i < n_out; i++)
        out[i] = tn_tensor_get(tn_run_output(r.run, (size_t)i), 0);
    for (int i = 0; i < n_in; i++) tn_tensor_free(t[i]);
    rig_close(&r);
}

static void put_scalars(pb *graph, uint32_t field, const char *list)
{
    char name[8];
    for (const char *p = list; *p != '\0';) {
        const size_t n = strcspn(p, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)n, p);
        pb_value(graph, field, name, TN_F64, 0, NULL);
        p += n + (p[n] == ',');
    }
}

/* y = a a b at a = p, b = q: the graph is computed again for them. */
static void at_other_values(void **state)
{
    (void)state;
    pb graph = {0};
    double out[3];
    pb_node(&graph, 1, "", "Mul", "", "a,a", "s", NULL);
    pb_node(&graph, 1, "", "Mul", "", "s,b", "y", NULL);
    put_gradient(&graph, "a", "b", "y", "p,q", "da");
    put_gradient(&graph, "a,b", "", "y", "b,a", "ea,eb");
    put_scalars(&graph, 11, "a,b,p,q");
    put_scalars(&graph, 12, "da,ea,eb");
    run_scalars(finish_model(&graph), (const double[]){2.0, 3.0, 5.0, 7.0}, 4,
                out, 3);
    assert_true(fabs(out[0] - 2.0 * 5.0 * 7.0) < 1e-12); /* 2 p q */
    assert_true(fabs(out[1] - 2.0 * 3.0 * 2.0) < 1e-12); /* a = 3, b = 2 */
    assert_true(fabs(out[2] - 9.0) < 1e-12);             /* a a */
}

/* An input that y uses as well is not differentiated as that. */
static void other_value_used_by_y(void **state)
{
    (void)state;
    pb graph = {0};
    double out[1];
    pb_node(&graph, 1, "", "Mul", "", "a,b", "y", NULL);
    put_gradient(&graph, "a", "", "y", "b", "da");
    put_scalars(&graph, 11, "a,b");
    put_scalars(&graph, 12, "da");
    run_scalars(finish_model(&graph), (const double[]){2.0, 3.0}, 2, out, 1);
    assert_true(fabs(out[0] - 3.0) < 1e-12);
}

/* zs end the way: with s among them, y = s b does not depend on a. */
static void stops_at_zs(void **state)
{
    (void)state;
    pb graph = {0};
    double out[3];
    pb_node(&graph, 1, "", "Mul", "", "a,a", "s", NULL);
    pb_node(&graph, 1, "", "Mul", "", "s,b", "t", NULL);
    pb_node(&graph, 1, "", "Mul", "", "t,a", "y", NULL);
    put_gradient(&graph, "a", "t", "y", "a,t", "d1"); /* t = 12 */
    put_gradient(&graph, "s", "", "y", "s", "d2");    /* b a = 6 */
    put_gradient(&graph, "b", "s", "a", "b,s", "d3"); /* 0 */
    put_scalars(&graph, 11, "a,b");
    put_scalars(&graph, 12, "d1,d2,d3");
    run_scalars(finish_model(&graph), (const double[]){2.0, 3.0}, 2, out, 3);
    assert_true(fabs(out[0] - 12.0) < 1e-12);
    assert_true(fabs(out[1] - 6.0) < 1e-12);
    assert_true(out[2] == 0.0);
}

/* d2/da2 of exp(a b) = b^2 exp(a b); the outer Gradient comes first. */
static void second_order(void **state)
{
    (void)state;
    pb graph = {0};
    double out[1];
    put_gradient(&graph, "a", "b", "g", "a,b", "h");
    put_gradient(&graph, "a", "b", "y", "a,b", "g");
    pb_node(&graph, 1, "", "Mul", "", "a,b", "p", NULL);
    pb_node(&graph, 1, "", "Exp", "", "p", "y", NULL);
    put_scalars(&graph, 11, "a,b");
    put_scalars(&graph, 12, "h");
    run_scalars(finish_model(&graph), (const double[]){0.5, 3.0}, 2, out, 1);
    assert_true(fabs(out[0] - 9.0 * exp(1.5)) < 1e-10);
}

/* --- what is refused ----------------------------------------------------- */

static void refuse(pb *graph, tn_status status, const char *part)
{
    rig r;
    assert_int_equal(rig_try(&r, finish_model(graph), NULL, &err), status);
    if (strstr(err.message, part) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, part);
    assert_non_null(strstr(err.where, "Gradient"));
    rig_close(&r);
}

static void inputs_that_are_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *op, *inputs;
    } rows[] = {{"MatMul", "a"}, {"MatMul", ",a"}, {"Mul", "a"},
                {"Gemm", "a"},   {"Div", "a,"},    {"Concat", "a,,a"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pb graph = {0};
        put_scalars(&graph, 11, "a");
        put_scalars(&graph, 12, "d");
        pb_node(&graph, 1, "", rows[i].op, "short", rows[i].inputs, "y", NULL);
        put_gradient(&graph, "a", "", "y", "a", "d");
        refuse(&graph, TN_EUNSUPPORTED, "are not those of its signature");
    }
}

static void names_what_it_cannot_do(void **state)
{
    (void)state;
    pb graph = {0};
    put_scalars(&graph, 11, "a");
    put_scalars(&graph, 12, "d");
    pb_node(&graph, 1, "", "Softsign", "curve", "a", "y", NULL);
    put_gradient(&graph, "a", "", "y", "a", "d");
    refuse(&graph, TN_EUNSUPPORTED, "node 'curve' (Softsign)");

    pb inputs = {0};
    put_scalars(&inputs, 11, "a");
    put_scalars(&inputs, 12, "d");
    pb_node(&inputs, 1, "", "Exp", "", "a", "y", NULL);
    put_gradient(&inputs, "a", "", "y", "a,a", "d");
    refuse(&inputs, TN_EFORMAT, "2 inputs and 1 outputs");

    pb name = {0};
    put_scalars(&name, 11, "a");
    put_scalars(&name, 12, "d");
    pb_node(&name, 1, "", "Exp", "", "a", "y", NULL);
    put_gradient(&name, "b", "", "y", "a", "d");
    refuse(&name, TN_EFORMAT, "'b' is neither an input");

    pb self = {0};
    put_scalars(&self, 11, "a");
    put_scalars(&self, 12, "d");
    pb_node(&self, 1, "", "Mul", "", "a,d", "y", NULL);
    put_gradient(&self, "a", "", "y", "a", "d");
    refuse(&self, TN_EFORMAT, "depends on its own result");

    pb loop = {0};
    put_scalars(&loop, 11, "a");
    put_scalars(&loop, 12, "d");
    pb_node(&loop, 1, "", "Mul", "one", "a,q", "y", NULL);
    pb_node(&loop, 1, "", "Exp", "two", "y", "q", NULL);
    put_gradient(&loop, "a", "", "y", "a", "d");
    refuse(&loop, TN_EFORMAT, "depends on itself");
}

static tn_status open_and_close(void *ctx, const tn_allocator *allocator)
{
    const pb *bytes = ctx;
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    opts.allocator = allocator;
    tn_model *model = NULL;
    const tn_status status =
        tn_model_open_memory(&model, bytes->bytes, bytes->size, &opts, &err);
    tn_model_close(model);
    return status;
}

static void survives_oom(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strncmp(cases[i].nodes, "Mul a,b p", 9) != 0) continue;
        pb bytes = model_of(&cases[i]);
        oom_sweep(open_and_close, &bytes);
        pb_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_differences),
        cmocka_unit_test(at_other_values),
        cmocka_unit_test(other_value_used_by_y),
        cmocka_unit_test(stops_at_zs),
        cmocka_unit_test(second_order),
        cmocka_unit_test(inputs_that_are_not_there),
        cmocka_unit_test(names_what_it_cannot_do),
        cmocka_unit_test(survives_oom),
    };
    return cmocka_run_group_tests_name("gradient", tests, NULL, NULL);
}
