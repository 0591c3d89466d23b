/* SPDX-License-Identifier: Apache-2.0 */
/* test_place.c - tensors that share memory: pieces, joins, work in place */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, PLANE = SIDE * SIDE, MOST = 4 };

/* What a run gave: its outputs, one after another, and facts of the plan. */
typedef struct answer {
    float *values;
    size_t len;
    tn_plan_info info;
} answer;

static void put_outputs(answer *a, const tn_run *r, size_t n_out)
{
    a->len = 0;
    a->values = NULL;
    for (size_t i = 0; i < n_out; i++) {
        const tn_tensor *y = tn_run_output(r, i);
        size_t n = 1;
        for (int d = 0; d < tn_tensor_rank(y); d++)
            n *= (size_t)tn_tensor_dims(y)[d];
        a->values = realloc(a->values, (a->len + n + 1) * sizeof *a->values);
        assert_non_null(a->values);
        if (n > 0)
            memcpy(a->values + a->len, tn_tensor_cdata(y), n * sizeof(float));
        a->len += n;
    }
}

static answer run(const pb *bytes, uint32_t flags, const int64_t *dims)
{
    answer a = {.info = TN_PLAN_INFO_INIT};
    rig r = rig_open(bytes, flags, 1);
    tn_tensor *x = rig_input(4, dims);
    for (int i = 0; i < 2; i++) (void)rig_run(&r, x); /* in the same memory */
    put_outputs(&a, r.run, tn_model_n_outputs(r.model));
    assert_int_equal(tn_run_plan_info(r.run, &a.info), TN_OK);
    rig_close(&r);
    tn_tensor_free(x);
    return a;
}

/* Shared memory changes nothing; gives what sharing took. */
static tn_plan_info compare(const pb *model, const int64_t *dims,
                            const char *what)
{
    answer a = run(model, 0, dims);
    answer b = run(model, TN_SESSION_KEEP_VALUES, dims);
    assert_int_equal(a.len, b.len);
    for (size_t i = 0; i < a.len; i++)
        if (memcmp(&a.values[i], &b.values[i], sizeof(float)) != 0)
            fail_msg("%s: value %zu is %g, expected %g", what, i,
                     (double)a.values[i], (double)b.values[i]);
    free(a.values);
    free(b.values);
    return a.info;
}

/* --- graphs, written down ----------------------------------------------- */

static void node(pb *g, const char *op, const char *in, const char *out)
{
    pb_node(g, 1, "", op, out, in, out, NULL);
}

static void join(pb *g, const char *in, const char *out, int64_t axis)
{
    pb attrs = {0};
    pb_attr_int(&attrs, "axis", axis);
    pb_node(g, 1, "", "Concat", out, in, out, &attrs);
}

static void halve(pb *g, const char *in, const char *out, int64_t axis)
{
    pb attrs = {0};
    pb_attr_int(&attrs, "axis", axis);
    pb_node(g, 1, "", "Split", out, in, out, &attrs);
}

static tn_plan_info finish(pb *g, const char *const *outputs, int n_out,
                           const int64_t *dims, const char *what)
{
    pb model = {0};
    pb_value(g, 11, "x", TN_F32, 4, dims);
    for (int i = 0; i < n_out; i++)
        pb_value(g, 12, outputs[i], TN_F32, -1, NULL);
    pb_model(&model, g, 13);
    const tn_plan_info info = compare(&model, dims, what);
    pb_free(&model);
    return info;
}

static const int64_t four[4] = {1, 4, SIDE, SIDE};
static const size_t input_bytes = sizeof(float) * 4 * PLANE;

/* What is joined is computed where it goes: two halves, and nothing else. */
static void joined(void **state)
{
    static const char *const y[] = {"y"};
    pb g = {0};
    (void)state;
    node(&g, "Exp", "x", "a");
    node(&g, "Tanh", "x", "b");
    join(&g, "a,b", "y", 1);
    const tn_plan_info info = finish(&g, y, 1, four, "joined");
    assert_int_equal(info.activation_bytes, 2 * input_bytes);
}

