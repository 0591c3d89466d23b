/* SPDX-License-Identifier: Apache-2.0 */
/* test_forest_pack.c - packed forests: layout, limits, the same sums as a walk
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURES = 5, TARGETS = 3, MOST_NODES = 8192, ROWS = TNI_FOREST_ROWS };

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static float random_float(void)
{
    return (float)random_below(4001) / 1000.0f - 2.0f;
}

/* A forest as a model describes it. */
typedef struct model {
    int64_t tree[MOST_NODES], node[MOST_NODES], feature[MOST_NODES],
        yes[MOST_NODES], no[MOST_NODES], missing[MOST_NODES];
    tn_string modes[MOST_NODES];
    float values[MOST_NODES];
    int64_t weight_tree[MOST_NODES], weight_node[MOST_NODES],
        target[MOST_NODES];
    double weights[MOST_NODES];
    int64_t n_nodes, n_weights;
} model;

static model m;

static tn_string text(const char *s)
{
    return (tn_string){s, strlen(s)};
}

static void add_weight(int64_t tree, int64_t node, int64_t target, double w)
{
    const int64_t i = m.n_weights++;
    assert_true(i < MOST_NODES);
    m.weight_tree[i] = tree;
    m.weight_node[i] = node;
    m.target[i] = target;
    m.weights[i] = w;
}

/* Adds a node and what hangs below it; returns its number in the tree. */
static int64_t grow(int64_t tree, int64_t *used, int depth)
{
    static const char *const modes[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE",
                                        "BRANCH_GT"};
    const int64_t i = m.n_nodes++, number = (*used)++;
    assert_true(i < MOST_NODES);
    m.tree[i] = tree;
    m.node[i] = number;
    m.feature[i] = m.yes[i] = m.no[i] = m.missing[i] = 0;
    m.values[i] = 0;
    m.modes[i] = text("LEAF");
    if (depth == 0 || (number > 0 && random_below(6) == 0)) {
        add_weight(tree, number, tree % TARGETS, (double)random_float());
        return number;
    }
    m.modes[i] = text(modes[random_below(4)]);
    m.feature[i] = random_below(FEATURES);
    m.values[i] = random_float();
    m.missing[i] = random_below(2);
    m.yes[i] = grow(tree, used, depth - 1);
    m.no[i] = grow(tree, used, depth - 1);
    return number;
}

static void grow_all(int n_trees, int depth)
{
    m.n_nodes = m.n_weights = 0;
    for (int t = 0; t < n_trees; t++) {
        int64_t used = 0;
        (void)grow(t, &used, depth);
    }
}

typedef struct built {
    void *forest_block, *pack_block;
    tni_forest *f;
    tni_forest_pack *p;
} built;

static built build(tni_tree_sum sum)
{
    const tni_forest_source s = {
        .n_nodes = m.n_nodes,
        .tree = m.tree,
        .node = m.node,
        .feature = m.feature,
        .yes = m.yes,
        .no = m.no,
        .missing = m.missing,
        .modes = m.modes,
        .values = {.f32 = m.values, .n = m.n_nodes},
        .n_weights = m.n_weights,
        .weight_tree = m.weight_tree,
        .weight_node = m.weight_node,
        .weight_target = m.target,
        .weights = {.f64 = m.weights, .n = m.n_weights},
        .n_targets = TARGETS,
    };
    built b;
    size_t size = 0;
    tni_mem mem;
    tni_arena temp;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&temp, &mem, 4096);
    assert_true(tni_forest_size(&size, m.n_nodes, m.n_weights, 0));
    b.forest_block = aligned_alloc(64, (size + 63) / 64 * 64);
    assert_non_null(b.forest_block);
    assert_int_equal(tni_forest_build(&b.f, b.forest_block, &s, &temp, NULL),
                     TN_OK);
    tni_arena_fini(&temp);
    b.f->sum = sum;
    assert_true(tni_forest_pack_size(&size, b.f));
    /* A canary behind the pack */
    b.pack_block = aligned_alloc(64, (size + 8 + 63) / 64 * 64);
    assert_non_null(b.pack_block);
    memset((char *)b.pack_block + size, 0x5a, 8);
    b.p = b.pack_block;
    tni_forest_pack_build(b.p, b.f);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(((char *)b.pack_block)[size + i], 0x5a);
    return b;
}

static void drop(built *b)
{
    free(b->forest_block);
    free(b->pack_block);
}

/* Sums by the pack against a walk of each row, bit for bit. */
static void compare(const built *b, uint32_t isa, size_t rows, bool nan)
{
    static float x[ROWS * FEATURES], sums[TARGETS * ROWS];
    static tni_tree_score got[ROWS * TARGETS];
    static int32_t leaves[TNI_FOREST_ROWS * TNI_FOREST_TREES];
    tni_tree_kernels k;
    tni_tree_init(&k, isa);
    for (size_t i = 0; i < rows * FEATURES; i++)
        x[i] = nan && random_below(4) == 0 ? NAN : random_float();
    const tni_forest_task task = {
        .f = b->f, .features = FEATURES, .pack = b->p, .leaves = k.leaves};
    tni_forest_block_scores(&task, x, rows, got, leaves, sums);
    for (size_t r = 0; r < rows; r++) {
        tni_tree_score want[TARGETS];
        tni_forest_row(b->f, x + r * FEATURES, want);
        for (size_t i = 0; i < TARGETS; i++) {
            assert_int_equal(got[r * TARGETS + i].has, want[i].has);
            assert_true(got[r * TARGETS + i].v == want[i].v);
        }
    }
}

