/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - lay out decision trees for interleaved walks */
#include "kernels/tree/tree.h"

#include "base/checked.h"
#include "tenon/base.h"

#include <math.h>
#include <string.h>

static const struct {
    uint32_t isa;
    tni_tree_leaves_fn fn;
} table[] = {
#define TN_TREE_KERNEL(isa, fn) {isa, fn},
#include "kernels/tree/tree.def"
#undef TN_TREE_KERNEL
};

void tni_tree_init(tni_tree_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~isa) == 0) k->leaves = table[i].fn;
}

typedef struct layout {
    size_t nodes, source, size; /* the trees come first */
} layout;

static bool place(layout *l, size_t n_nodes, size_t n_trees)
{
    size_t bytes = 0, at = 0;
    if (!tni_mul_size(n_trees, sizeof(tni_tree), &bytes) ||
        !tni_align_up(bytes, TNI_ALIGN, &at))
        return false;
    l->nodes = at;
    if (!tni_mul_size(n_nodes, sizeof(tni_tree_node), &bytes) ||
        !tni_add_size(at, bytes, &at) || !tni_align_up(at, TNI_ALIGN, &at))
        return false;
    l->source = at;
    if (!tni_mul_size(n_nodes, sizeof(int32_t), &bytes) ||
        !tni_add_size(at, bytes, &at) || !tni_align_up(at, TNI_ALIGN, &at))
        return false;
    l->size = at;
    return true;
}

bool tni_tree_pack_size(size_t *bytes, size_t n_nodes, size_t n_trees)
{
    layout l;
    if (!place(&l, n_nodes, n_trees)) return false;
    *bytes = l.size;
    return true;
}

/* A node as `go to second if x <= value or (nan_second and x is NaN)`. */
typedef struct step {
    float value;
    int32_t first, second;
    bool nan_second;
} step;

/* The float below v; nothing is below -infinity, and NaN says so. */
static float below(float v)
{
    return v == -INFINITY ? NAN : nextafterf(v, -INFINITY);
}

static bool to_step(step *s, const tni_tree_source_node *n)
{
    /* No x compares with NaN: all go to `no`, and a NaN where it belongs. */
    if (isnan(n->value) || n->test == TNI_TREE_TEST_LEQ ||
        n->test == TNI_TREE_TEST_LT) {
        *s = (step){n->value, n->no, n->yes, n->nan_yes};
        if (n->test == TNI_TREE_TEST_LT) s->value = below(n->value);
        return true;
    }
    *s = (step){n->value, n->yes, n->no, !n->nan_yes};
    if (n->test == TNI_TREE_TEST_GTE) s->value = below(n->value);
    return n->test == TNI_TREE_TEST_GTE || n->test == TNI_TREE_TEST_GT;
}

typedef struct builder {
    tni_tree_pack *pack;
    const void *ctx;
    tni_tree_fetch fetch;
    size_t n_nodes, used; /* of the source; written */
    tni_tree_node *nodes;
    int32_t *source;
} builder;

/* Breadth first: the list of nodes to come is the tree itself. */
static bool build_tree(builder *b, tni_tree *tree, int32_t root)
{
    tni_tree_node *nodes = b->nodes + b->used;
    int32_t *source = b->source + b->used;
    size_t count = 1, level_end = 1;
    const size_t room = b->n_nodes - b->used;
    *tree = (tni_tree){nodes, source, 0, 0};
    if (room < 1) return false;
    source[0] = root;
    for (size_t i = 0; i < count; i++) {
        if (i == level_end) {
            level_end = count;
            tree->depth++;
        }
        if (source[i] < 0 || (size_t)source[i] >= b->n_nodes) return false;
        const tni_tree_source_node n = b->fetch(b->ctx, source[i]);
        if (n.test == TNI_TREE_TEST_LEAF) {
            nodes[i] = (tni_tree_node){NAN, (uint32_t)i};
            continue;
        }
        step s;
        if (n.test == TNI_TREE_TEST_OTHER || !to_step(&s, &n) ||
            n.feature < 0 || n.feature >= TNI_TREE_MAX_FEATURES ||
            count + 2 > room || count + 2 > TNI_TREE_NEXT_MASK)
            return false;
        nodes[i].value = s.value;
        nodes[i].link = (uint32_t)count |
                        (uint32_t)n.feature << TNI_TREE_NEXT_BITS |
                        (s.nan_second ? TNI_TREE_NAN_BIT : 0);
        source[count++] = s.first;
        source[count++] = s.second;
        b->pack->any_nan |= s.nan_second;
        if (n.feature >= b->pack->n_features)
            b->pack->n_features = n.feature + 1;
    }
    tree->n_nodes = (int32_t)count;
    b->used += count;
    return true;
}

bool tni_tree_pack_build(tni_tree_pack *pack, void *memory, const void *ctx,
                         tni_tree_fetch fetch, size_t n_nodes,
                         const int32_t *roots, size_t n_trees)
{
    layout l;
    if (!place(&l, n_nodes, n_trees)) return false;
    memset(pack, 0, sizeof *pack);
    char *base = memory;
    tni_tree *trees = memory;
    builder b = {pack,
                 ctx,
                 fetch,
                 n_nodes,
                 0,
                 (void *)(base + l.nodes),
                 (void *)(base + l.source)};
    pack->trees = trees;
    pack->n_trees = n_trees;
    for (size_t i = 0; i < n_trees; i++)
        if (!build_tree(&b, &trees[i], roots[i])) return false;
    return true;
}

void tni_tree_pack_label(tni_tree_pack *pack, const void *ctx,
                         tni_tree_label label)
{
    for (size_t k = 0; k < pack->n_trees; k++) {
        const tni_tree *t = &pack->trees[k];
        int32_t *source = (int32_t *)(uintptr_t)t->source;
        for (int32_t i = 0; i < t->n_nodes; i++)
            if (tni_tree_is_leaf(t, i)) source[i] = label(ctx, source[i]);
    }
}