/* As networks with cross-stage connections have it. */
static void split_and_joined(void **state)
{
    static const char *const y[] = {"y"};
    pb g = {0};
    (void)state;
    node(&g, "Exp", "x", "e");
    halve(&g, "e", "a,b", 1);
    node(&g, "Sin", "b", "c");
    node(&g, "Cos", "c", "d");
    join(&g, "a,b,c,d", "j", 1);
    node(&g, "Atan", "j", "y");
    const tn_plan_info info = finish(&g, y, 1, four, "split_and_joined");
    assert_int_equal(info.activation_bytes, 2 * input_bytes);
    assert_int_equal(info.n_steps, 5); /* Split is none */
}

/* Every layer sees all before it: one block holds them. */
static void dense(void **state)
{
    static const char *const y[] = {"f"};
    pb g = {0};
    (void)state;
    node(&g, "Exp", "x", "a");
    node(&g, "Sin", "a", "b");
    join(&g, "a,b", "c", 1);
    node(&g, "Cos", "c", "d");
    join(&g, "c,d", "e", 1);
    node(&g, "Atan", "e", "g");
    join(&g, "e,g", "f", 1);
    const tn_plan_info info = finish(&g, y, 1, four, "dense");
    assert_int_equal(info.activation_bytes, 8 * input_bytes);
}

/* Where nothing can be joined in place, or only a part of it. */
static void not_joined(void **state)
{
    static const char *const y[] = {"y", "a"};
    static const char *const in[] = {"a,a", "x,a", "a,x,a", "a,b,a"};
    static const int64_t two[4] = {2, 4, SIDE, SIDE};
    (void)state;
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
        for (int axis = 0; axis < 4; axis++) {
            for (int batch = 0; batch < 2; batch++) {
                pb g = {0};
                node(&g, "Exp", "x", "a");
                node(&g, "Sin", "a", "b");
                join(&g, in[i], "y", axis);
                (void)finish(&g, y, 2, batch ? two : four, in[i]);
            }
        }
    }
}

/* In place only where no other input sees the same memory elsewhere. */
static void overlapping_inputs(void **state)
{
    static const char *const y[] = {"y"};
    static const char *const ops[] = {"Add", "Sub", "Mul"};
    static const char *const in[] = {"a,e", "e,a", "a,b", "b,a", "a,a", "b,b"};
    static const int64_t dims[4] = {1, 2, SIDE, SIDE};
    (void)state;
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
        for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++) {
            pb g = {0};
            node(&g, "Exp", "x", "e");
            halve(&g, "e", "a,b", 1); /* one channel: broadcast over two */
            node(&g, ops[k], in[i], "s");
            node(&g, "Tanh", "s", "y");
            (void)finish(&g, y, 1, dims, in[i]);
        }
    }
}

/* --- graphs, thrown together --------------------------------------------- */

typedef struct maker {
    pb graph;
    uint32_t seed;
    int n; /* values v0 … */
    int channels[64];
} maker;

static uint32_t pick(maker *m, uint32_t n)
{
    m->seed = m->seed * 1664525u + 1013904223u;
    return (m->seed >> 16) % n;
}

static int add_value(maker *m, int channels)
{
    m->channels[m->n] = channels;
    return m->n++;
}

static void add_constant(maker *m, const char *name, int64_t v)
{
    pb t = {0};
    const int64_t one = 1;
    pb_tensor(&t, name, TN_I64, 1, &one, &v, sizeof v);
    pb_message(&m->graph, 5, &t);
}

static void add_slice(maker *m, int from)
{
    char in[80], out[16], s[16], e[16], a[16];
    const int c = m->channels[from];
    const int64_t begin = pick(m, (uint32_t)c);
    const int64_t end = begin + 1 + pick(m, (uint32_t)(c - begin));
    const int to = add_value(m, (int)(end - begin));
    (void)snprintf(s, sizeof s, "s%d", to);
    (void)snprintf(e, sizeof e, "e%d", to);
    (void)snprintf(a, sizeof a, "a%d", to);
    (void)snprintf(in, sizeof in, "v%d,%s,%s,%s", from, s, e, a);
    (void)snprintf(out, sizeof out, "v%d", to);
    add_constant(m, s, begin - (pick(m, 2) != 0 ? c : 0));
    add_constant(m, e, end);
    add_constant(m, a, pick(m, 2) != 0 ? 1 : -3);
    node(&m->graph, "Slice", in, out);
}

