/* SPDX-License-Identifier: Apache-2.0 */
/* kc_tree.c - leaves of decision trees against a walk over the source nodes */
#include "kcheck.h"
#include "kernels/tree/tree.h"

#include <math.h>
#include <string.h>

typedef struct row {
    const char *name;
    uint32_t isa;
    tni_tree_leaves_fn fn;
} row;

static const row table[] = {
#define TN_TREE_KERNEL(isa, fn) {#fn, isa, fn},
#include "kernels/tree/tree.def"
#undef TN_TREE_KERNEL
};

typedef struct forest {
    tni_tree_source_node *nodes;
    int32_t *roots;
    size_t n_nodes, n_trees;
} forest;

static tni_tree_source_node fetch(const void *ctx, int32_t i)
{
    return ((const forest *)ctx)->nodes[i];
}

/* Grows one tree by splitting random leaves; children get random numbers of
 * the block, so that source order and pack order differ. */
static void grow(kc *t, forest *f, size_t first, size_t splits, int features,
                 bool mixed)
{
    f->nodes[first].test = TNI_TREE_TEST_LEAF;
    size_t count = 1;
    for (size_t s = 0; s < splits; s++) {
        size_t at = first;
        while (f->nodes[at].test != TNI_TREE_TEST_LEAF)
            at = (size_t)((kc_rand(t) & 1) != 0 ? f->nodes[at].yes
                                                : f->nodes[at].no);
        tni_tree_source_node *n = &f->nodes[at];
        n->test = mixed ? (tni_tree_test)(kc_rand(t) % 4) : TNI_TREE_TEST_LEQ;
        n->feature = (int32_t)(kc_rand(t) % (uint64_t)features);
        /* Thresholds that inputs hit, and some that nothing passes. */
        const uint64_t r = kc_rand(t) % 32;
        n->value = r == 0   ? INFINITY
                   : r == 1 ? -INFINITY
                   : r == 2 ? NAN
                   : r == 3 ? 0.0f
                            : (float)(int)(kc_rand(t) % 9) - 4.0f;
        n->nan_yes = mixed && (kc_rand(t) & 1) != 0;
        n->yes = (int32_t)(first + count++);
        n->no = (int32_t)(first + count++);
        f->nodes[n->yes].test = TNI_TREE_TEST_LEAF;
        f->nodes[n->no].test = TNI_TREE_TEST_LEAF;
    }
}

static int32_t walk(const forest *f, int32_t i, const float *x)
{
    while (f->nodes[i].test != TNI_TREE_TEST_LEAF) {
        const tni_tree_source_node *n = &f->nodes[i];
        const float v = x[n->feature];
        bool yes = false;
        switch (n->test) {
        case TNI_TREE_TEST_LEQ: yes = v <= n->value; break;
        case TNI_TREE_TEST_LT: yes = v < n->value; break;
        case TNI_TREE_TEST_GTE: yes = v >= n->value; break;
        case TNI_TREE_TEST_GT: yes = v > n->value; break;
        default: break;
        }
        if (isnan(v)) yes = n->nan_yes;
        i = yes ? n->yes : n->no;
    }
    return i;
}

typedef struct call {
    tni_tree_leaves_fn fn;
    tni_tree_pack pack;
    const float *x;
    size_t ldx, rows, first, last;
    int32_t *leaf;
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->fn(&c->pack, c->x, c->ldx, c->rows, c->first, c->last, c->leaf);
}

static void make(kc *t, forest *f, size_t n_trees, size_t splits, int features,
                 bool mixed)
{
    const size_t per_tree = 2 * splits + 1;
    f->n_trees = n_trees;
    f->n_nodes = n_trees * per_tree;
    f->nodes = kc_own(t, f->n_nodes * sizeof *f->nodes);
    f->roots = kc_own(t, n_trees * sizeof *f->roots);
    for (size_t i = 0; i < n_trees; i++) {
        f->roots[i] = (int32_t)(i * per_tree);
        grow(t, f, i * per_tree, splits, features, mixed);
    }
}

