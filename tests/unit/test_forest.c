/* SPDX-License-Identifier: Apache-2.0 */
/* test_forest.c - decision trees: building, comparing, missing values */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/forest.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define TEXT(s)                                                                \
    {                                                                          \
        (s), sizeof(s) - 1                                                     \
    }

/* One split with two leaves: x[1] <= 0.1 gives 10, else 20. */
typedef struct model {
    int64_t tree[3], node[3], feature[3], yes[3], no[3], missing[3];
    tn_string modes[3];
    float values[3];
    int64_t weight_tree[2], weight_node[2], target[2], n_targets;
    float weights[2];
    tni_forest_source s;
} model;

static const model stump = {
    .tree = {7, 7, 7},
    .node = {0, 1, 2},
    .feature = {1, 0, 0},
    .yes = {1, 0, 0},
    .no = {2, 0, 0},
    .modes = {TEXT("BRANCH_LEQ"), TEXT("LEAF"), TEXT("LEAF")},
    .values = {0.1f, 0.0f, 0.0f},
    .weight_tree = {7, 7},
    .weight_node = {1, 2},
    .weights = {10.0f, 20.0f},
    .n_targets = 1,
};

static void describe(model *m)
{
    m->s = (tni_forest_source){
        .n_nodes = 3,
        .tree = m->tree,
        .node = m->node,
        .feature = m->feature,
        .yes = m->yes,
        .no = m->no,
        .missing = m->missing,
        .modes = m->modes,
        .values = {.f32 = m->values, .n = 3},
        .n_weights = 2,
        .weight_tree = m->weight_tree,
        .weight_node = m->weight_node,
        .weight_target = m->target,
        .weights = {.f32 = m->weights, .n = 2},
        .n_targets = m->n_targets,
    };
}

static _Alignas(64) char block[1 << 12];

static tn_status build(tni_forest **f, model *m, tn_err *err)
{
    tni_mem mem;
    tni_arena temp;
    size_t size = 0;
    describe(m);
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&temp, &mem, 4096);
    assert_true(tni_forest_size(&size, m->s.n_nodes, m->s.n_weights, 0));
    assert_true(size <= sizeof block);
    const tn_status status = tni_forest_build(f, block, &m->s, &temp, err);
    tni_arena_fini(&temp);
    if (status == TN_OK) (*f)->sum = TNI_TREE_SUM;
    return status;
}

static double answer(const tni_forest *f, const void *x)
{
    tni_tree_score s;
    tni_forest_row(f, x, &s);
    assert_true(s.has);
    return s.v;
}