static void add_gather(maker *m, int from)
{
    char in[40], out[16], i[16];
    const int to = add_value(m, 1);
    (void)snprintf(i, sizeof i, "i%d", to);
    (void)snprintf(in, sizeof in, "v%d,%s", from, i);
    (void)snprintf(out, sizeof out, "v%d", to);
    add_constant(m, i, pick(m, (uint32_t)m->channels[from]));
    pb attrs = {0};
    pb_attr_int(&attrs, "axis", 1);
    pb_node(&m->graph, 1, "", "Gather", out, in, out, &attrs);
}

static void add_join(maker *m)
{
    char in[80] = "", out[16];
    int channels = 0;
    const int n = 1 + (int)pick(m, MOST);
    for (int i = 0; i < n; i++) {
        /* Rather what was made lately. */
        const uint32_t back = pick(m, 2) != 0 && m->n > 4 ? 4 : (uint32_t)m->n;
        const int from = m->n - 1 - (int)pick(m, back);
        const size_t used = strlen(in);
        if (channels + m->channels[from] > 64) continue;
        (void)snprintf(in + used, sizeof in - used, "%sv%d",
                       used > 0 ? "," : "", from);
        channels += m->channels[from];
    }
    if (channels == 0) return;
    (void)snprintf(out, sizeof out, "v%d", add_value(m, channels));
    join(&m->graph, in, out, pick(m, 2) != 0 ? 1 : -3);
}

static void add_node(maker *m)
{
    static const char *const unary[] = {"Sin", "Tanh", "Abs", "Neg", "Relu"};
    char in[40], out[40];
    const int from = (int)pick(m, (uint32_t)m->n), c = m->channels[from];
    const int other = (int)pick(m, (uint32_t)m->n), d = m->channels[other];
    switch (pick(m, 7)) {
    case 0:
    case 1: add_join(m); return;
    case 2:
        if (c % 2 != 0) break;
        (void)snprintf(in, sizeof in, "v%d", from);
        (void)snprintf(out, sizeof out, "v%d,v%d", m->n, m->n + 1);
        (void)add_value(m, c / 2);
        (void)add_value(m, c / 2);
        halve(&m->graph, in, out, 1);
        return;
    case 3: add_slice(m, from); return;
    case 4:
        if (c != d && c != 1 && d != 1) break;
        (void)snprintf(in, sizeof in, "v%d,v%d", from, other);
        (void)snprintf(out, sizeof out, "v%d", add_value(m, c > d ? c : d));
        node(&m->graph, "Add", in, out);
        return;
    case 5:
        if (pick(m, 3) != 0) break;
        add_gather(m, from);
        return;
    default: break;
    }
    (void)snprintf(in, sizeof in, "v%d", from);
    (void)snprintf(out, sizeof out, "v%d", add_value(m, c));
    node(&m->graph, unary[pick(m, 5)], in, out);
}

static void any_graph(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        maker m = {.seed = seed};
        char names[3][16], what[24];
        const char *outputs[3];
        const int n_nodes = 3 + (int)pick(&m, 20);
        node(&m.graph, "Identity", "x", "v0");
        (void)add_value(&m, 4);
        for (int i = 0; i < n_nodes; i++) add_node(&m);
        const int n_out = m.n < 4 ? 1 : 1 + (int)pick(&m, 3);
        for (int i = 0; i < n_out; i++) {
            (void)snprintf(names[i], sizeof names[i], "v%d", m.n - 1 - i);
            outputs[i] = names[i];
        }
        (void)snprintf(what, sizeof what, "seed %u", seed);
        (void)finish(&m.graph, outputs, n_out, four, what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined),
        cmocka_unit_test(split_and_joined),
        cmocka_unit_test(dense),
        cmocka_unit_test(not_joined),
        cmocka_unit_test(overlapping_inputs),
        cmocka_unit_test(any_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
