/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_ref.c - walks down decision trees in plain C: one by one, and by eights
 *
 * Interleaving pays on every processor and needs no vector instructions:
 * gathers are slower than eight scalar loads on most of them.
 */
#include "kernels/tree/tree.h"

enum { lanes = 8, rows_per_pass = 64 };

TN_INLINE uint32_t step(tni_tree_node n, const float *x, bool nan)
{
    const float v =
        x[n.link >> TNI_TREE_NEXT_BITS & (TNI_TREE_MAX_FEATURES - 1)];
    uint32_t second = v <= n.value;
    if (nan) second |= (uint32_t)(v != v) & n.link >> 31;
    return (n.link & TNI_TREE_NEXT_MASK) + second;
}

/* A leaf's link has feature 0 and no NaN bit, so that walking on from it reads
 * x[0] and stays. */
static int32_t walk(const tni_tree *t, const float *x, bool nan)
{
    uint32_t i = 0;
    for (;;) {
        const uint32_t next = step(t->nodes[i], x, nan);
        if (next == i) return t->source[i];
        i = next;
    }
}

static bool has_nan(const float *x, size_t n)
{
    uint32_t any = 0;
    for (size_t i = 0; i < n; i++) any |= (uint32_t)(x[i] != x[i]);
    return any != 0;
}

/* NaN needs two more operations a step, so it is looked for first. */
static bool meets_nan(const tni_tree_pack *p, const float *x, size_t ldx,
                      size_t rows)
{
    if (!p->any_nan) return false;
    for (size_t i = 0; i < rows; i++)
        if (has_nan(x + i * ldx, (size_t)p->n_features)) return true;
    return false;
}

void tni_tree_leaves_f32__ref(const tni_tree_pack *pack, const float *x,
                              size_t ldx, size_t rows, size_t first,
                              size_t last, int32_t *leaf)
{
    for (size_t t = first; t < last; t++)
        for (size_t i = 0; i < rows; i++)
            leaf[(t - first) * rows + i] =
                walk(&pack->trees[t], x + i * ldx, pack->any_nan);
}

/* Eight walks, each by its nodes n<k> and features x<k>, take a step; the
 * positions a<k> stay in registers, which an array's would not. */
#define EACH_WALK(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)
#define STEP(k)      a##k = step(n##k[a##k], x##k, nan);
#define STEP_SEEN(k)                                                           \
    {                                                                          \
        const uint32_t b = step(n##k[a##k], x##k, nan);                        \
        moved |= a##k ^ b;                                                     \
        a##k = b;                                                              \
    }
#define START(k) uint32_t a##k = 0;

/* Every fourth step looks whether all have arrived: trees are seldom as deep
 * everywhere. */
#define WALK(depth)                                                            \
    EACH_WALK(START)                                                           \
    int32_t d = (depth);                                                       \
    for (; d >= 4; d -= 4) {                                                   \
        uint32_t moved = 0;                                                    \
        EACH_WALK(STEP)                                                        \
        EACH_WALK(STEP)                                                        \
        EACH_WALK(STEP)                                                        \
        EACH_WALK(STEP_SEEN)                                                   \
        if (moved == 0) d = 4;                                                 \
    }                                                                          \
    for (; d > 0; d--) {                                                       \
        EACH_WALK(STEP)                                                        \
    }

/* Eight rows down one tree. */
TN_INLINE void rows_walk(const tni_tree *t, const float *x, size_t ldx,
                         bool nan, int32_t *leaf)
{
#define ROW(k)                                                                 \
    const tni_tree_node *const n##k = nodes;                                   \
    const float *const x##k = x + (k)*ldx;
#define PUT(k) leaf[k] = t->source[a##k];
    const tni_tree_node *const nodes = t->nodes;
    EACH_WALK(ROW)
    WALK(t->depth)
    EACH_WALK(PUT)
#undef ROW
#undef PUT
}

/* One row down eight trees. */
TN_INLINE void trees_walk(const tni_tree *t, const float *x, bool nan,
                          int32_t *leaf, size_t leaf_step)
{
#define TREE(k)                                                                \
    const tni_tree_node *const n##k = t[k].nodes;                              \
    const float *const x##k = x;                                               \
    if (t[k].depth > depth) depth = t[k].depth;
#define PUT(k) leaf[(k)*leaf_step] = t[k].source[a##k];
    int32_t depth = 0;
    EACH_WALK(TREE)
    WALK(depth)
    EACH_WALK(PUT)
#undef TREE
#undef PUT
}

/* A tree is used for all rows of a pass while it is in the nearest cache. */
TN_INLINE void pass(const tni_tree_pack *p, const float *x, size_t ldx,
                    size_t rows, size_t first, size_t last, bool nan,
                    int32_t *leaf, size_t leaf_step)
{
    const size_t whole = rows / lanes * lanes;
    for (size_t t = first; t < last && whole > 0; t++)
        for (size_t i = 0; i < whole; i += lanes)
            rows_walk(&p->trees[t], x + i * ldx, ldx, nan,
                      leaf + (t - first) * leaf_step + i);
    for (size_t i = whole; i < rows; i++) {
        const float *xi = x + i * ldx;
        size_t t = first;
        for (; t + lanes <= last; t += lanes)
            trees_walk(&p->trees[t], xi, nan,
                       leaf + (t - first) * leaf_step + i, leaf_step);
        for (; t < last; t++)
            leaf[(t - first) * leaf_step + i] = walk(&p->trees[t], xi, nan);
    }
}

void tni_tree_leaves_f32__ref_8x(const tni_tree_pack *pack, const float *x,
                                 size_t ldx, size_t rows, size_t first,
                                 size_t last, int32_t *leaf)
{
    for (size_t i = 0; i < rows; i += rows_per_pass) {
        const size_t n = rows - i < rows_per_pass ? rows - i : rows_per_pass;
        const float *xi = x + i * ldx;
        if (meets_nan(pack, xi, ldx, n))
            pass(pack, xi, ldx, n, first, last, true, leaf + i, rows);
        else
            pass(pack, xi, ldx, n, first, last, false, leaf + i, rows);
    }
}