static void test_sums(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32};
    static const int trees[] = {1, 2, 7, 8, 9, 63, 64, 65, 130};
    for (size_t t = 0; t < sizeof trees / sizeof *trees; t++) {
        grow_all(trees[t], t % 2 == 0 ? 5 : 3);
        for (int sum = TNI_TREE_AVERAGE; sum <= TNI_TREE_MAX; sum++) {
            built b = build((tni_tree_sum)sum);
            assert_int_equal(b.p->trees.n_trees, trees[t]);
            assert_int_equal(b.p->plain, sum <= TNI_TREE_SUM);
            for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                compare(&b, UINT32_MAX, rows[i], i % 2 != 0);
            drop(&b);
        }
    }
}

static void test_layout(void **state)
{
    (void)state;
    grow_all(9, 4);
    built b = build(TNI_TREE_SUM);
    const char *base = b.pack_block;
    assert_int_equal((uintptr_t)b.p->trees.trees % 64, 0);
    assert_int_equal((uintptr_t)b.p->trees.trees[0].nodes % 64, 0);
    assert_true((const char *)b.p->targets > base);
    for (int32_t t = 0; t < 9; t++) {
        const tni_tree *tree = &b.p->trees.trees[t];
        assert_int_equal(b.p->targets[t], t % TARGETS);
        assert_true(b.p->seen[t % TARGETS]);
        for (int32_t i = 0; i < tree->n_nodes; i++) {
            /* Children are neighbours behind their parent. */
            const int32_t next =
                (int32_t)(tree->nodes[i].link & TNI_TREE_NEXT_MASK);
            assert_true(tni_tree_is_leaf(tree, i)
                            ? next == i
                            : next > i && next + 1 < tree->n_nodes);
        }
    }
    drop(&b);
}

/* Targets that no tree has are not seen. */
static void test_unseen_target(void **state)
{
    (void)state;
    grow_all(2, 3);
    built b = build(TNI_TREE_SUM);
    assert_true(b.p->plain);
    assert_true(b.p->seen[0] && b.p->seen[1] && !b.p->seen[2]);
    compare(&b, UINT32_MAX, 8, false);
    drop(&b);
}

static void expect_plain(bool plain)
{
    built b = build(TNI_TREE_SUM);
    assert_true(b.p->trees.n_trees > 0);
    assert_int_equal(b.p->plain, plain);
    compare(&b, UINT32_MAX, 9, true);
    drop(&b);
}

static void test_not_plain(void **state)
{
    (void)state;
    grow_all(3, 3);
    expect_plain(true);
    m.weights[1] = 0.1; /* no float */
    expect_plain(false);
    grow_all(3, 3);
    m.target[0] = 2; /* two targets in a tree */
    expect_plain(false);
    grow_all(3, 3);
    m.n_weights--; /* a leaf without a weight */
    expect_plain(false);
    grow_all(3, 3);
    add_weight(m.weight_tree[0], m.weight_node[0], 0, 1.0); /* and one of two */
    expect_plain(false);
}

static void expect_refused(void)
{
    built b = build(TNI_TREE_SUM);
    assert_int_equal(b.p->trees.n_trees, 0);
    drop(&b);
}

static void test_refused(void **state)
{
    (void)state;
    grow_all(3, 3);
    m.modes[0] = text("BRANCH_EQ");
    expect_refused();
    grow_all(3, 3);
    m.feature[0] = TNI_TREE_MAX_FEATURES;
    expect_refused();
    /* Both branches meet in one child, whose tree they share. */
    grow_all(3, 3);
    m.no[0] = m.yes[0];
    expect_refused();
}

static void test_no_size(void **state)
{
    (void)state;
    size_t size = 0;
    tni_forest f = {.n_nodes = 3, .n_roots = 1, .n_targets = 1};
    assert_true(tni_forest_pack_size(&size, &f));
    f.wide = true; /* doubles are for the plain walk */
    assert_false(tni_forest_pack_size(&size, &f));
    f.wide = false;
    f.n_targets = INT64_MAX;
    f.n_nodes = INT64_MAX / 2;
    assert_false(tni_forest_pack_size(&size, &f));
    f.n_nodes = 3;
    f.n_roots = INT64_MAX / 2;
    assert_false(tni_forest_pack_size(&size, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),          cmocka_unit_test(test_layout),
        cmocka_unit_test(test_unseen_target), cmocka_unit_test(test_not_plain),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_no_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
