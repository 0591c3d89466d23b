/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forest_pack.c - decision trees laid out for the kernel, and sums by them
 *
 * Numeric: every row's sums go tree by tree, so that blocks do not change a
 *          bit. Where all weights are floats they are added as floats, which
 *          is what a sum in double rounded to float is.
 */
#include "ops/forest.h"

#include "base/checked.h"

#include <string.h>

/* --- building ---------------------------------------------------------- */

typedef struct layout {
    size_t trees, targets, seen, size; /* the pack comes first */
} layout;

static bool place(layout *l, const tni_forest *f)
{
    size_t bytes = 0, at = 0;
    if (f->wide || !tni_align_up(sizeof(tni_forest_pack), TNI_ALIGN, &l->trees))
        return false;
    if (!tni_tree_pack_size(&bytes, (size_t)f->n_nodes, (size_t)f->n_roots) ||
        !tni_add_size(l->trees, bytes, &l->targets) ||
        !tni_mul_size((size_t)f->n_roots, sizeof(int32_t), &bytes) ||
        !tni_add_size(l->targets, bytes, &at))
        return false;
    l->seen = at;
    return tni_add_size(at, (size_t)f->n_targets, &l->size);
}

bool tni_forest_pack_size(size_t *size, const tni_forest *f)
{
    layout l;
    if (!place(&l, f)) return false;
    *size = l.size;
    return true;
}

static tni_tree_source_node fetch(const void *ctx, int32_t i)
{
    static const tni_tree_test tests[] = {
        [TNI_TREE_LEQ] = TNI_TREE_TEST_LEQ,
        [TNI_TREE_LT] = TNI_TREE_TEST_LT,
        [TNI_TREE_GTE] = TNI_TREE_TEST_GTE,
        [TNI_TREE_GT] = TNI_TREE_TEST_GT,
        [TNI_TREE_EQ] = TNI_TREE_TEST_OTHER,
        [TNI_TREE_NEQ] = TNI_TREE_TEST_OTHER,
        [TNI_TREE_MEMBER] = TNI_TREE_TEST_OTHER,
        [TNI_TREE_LEAF] = TNI_TREE_TEST_LEAF,
    };
    const tni_forest *f = ctx;
    const tni_forest_node *n = &f->nodes[i];
    return (tni_tree_source_node){(float)n->value, n->feature,    n->yes, n->no,
                                  tests[n->mode],  n->missing_yes};
}

/* The bits of a leaf's only weight. */
static int32_t weight_bits(const void *ctx, int32_t i)
{
    const tni_forest *f = ctx;
    const float w = (float)f->weights[f->nodes[i].yes].value;
    int32_t bits;
    memcpy(&bits, &w, sizeof bits);
    return bits;
}

/* Whether all leaves have one float for the same target, which is put down. */
static bool plain_tree(const tni_forest *f, const tni_tree *t, int32_t *target)
{
    *target = -1;
    for (int32_t i = 0; i < t->n_nodes; i++) {
        if (!tni_tree_is_leaf(t, i)) continue;
        const tni_forest_node *leaf = &f->nodes[t->source[i]];
        if (leaf->no != 1) return false;
        const tni_forest_weight *w = &f->weights[leaf->yes];
        const double as_float = (double)(float)w->value;
        if (w->target > INT32_MAX || memcmp(&as_float, &w->value, 8) != 0 ||
            (*target >= 0 && *target != w->target))
            return false;
        *target = (int32_t)w->target;
    }
    return true;
}

void tni_forest_pack_build(tni_forest_pack *p, const tni_forest *f)
{
    layout l;
    char *base = (char *)p;
    memset(p, 0, sizeof *p);
    if (!place(&l, f) || !tni_tree_pack_build(&p->trees, base + l.trees, f,
                                              fetch, (size_t)f->n_nodes,
                                              f->roots, (size_t)f->n_roots)) {
        p->trees.n_trees = 0;
        return;
    }
    p->targets = (void *)(base + l.targets);
    p->seen = (void *)(base + l.seen);
    memset(p->seen, 0, (size_t)f->n_targets * sizeof *p->seen);
    p->plain = f->sum == TNI_TREE_SUM || f->sum == TNI_TREE_AVERAGE;
    for (size_t i = 0; p->plain && i < p->trees.n_trees; i++) {
        p->plain = plain_tree(f, &p->trees.trees[i], &p->targets[i]);
        if (p->plain) p->seen[p->targets[i]] = true;
    }
    if (p->plain) tni_tree_pack_label(&p->trees, f, weight_bits);
}

/* --- summing ----------------------------------------------------------- */

/* Leaves of trees [first, last) are weights. */
static void add_weights(const tni_forest_pack *p, const int32_t *leaves,
                        size_t rows, size_t first, size_t last, float *sums)
{
    for (size_t k = first; k < last; k++) {
        float *to = sums + (size_t)p->targets[k] * TNI_FOREST_ROWS;
        for (size_t r = 0; r < rows; r++) {
            float w;
            memcpy(&w, leaves + (k - first) * rows + r, sizeof w);
            to[r] += w;
        }
    }
}

static void put_scores(const tni_forest_task *t, const float *sums, size_t rows,
                       tni_tree_score *scores)
{
    const size_t n = (size_t)t->f->n_targets;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++)
            scores[r * n + i] = (tni_tree_score){
                (double)sums[i * TNI_FOREST_ROWS + r], t->pack->seen[i]};
}

void tni_forest_block_scores(const tni_forest_task *t, const float *x,
                             size_t rows, tni_tree_score *scores,
                             int32_t *leaves, float *sums)
{
    const tni_forest *f = t->f;
    const tni_forest_pack *p = t->pack;
    const size_t n = (size_t)f->n_targets, trees = p->trees.n_trees;
    memset(scores, 0, rows * n * sizeof *scores);
    memset(sums, 0, n * TNI_FOREST_ROWS * sizeof *sums);
    for (size_t first = 0; first < trees; first += TNI_FOREST_TREES) {
        const size_t last =
            trees - first < TNI_FOREST_TREES ? trees : first + TNI_FOREST_TREES;
        t->leaves(&p->trees, x, (size_t)t->features, rows, first, last, leaves);
        if (p->plain) {
            add_weights(p, leaves, rows, first, last, sums);
            continue;
        }
        for (size_t k = 0; k < last - first; k++)
            for (size_t r = 0; r < rows; r++)
                tni_forest_sum_leaf(f, &f->nodes[leaves[k * rows + r]],
                                    scores + r * n);
    }
    if (p->plain) put_scores(t, sums, rows, scores);
}
