/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - which leaf of each decision tree a row of f32 features falls into
 *
 * A walk down one tree waits for memory and for mispredicted branches at every
 * step. Here eight walks go on at once, eight rows down one tree or one row
 * down eight trees, without branches: the children of a node are neighbours,
 * so a step is `next + (x <= value)`, and a leaf leads to itself, so that all
 * walks take as many steps as the deepest.
 *
 * Shapes:  x[rows][features], row i at x + i * ldx -> leaf[trees][rows], the
 *          number that the source gave the leaf's node
 * Layout:  8 bytes a node: threshold; 1 bit "NaN counts as smaller", 11 bits
 *          feature, 20 bits position of the first child within its tree
 * Numeric: exact: comparisons of floats, as the node's mode has them
 * Aliases: none
 * Threads: any; a pack is immutable once built
 * Source:  ONNX ai.onnx.ml TreeEnsemble*; every comparison becomes <=:
 *          x < v is x <= the float below v, x > v and x >= v have their
 *          children swapped
 * Limit:   comparisons for equality and set membership, more than 2,048
 *          features or 2^20 nodes in a tree are refused: use a plain walk
 */
#ifndef TN_SRC_KERNELS_TREE_H
#define TN_SRC_KERNELS_TREE_H

#include "kernels/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tni_tree_test {
    TNI_TREE_TEST_LEQ,
    TNI_TREE_TEST_LT,
    TNI_TREE_TEST_GTE,
    TNI_TREE_TEST_GT,
    TNI_TREE_TEST_LEAF,
    TNI_TREE_TEST_OTHER
} tni_tree_test;

/* One node as a model describes it; yes and no are node numbers. */
typedef struct tni_tree_source_node {
    float value;
    int32_t feature, yes, no;
    tni_tree_test test;
    bool nan_yes; /* a NaN goes to yes; otherwise to no */
} tni_tree_source_node;

typedef struct tni_tree_node {
    float value;   /* NaN in a leaf: no x is <= NaN */
    uint32_t link; /* see Layout; a leaf's own position in a leaf */
} tni_tree_node;

typedef struct tni_tree {
    const tni_tree_node *nodes;
    const int32_t *source; /* source number of each node, or a leaf's label */
    int32_t depth;         /* steps to the deepest leaf */
    int32_t n_nodes;
} tni_tree;

typedef struct tni_tree_pack {
    const tni_tree *trees;
    size_t n_trees;
    int32_t n_features; /* largest feature used, plus one */
    bool any_nan;       /* some node sends a NaN to its second child */
} tni_tree_pack;

/* Bytes of a pack's memory, 64-byte aligned; false on overflow. */
bool tni_tree_pack_size(size_t *bytes, size_t n_nodes, size_t n_trees);

/* Fetches node number i of the source; the number is within range. */
typedef tni_tree_source_node (*tni_tree_fetch)(const void *ctx, int32_t i);

/* Builds into `memory` of tni_tree_pack_size(); false when the trees are
 * outside the limits above, or are no trees (a node has two parents). */
bool tni_tree_pack_build(tni_tree_pack *pack, void *memory, const void *ctx,
                         tni_tree_fetch fetch, size_t n_nodes,
                         const int32_t *roots, size_t n_trees);

/* What the kernels answer by in place of the number of a leaf's node, such as
 * the bits of its weight. Once for a pack, before it is used. */
typedef int32_t (*tni_tree_label)(const void *ctx, int32_t i);
void tni_tree_pack_label(tni_tree_pack *pack, const void *ctx,
                         tni_tree_label label);

/* Leaves of trees [first, last): leaf[(t - first) * rows + row]. */
typedef void (*tni_tree_leaves_fn)(const tni_tree_pack *pack, const float *x,
                                   size_t ldx, size_t rows, size_t first,
                                   size_t last, int32_t *leaf);

typedef struct tni_tree_kernels {
    tni_tree_leaves_fn leaves;
} tni_tree_kernels;

void tni_tree_init(tni_tree_kernels *k, uint32_t isa);

#define TN_TREE_KERNEL(isa, fn)                                                \
    void fn(const tni_tree_pack *pack, const float *x, size_t ldx,             \
            size_t rows, size_t first, size_t last, int32_t *leaf);
#include "kernels/tree/tree.def"
#undef TN_TREE_KERNEL

enum {
    TNI_TREE_NEXT_BITS = 20,
    TNI_TREE_NEXT_MASK = (1 << 20) - 1,
    TNI_TREE_MAX_FEATURES = 1 << 11
};
#define TNI_TREE_NAN_BIT 0x80000000u

/* Children come after their parent, a leaf leads to itself. */
static inline bool tni_tree_is_leaf(const tni_tree *t, int32_t i)
{
    return (t->nodes[i].link & TNI_TREE_NEXT_MASK) == (uint32_t)i;
}

#endif