static void check(kc *t, const row *r)
{
    while (kc_case(t, 200)) {
        forest f;
        call c = {.fn = r->fn};
        const int features = (int)kc_pick(t, "features", 1, 40);
        const bool mixed = kc_pick(t, "mixed", 0, 1) != 0;
        c.rows = kc_sweep(t, "rows", 8, 150);
        make(t, &f, kc_dim(t, "trees", 8, 30), kc_dim(t, "splits", 16, 120),
             features, mixed);
        size_t size = 0;
        if (!tni_tree_pack_size(&size, f.n_nodes, f.n_trees) ||
            !tni_tree_pack_build(&c.pack, kc_own(t, size), &f, fetch, f.n_nodes,
                                 f.roots, f.n_trees)) {
            kc_fail(t, "the trees were refused");
            return;
        }
        c.ldx = (size_t)features + kc_pick(t, "gap", 0, 3);
        const size_t nx =
            c.rows > 0 ? (c.rows - 1) * c.ldx + (size_t)features : 0;
        c.first = f.n_trees > 0 ? kc_pick(t, "first", 0, f.n_trees - 1) : 0;
        c.last = kc_pick(t, "last", c.first, f.n_trees);
        const size_t n = (c.last - c.first) * c.rows;
        float *x = kc_in(t, nx * 4, 4);
        int32_t *want = kc_own(t, n * 4);
        for (size_t i = 0; i < nx; i++)
            x[i] = (float)(int)(kc_rand(t) % 13) - 6;
        if (kc_pick(t, "odd", 0, 1) != 0) kc_fill_special(t, x, nx);
        c.x = x;
        c.leaf = kc_out(t, n * 4, 4);
        for (size_t i = 0; i < n; i++)
            want[i] =
                walk(&f, f.roots[c.first + i / c.rows], x + i % c.rows * c.ldx);
        if (!kc_call(t, thunk, &c)) return;
        if (!kc_same(t, "leaf", c.leaf, want, n, 4)) return;
    }
}

/* Complete trees over 28 features, random data: no branch is predictable. */
static void bench(kc *t, const row *r, size_t n_trees, int depth, size_t rows,
                  const char *label)
{
    const size_t per_tree = ((size_t)2 << depth) - 1, inner = per_tree / 2;
    forest f = {.n_trees = n_trees, .n_nodes = n_trees * per_tree};
    f.nodes = kc_own(t, f.n_nodes * sizeof *f.nodes);
    f.roots = kc_own(t, n_trees * sizeof *f.roots);
    for (size_t i = 0; i < f.n_nodes; i++) {
        const size_t k = i % per_tree, base = i - k;
        f.nodes[i] = (tni_tree_source_node){(float)kc_normal(t),
                                            (int32_t)(kc_rand(t) % 28),
                                            (int32_t)(base + 2 * k + 1),
                                            (int32_t)(base + 2 * k + 2),
                                            k < inner ? TNI_TREE_TEST_LEQ
                                                      : TNI_TREE_TEST_LEAF,
                                            false};
        if (k == 0) f.roots[i / per_tree] = (int32_t)i;
    }
    size_t size = 0;
    call c = {.fn = r->fn, .ldx = 28, .rows = rows, .last = n_trees};
    if (!tni_tree_pack_size(&size, f.n_nodes, n_trees) ||
        !tni_tree_pack_build(&c.pack, kc_own(t, size), &f, fetch, f.n_nodes,
                             f.roots, n_trees))
        return;
    float *x = kc_own(t, rows * 28 * 4);
    kc_fill_normal(t, x, rows * 28);
    c.x = x;
    c.leaf = kc_own(t, rows * n_trees * 4);
    /* A step of a walk counts as one operation. */
    kc_bench(t, label, (double)(rows * n_trees) * depth, (double)size, thunk,
             &c);
}

void kc_family_tree(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *r = &table[i];
        if (!kc_begin(t, r->name, r->isa)) continue;
        check(t, r);
        if (!kc_bench_begin(t)) continue;
        bench(t, r, 100, 6, 1, "T=100 D=6 rows=1");
        bench(t, r, 100, 6, 1000, "T=100 D=6 rows=1000");
    }
}
