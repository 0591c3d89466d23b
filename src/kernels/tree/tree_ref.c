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

/* Eight rows down one tree; at[] stays in registers. Every fourth step looks
 * whether all have arrived: trees are seldom as deep everywhere. */
TN_INLINE void rows_walk(const tni_tree *t, const float *x, size_t ldx,
                         bool nan, int32_t *leaf)
{
    const tni_tree_node *const nodes = t->nodes;
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0;
    const float *const x1 = x + ldx, *const x2 = x1 + ldx, *const x3 = x2 + ldx;
    const float *const x4 = x3 + ldx, *const x5 = x4 + ldx,
                       *const x6 = x5 + ldx;
    const float *const x7 = x6 + ldx;
    for (int32_t d = 0; d < t->depth; d++) {
        const uint32_t b0 = step(nodes[a0], x, nan);
        const uint32_t b1 = step(nodes[a1], x1, nan);
        const uint32_t b2 = step(nodes[a2], x2, nan);
        const uint32_t b3 = step(nodes[a3], x3, nan);
        const uint32_t b4 = step(nodes[a4], x4, nan);
        const uint32_t b5 = step(nodes[a5], x5, nan);
        const uint32_t b6 = step(nodes[a6], x6, nan);
        const uint32_t b7 = step(nodes[a7], x7, nan);
        const uint32_t moved = (a0 ^ b0) | (a1 ^ b1) | (a2 ^ b2) | (a3 ^ b3) |
                               (a4 ^ b4) | (a5 ^ b5) | (a6 ^ b6) | (a7 ^ b7);
        a0 = b0;
        a1 = b1;
        a2 = b2;
        a3 = b3;
        a4 = b4;
        a5 = b5;
        a6 = b6;
        a7 = b7;
        if ((d & 3) == 3 && moved == 0) break;
    }
    leaf[0] = t->source[a0];
    leaf[1] = t->source[a1];
    leaf[2] = t->source[a2];
    leaf[3] = t->source[a3];
    leaf[4] = t->source[a4];
    leaf[5] = t->source[a5];
    leaf[6] = t->source[a6];
    leaf[7] = t->source[a7];
}

/* One row down eight trees. */
TN_INLINE void trees_walk(const tni_tree *t, const float *x, bool nan,
                          int32_t *leaf, size_t leaf_step)
{
    uint32_t at[lanes] = {0};
    int32_t depth = 0;
    for (int k = 0; k < lanes; k++)
        if (t[k].depth > depth) depth = t[k].depth;
    for (int32_t d = 0; d < depth; d++) {
        uint32_t moved = 0;
        for (int k = 0; k < lanes; k++) {
            const uint32_t next = step(t[k].nodes[at[k]], x, nan);
            moved |= next ^ at[k];
            at[k] = next;
        }
        if ((d & 3) == 3 && moved == 0) break;
    }
    for (int k = 0; k < lanes; k++)
        leaf[(size_t)k * leaf_step] = t[k].source[at[k]];
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