static void test_modes(void **state)
{
    (void)state;
    static const struct {
        tn_string mode;
        double below, equal, above;
    } cases[] = {
        {TEXT("BRANCH_LEQ"), 10, 10, 20}, {TEXT("BRANCH_LT"), 10, 20, 20},
        {TEXT("BRANCH_GTE"), 20, 10, 10}, {TEXT("BRANCH_GT"), 20, 20, 10},
        {TEXT("BRANCH_EQ"), 20, 10, 20},  {TEXT("BRANCH_NEQ"), 10, 20, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        model m = stump;
        tni_forest *f = NULL;
        m.modes[0] = cases[i].mode;
        assert_int_equal(build(&f, &m, NULL), TN_OK);
        assert_int_equal(f->n_features, 2);
        const float x[3][2] = {
            {9, nextafterf(0.1f, 0)}, {9, 0.1f}, {9, nextafterf(0.1f, 1)}};
        assert_true(answer(f, x[0]) == cases[i].below);
        assert_true(answer(f, x[1]) == cases[i].equal);
        assert_true(answer(f, x[2]) == cases[i].above);
    }
}

/* 0.1 as a double is below 0.1f: only a double comparison tells. */
static void test_wide(void **state)
{
    (void)state;
    model m = stump;
    tni_forest *f = NULL;
    m.modes[0] = (tn_string)TEXT("BRANCH_EQ");
    assert_int_equal(build(&f, &m, NULL), TN_OK);
    f->wide = true;
    assert_true(answer(f, (double[]){0, 0.1}) == 20);
    assert_true(answer(f, (double[]){0, (double)0.1f}) == 10);
}

static void test_missing(void **state)
{
    (void)state;
    model m = stump;
    tni_forest *f = NULL;
    const float x[2] = {0, NAN};
    assert_int_equal(build(&f, &m, NULL), TN_OK);
    assert_true(answer(f, x) == 20);
    m.missing[0] = 1;
    assert_int_equal(build(&f, &m, NULL), TN_OK);
    assert_true(answer(f, x) == 10);
}

static void test_float_sums(void **state)
{
    (void)state;
    model m = stump;
    tni_forest *f = NULL;
    /* Both weights at one leaf: 2^24 + 1 is lost in float, kept in double. */
    m.weight_node[1] = 1;
    m.weights[0] = 16777216.0f;
    m.weights[1] = 1.0f;
    assert_int_equal(build(&f, &m, NULL), TN_OK);
    assert_true(answer(f, (float[]){0, 0}) == 16777216.0);
    f->wide = true;
    assert_true(answer(f, (double[]){0, 0}) == 16777217.0);
}

/* A target that no leaf of the row spoke of has no base value either. */
static void test_base_values(void **state)
{
    (void)state;
    static const float base[2] = {1.0f, 2.0f};
    model m = stump;
    tni_forest *f = NULL;
    tni_tree_score s[2];
    float work[2];
    m.n_targets = 2;
    m.target[1] = 1;
    assert_int_equal(build(&f, &m, NULL), TN_OK);
    f->base.f32 = base;
    f->base.n = 2;
    tni_forest_row(f, (float[]){0, 0}, s);
    tni_forest_finish(f, s, work);
    assert_true(s[0].v == 11 && s[1].v == 0);
    tni_forest_row(f, (float[]){0, 1}, s);
    tni_forest_finish(f, s, work);
    assert_true(s[0].v == 0 && s[1].v == 22);
}

static void refuse(void (*spoil)(model *m), const char *message)
{
    model m = stump;
    tni_forest *f = NULL;
    tn_err err = {TN_OK, 0, 0, "", ""};
    spoil(&m);
    assert_int_equal(build(&f, &m, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, message));
}

static void spoil_twice(model *m)
{
    m->node[2] = 1;
}

static void spoil_child(model *m)
{
    m->no[0] = 5;
}

static void spoil_cycle(model *m)
{
    m->modes[1] = (tn_string)TEXT("BRANCH_LEQ");
    m->yes[1] = 0;
    m->no[1] = 2;
}

static void spoil_mode(model *m)
{
    m->modes[0] = (tn_string)TEXT("BRANCH_MEMBER");
}

static void spoil_target(model *m)
{
    m->target[1] = 1;
}

static void spoil_leaf(model *m)
{
    m->weight_tree[1] = 8;
}

static void spoil_feature(model *m)
{
    m->feature[0] = -1;
}

static void test_refuses(void **state)
{
    (void)state;
    refuse(spoil_twice, "twice");
    refuse(spoil_child, "leads to no node");
    refuse(spoil_cycle, "cycle");
    refuse(spoil_mode, "unknown node mode");
    refuse(spoil_target, "target 1 outside");
    refuse(spoil_leaf, "does not exist");
    refuse(spoil_feature, "feature -1");
}

static void test_meeting_branches(void **state)
{
    (void)state;
    model m = stump;
    tni_forest *f = NULL;
    m.no[0] = 1;
    assert_int_equal(build(&f, &m, NULL), TN_OK);
    assert_true(answer(f, (float[]){0, 5}) == 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_float_sums),
        cmocka_unit_test(test_base_values),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_meeting_branches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
