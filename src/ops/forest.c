/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forest.c - decision trees: building, walking and summing them
 *
 * Thresholds and weights are kept as doubles. That is exact for models in
 * float: a comparison of two floats is the same in double, and a sum of two
 * floats rounded to double and then to float is the float sum.
 */
#include "ops/forest.h"

#include "base/checked.h"

#include <string.h>

/* --- attributes -------------------------------------------------------- */

double tni_real(const tni_reals *r, int64_t i)
{
    if (r->f32 != NULL) return (double)r->f32[i];
    if (r->f64 != NULL) return r->f64[i];
    return tni_get_f64(r->tensor, i);
}

tn_status tni_reals_read(tni_reals *r, const tni_node *node, const char *floats,
                         const char *tensor, tn_err *err)
{
    memset(r, 0, sizeof *r);
    const tni_tensor *t = tni_attr_tensor(node, tensor);
    if (t != NULL && t->len > 0) {
        if (!tni_is_float(t->dtype))
            return tni_fail(err, TN_EINVAL, "%s is %s", tensor,
                            tn_dtype_name(t->dtype));
        r->n = t->len;
        if (t->dtype == TN_F32)
            r->f32 = t->data;
        else if (t->dtype == TN_F64)
            r->f64 = t->data;
        else
            r->tensor = t;
        return TN_OK;
    }
    int n = 0;
    if (floats != NULL) r->f32 = tni_attr_floats(node, floats, &n);
    r->n = n;
    return TN_OK;
}

/* --- memory ------------------------------------------------------------ */

typedef struct layout {
    size_t nodes, weights, roots, members, size;
} layout;

static bool place(layout *l, int64_t n_nodes, int64_t n_weights,
                  int64_t n_members)
{
    size_t part[4], at = 0, bytes;
    const size_t elem[4] = {sizeof(tni_forest_node), sizeof(tni_forest_weight),
                            sizeof(double), sizeof(int32_t)};
    const int64_t n[4] = {n_nodes, n_weights, n_members, n_nodes};
    if (n_nodes > INT32_MAX || n_weights > INT32_MAX || n_members > INT32_MAX ||
        !tni_align_up(sizeof(tni_forest), TNI_ALIGN, &at))
        return false;
    for (int i = 0; i < 4; i++) {
        part[i] = at;
        if (!tni_mul_size((size_t)n[i], elem[i], &bytes) ||
            !tni_add_size(at, bytes, &at) || !tni_align_up(at, TNI_ALIGN, &at))
            return false;
    }
    *l = (layout){part[0], part[1], part[3], part[2], at};
    return true;
}

bool tni_forest_size(size_t *size, int64_t n_nodes, int64_t n_weights,
                     int64_t n_members)
{
    layout l;
    if (!place(&l, n_nodes, n_weights, n_members)) return false;
    *size = l.size;
    return true;
}

/* The parts of a block, while they may still be written. */
typedef struct parts {
    tni_forest *f;
    tni_forest_node *nodes;
    tni_forest_weight *weights;
    int32_t *roots;
    double *members;
} parts;

static tn_status open_block(parts *p, void *block, int64_t n_nodes,
                            int64_t n_weights, int64_t n_members, tn_err *err)
{
    layout l;
    if (!place(&l, n_nodes, n_weights, n_members))
        return tni_fail(err, TN_ELIMIT, "%lld nodes, %lld weights",
                        (long long)n_nodes, (long long)n_weights);
    char *base = block;
    p->f = block;
    p->nodes = (void *)(base + l.nodes);
    p->weights = (void *)(base + l.weights);
    p->roots = (void *)(base + l.roots);
    p->members = (void *)(base + l.members);
    memset(p->f, 0, sizeof *p->f);
    p->f->nodes = p->nodes;
    p->f->weights = p->weights;
    p->f->roots = p->roots;
    p->f->members = p->members;
    p->f->n_nodes = n_nodes;
    p->f->n_weights = n_weights;
    return TN_OK;
}

/* --- building ---------------------------------------------------------- */

/* (tree, node) numbers to positions: open addressing. */
typedef struct index {
    const int64_t *tree, *node;
    int32_t *slots;
    size_t mask;
} index_;

static size_t slot_of(const index_ *x, int64_t tree, int64_t node)
{
    uint64_t h = (uint64_t)tree * 0x9e3779b97f4a7c15u + (uint64_t)node;
    h ^= h >> 32;
    h *= 0xbf58476d1ce4e5b9u;
    size_t at = (size_t)(h ^ (h >> 29)) & x->mask;
    for (;; at = (at + 1) & x->mask) {
        const int32_t k = x->slots[at];
        if (k == 0 || (x->tree[k - 1] == tree && x->node[k - 1] == node))
            return at;
    }
}

static int32_t find_node(const index_ *x, int64_t tree, int64_t node)
{
    return x->slots[slot_of(x, tree, node)] - 1;
}

static tn_status make_index(index_ *x, const tni_forest_source *s,
                            tni_arena *temp, tn_err *err)
{
    size_t size = 8;
    while (size < (size_t)s->n_nodes * 2) size *= 2;
    x->tree = s->tree;
    x->node = s->node;
    x->mask = size - 1;
    x->slots = TNI_NEW_ARRAY(temp, int32_t, size);
    if (x->slots == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < s->n_nodes; i++) {
        const size_t at = slot_of(x, s->tree[i], s->node[i]);
        if (x->slots[at] != 0)
            return tni_fail(err, TN_EINVAL, "tree %lld has node %lld twice",
                            (long long)s->tree[i], (long long)s->node[i]);
        x->slots[at] = (int32_t)i + 1;
    }
    return TN_OK;
}

/* Every path must end: branches may meet again, but not turn back. */
static tn_status check_acyclic(const tni_forest *f, tni_arena *temp,
                               tn_err *err)
{
    enum { NEW, OPEN, DONE };
    uint8_t *state = TNI_NEW_ARRAY(temp, uint8_t, f->n_nodes + 1);
    int32_t *stack = TNI_NEW_ARRAY(temp, int32_t, f->n_nodes + 1);
    uint8_t *next = TNI_NEW_ARRAY(temp, uint8_t, f->n_nodes + 1);
    if (state == NULL || stack == NULL || next == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int64_t r = 0; r < f->n_roots; r++) {
        int64_t top = 0;
        stack[0] = f->roots[r];
        if (state[stack[0]] == DONE) continue;
        state[stack[0]] = OPEN;
        while (top >= 0) {
            const int32_t i = stack[top];
            const tni_forest_node *n = &f->nodes[i];
            if (n->mode == TNI_TREE_LEAF || next[i] == 2) {
                state[i] = DONE;
                top--;
                continue;
            }
            const int32_t child = next[i]++ == 0 ? n->yes : n->no;
            if (state[child] == OPEN)
                return tni_fail(err, TN_EINVAL,
                                "the branches of tree %lld form a cycle",
                                (long long)r);
            if (state[child] == NEW) {
                state[child] = OPEN;
                stack[++top] = child;
            }
        }
    }
    return TN_OK;
}

static tn_status parse_mode(uint8_t *mode, tn_string s, tn_err *err)
{
    static const char *const names[] = {
        [TNI_TREE_LEQ] = "BRANCH_LEQ", [TNI_TREE_LT] = "BRANCH_LT",
        [TNI_TREE_GTE] = "BRANCH_GTE", [TNI_TREE_GT] = "BRANCH_GT",
        [TNI_TREE_EQ] = "BRANCH_EQ",   [TNI_TREE_NEQ] = "BRANCH_NEQ",
        [TNI_TREE_MEMBER] = "",        [TNI_TREE_LEAF] = "LEAF",
    };
    for (int i = 0; i < TNI_COUNT(names); i++) {
        const tn_string want = {names[i], strlen(names[i])};
        if (want.len != 0 && tni_string_equal(s, want)) {
            *mode = (uint8_t)i;
            return TN_OK;
        }
    }
    return tni_fail(err, TN_EINVAL, "unknown node mode '%.*s'",
                    (int)(s.len < 32 ? s.len : 32), s.ptr);
}

static tn_status use_feature(tni_forest *f, tni_forest_node *n, int64_t feature,
                             tn_err *err)
{
    if (feature < 0 || feature >= INT32_MAX)
        return tni_fail(err, TN_EINVAL, "feature %lld", (long long)feature);
    n->feature = (int32_t)feature;
    if (feature >= f->n_features) f->n_features = feature + 1;
    return TN_OK;
}

static tn_status fill_nodes(parts *p, const tni_forest_source *s,
                            const index_ *x, tn_err *err)
{
    for (int64_t i = 0; i < s->n_nodes; i++) {
        tni_forest_node *n = &p->nodes[i];
        memset(n, 0, sizeof *n);
        TN_TRY(parse_mode(&n->mode, s->modes[i], err));
        if (n->mode == TNI_TREE_LEAF) continue;
        n->value = tni_real(&s->values, i);
        n->missing_yes = s->missing != NULL && s->missing[i] == 1;
        TN_TRY(use_feature(p->f, n, s->feature[i], err));
        n->yes = find_node(x, s->tree[i], s->yes[i]);
        n->no = find_node(x, s->tree[i], s->no[i]);
        if (n->yes < 0 || n->no < 0)
            return tni_fail(err, TN_EINVAL,
                            "node %lld of tree %lld leads to no node",
                            (long long)s->node[i], (long long)s->tree[i]);
    }
    for (int64_t i = 0; i < s->n_nodes; i++)
        if (i == 0 || s->tree[i] != s->tree[i - 1])
            p->roots[p->f->n_roots++] = (int32_t)i;
    return TN_OK;
}

/* Weights in the order of their leaves, within a leaf in the given order. */
static tn_status fill_weights(parts *p, const tni_forest_source *s,
                              const index_ *x, tni_arena *temp, tn_err *err)
{
    int32_t *leaf = TNI_NEW_ARRAY(temp, int32_t, s->n_weights + 1);
    if (leaf == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < s->n_weights; i++) {
        leaf[i] = find_node(x, s->weight_tree[i], s->weight_node[i]);
        if (leaf[i] < 0)
            return tni_fail(err, TN_EINVAL,
                            "a weight belongs to node %lld of tree %lld, "
                            "which does not exist",
                            (long long)s->weight_node[i],
                            (long long)s->weight_tree[i]);
        if (s->weight_target[i] < 0 || s->weight_target[i] >= s->n_targets)
            return tni_fail(err, TN_EINVAL, "target %lld outside [0, %lld)",
                            (long long)s->weight_target[i],
                            (long long)s->n_targets);
        if (p->nodes[leaf[i]].mode == TNI_TREE_LEAF) p->nodes[leaf[i]].no++;
    }
    int32_t at = 0;
    for (int64_t i = 0; i < s->n_nodes; i++) {
        if (p->nodes[i].mode != TNI_TREE_LEAF) continue;
        p->nodes[i].yes = at;
        at += p->nodes[i].no;
        p->nodes[i].no = 0;
    }
    for (int64_t i = 0; i < s->n_weights; i++) {
        tni_forest_node *n = &p->nodes[leaf[i]];
        if (n->mode != TNI_TREE_LEAF) continue;
        p->weights[n->yes + n->no++] =
            (tni_forest_weight){tni_real(&s->weights, i), s->weight_target[i]};
    }
    return TN_OK;
}

static tn_status build(tni_forest **out, void *block,
                       const tni_forest_source *s, tni_arena *temp, tn_err *err)
{
    parts p;
    index_ x;
    TN_TRY(open_block(&p, block, s->n_nodes, s->n_weights, 0, err));
    p.f->n_targets = s->n_targets;
    TN_TRY(make_index(&x, s, temp, err));
    TN_TRY(fill_nodes(&p, s, &x, err));
    TN_TRY(fill_weights(&p, s, &x, temp, err));
    TN_TRY(check_acyclic(p.f, temp, err));
    *out = p.f;
    return TN_OK;
}

tn_status tni_forest_build(tni_forest **out, void *block,
                           const tni_forest_source *s, tni_arena *temp,
                           tn_err *err)
{
    const tni_arena_mark mark = tni_arena_save(temp);
    const tn_status status = build(out, block, s, temp, err);
    tni_arena_rewind(temp, mark);
    return status;
}

static tn_status read_ints(const tni_node *node, const char *prefix,
                           const char *name, int64_t *n, const int64_t **out,
                           tn_err *err)
{
    char full[48];
    int got = 0;
    size_t at = 0;
    while (*prefix != '\0' && at + 1 < sizeof full) full[at++] = *prefix++;
    while (*name != '\0' && at + 1 < sizeof full) full[at++] = *name++;
    full[at] = '\0';
    *out = tni_attr_ints(node, full, &got);
    if (*n < 0) *n = got;
    if (got != *n)
        return tni_fail(err, TN_EINVAL, "%s has %d entries, expected %lld",
                        full, got, (long long)*n);
    return TN_OK;
}

tn_status tni_forest_read(tni_forest_source *s, const tni_node *node,
                          const char *prefix, int64_t n_targets, tn_err *err)
{
    memset(s, 0, sizeof *s);
    s->n_targets = n_targets;
    s->n_nodes = s->n_weights = -1;
    int64_t *n = &s->n_nodes, *w = &s->n_weights;
    TN_TRY(read_ints(node, "nodes_", "treeids", n, &s->tree, err));
    TN_TRY(read_ints(node, "nodes_", "nodeids", n, &s->node, err));
    TN_TRY(read_ints(node, "nodes_", "featureids", n, &s->feature, err));
    TN_TRY(read_ints(node, "nodes_", "truenodeids", n, &s->yes, err));
    TN_TRY(read_ints(node, "nodes_", "falsenodeids", n, &s->no, err));
    if (tni_attr_find(node, "nodes_missing_value_tracks_true") != NULL) {
        int got = 0;
        s->missing =
            tni_attr_ints(node, "nodes_missing_value_tracks_true", &got);
        /* An empty list is the same as none. */
        if (got == 0)
            s->missing = NULL;
        else if (got != *n)
            return tni_fail(err, TN_EINVAL,
                            "nodes_missing_value_tracks_true has %d entries, "
                            "expected %lld",
                            got, (long long)*n);
    }
    int n_modes = 0;
    s->modes = tni_attr_strings(node, "nodes_modes", &n_modes);
    TN_TRY(tni_reals_read(&s->values, node, "nodes_values",
                          "nodes_values_as_tensor", err));
    TN_TRY(read_ints(node, prefix, "_ids", w, &s->weight_target, err));
    TN_TRY(read_ints(node, prefix, "_treeids", w, &s->weight_tree, err));
    TN_TRY(read_ints(node, prefix, "_nodeids", w, &s->weight_node, err));
    const bool classes = prefix[0] == 'c';
    TN_TRY(tni_reals_read(
        &s->weights, node, classes ? "class_weights" : "target_weights",
        classes ? "class_weights_as_tensor" : "target_weights_as_tensor", err));
    if (*n < 1 || n_modes != *n || s->values.n != *n || s->weights.n != *w ||
        n_targets < 1)
        return tni_fail(err, TN_EINVAL,
                        "%lld nodes with %d modes and %lld values, %lld leaf "
                        "entries with %lld weights, %lld targets",
                        (long long)*n, n_modes, (long long)s->values.n,
                        (long long)*w, (long long)s->weights.n,
                        (long long)n_targets);
    return TN_OK;
}

/* --- TreeEnsemble-5 ----------------------------------------------------- */

typedef struct source5 {
    int n, n_leaves, n_roots;
    const int64_t *feature, *yes, *no, *yes_leaf, *no_leaf, *missing;
    const int64_t *target, *roots;
    const uint8_t *modes;
    tni_reals splits, weights, members;
    int64_t n_targets;
} source5;

static tn_status ints_of(const tni_node *node, const char *name, int n,
                         const int64_t **out, tn_err *err)
{
    int got = 0;
    *out = tni_attr_ints(node, name, &got);
    if (got != n)
        return tni_fail(err, TN_EINVAL, "%s has %d entries, expected %d", name,
                        got, n);
    return TN_OK;
}

static tn_status read5(source5 *s, const tni_node *node, tn_err *err)
{
    memset(s, 0, sizeof *s);
    s->feature = tni_attr_ints(node, "nodes_featureids", &s->n);
    s->target = tni_attr_ints(node, "leaf_targetids", &s->n_leaves);
    s->roots = tni_attr_ints(node, "tree_roots", &s->n_roots);
    s->n_targets = tni_attr_int(node, "n_targets", 1);
    TN_TRY(ints_of(node, "nodes_truenodeids", s->n, &s->yes, err));
    TN_TRY(ints_of(node, "nodes_falsenodeids", s->n, &s->no, err));
    TN_TRY(ints_of(node, "nodes_trueleafs", s->n, &s->yes_leaf, err));
    TN_TRY(ints_of(node, "nodes_falseleafs", s->n, &s->no_leaf, err));
    int n_missing = 0;
    s->missing =
        tni_attr_ints(node, "nodes_missing_value_tracks_true", &n_missing);
    TN_TRY(tni_reals_read(&s->splits, node, NULL, "nodes_splits", err));
    TN_TRY(tni_reals_read(&s->weights, node, NULL, "leaf_weights", err));
    TN_TRY(tni_reals_read(&s->members, node, NULL, "membership_values", err));
    const tni_tensor *modes = tni_attr_tensor(node, "nodes_modes");
    if (modes == NULL || modes->dtype != TN_U8 || modes->len != s->n ||
        s->splits.n != s->n || s->weights.n != s->n_leaves || s->n < 1 ||
        s->n_roots < 1 || s->n_roots > s->n || s->n_targets < 1 ||
        (n_missing != 0 && n_missing != s->n))
        return tni_fail(err, TN_EINVAL,
                        "nodes_modes, nodes_splits, leaf_weights, tree_roots "
                        "or n_targets do not fit the %d nodes and %d leaves",
                        s->n, s->n_leaves);
    if (n_missing == 0) s->missing = NULL;
    s->modes = modes->data;
    return TN_OK;
}

tn_status tni_forest5_counts(const tni_node *node, int64_t *n_nodes,
                             int64_t *n_weights, int64_t *n_members,
                             tn_err *err)
{
    source5 s;
    TN_TRY(read5(&s, node, err));
    *n_nodes = (int64_t)s.n + s.n_leaves;
    *n_weights = s.n_leaves;
    /* A member node keeps its set's size in front of the set. */
    *n_members = s.members.n + s.n;
    return TN_OK;
}

static tn_status child5(int32_t *to, const source5 *s, int64_t id, bool leaf,
                        tn_err *err)
{
    if (id < 0 || id >= (leaf ? s->n_leaves : s->n))
        return tni_fail(err, TN_EINVAL, "a branch leads to %s %lld",
                        leaf ? "leaf" : "node", (long long)id);
    *to = (int32_t)(leaf ? s->n + id : id);
    return TN_OK;
}

tn_status tni_forest5_build(tni_forest **out, void *block, const tni_node *node,
                            tni_arena *temp, tn_err *err)
{
    source5 s;
    parts p;
    TN_TRY(read5(&s, node, err));
    TN_TRY(open_block(&p, block, (int64_t)s.n + s.n_leaves, s.n_leaves,
                      s.members.n + s.n, err));
    p.f->n_targets = s.n_targets;
    int64_t set = 0, at = 0;
    for (int i = 0; i < s.n; i++) {
        tni_forest_node *n = &p.nodes[i];
        memset(n, 0, sizeof *n);
        if (s.modes[i] > TNI_TREE_MEMBER)
            return tni_fail(err, TN_EINVAL, "unknown node mode %d", s.modes[i]);
        n->mode = s.modes[i];
        n->value = tni_real(&s.splits, i);
        n->missing_yes = s.missing != NULL && s.missing[i] == 1;
        TN_TRY(use_feature(p.f, n, s.feature[i], err));
        TN_TRY(child5(&n->yes, &s, s.yes[i], s.yes_leaf[i] != 0, err));
        TN_TRY(child5(&n->no, &s, s.no[i], s.no_leaf[i] != 0, err));
        if (n->mode != TNI_TREE_MEMBER) continue;
        /* Sets follow one another, NaN between them. */
        const int64_t head = set++;
        while (at < s.members.n) {
            const double v = tni_real(&s.members, at++);
            if (v != v) break;
            p.members[set++] = v;
        }
        p.members[head] = (double)(set - head - 1);
        n->value = (double)head;
    }
    for (int i = 0; i < s.n_leaves; i++) {
        tni_forest_node *n = &p.nodes[s.n + i];
        memset(n, 0, sizeof *n);
        n->mode = TNI_TREE_LEAF;
        n->yes = i;
        n->no = 1;
        if (s.target[i] < 0 || s.target[i] >= s.n_targets)
            return tni_fail(err, TN_EINVAL, "target %lld outside [0, %lld)",
                            (long long)s.target[i], (long long)s.n_targets);
        p.weights[i] =
            (tni_forest_weight){tni_real(&s.weights, i), s.target[i]};
    }
    for (int i = 0; i < s.n_roots; i++)
        TN_TRY(child5(&p.roots[i], &s, s.roots[i], false, err));
    p.f->n_roots = s.n_roots;
    const tni_arena_mark mark = tni_arena_save(temp);
    const tn_status status = check_acyclic(p.f, temp, err);
    tni_arena_rewind(temp, mark);
    *out = p.f;
    return status;
}

/* --- walking ----------------------------------------------------------- */

static bool is_member(const double *set, double v)
{
    const int64_t n = (int64_t)set[0];
    for (int64_t i = 1; i <= n; i++)
        if (set[i] == v) return true;
    return false;
}

static bool branch(const tni_forest *f, const tni_forest_node *n, double v)
{
    if (n->missing_yes && v != v) return true;
    switch ((tni_tree_mode)n->mode) {
    case TNI_TREE_LEQ: return v <= n->value;
    case TNI_TREE_LT: return v < n->value;
    case TNI_TREE_GTE: return v >= n->value;
    case TNI_TREE_GT: return v > n->value;
    case TNI_TREE_EQ: return v == n->value;
    case TNI_TREE_NEQ: return v != n->value;
    case TNI_TREE_MEMBER: return is_member(f->members + (int64_t)n->value, v);
    case TNI_TREE_LEAF: break;
    }
    return false;
}

static const tni_forest_node *leaf_of(const tni_forest *f, int32_t root,
                                      const void *x)
{
    const tni_forest_node *n = &f->nodes[root];
    if (f->wide) {
        const double *v = x;
        while (n->mode != TNI_TREE_LEAF)
            n = &f->nodes[branch(f, n, v[n->feature]) ? n->yes : n->no];
    } else {
        const float *v = x;
        while (n->mode != TNI_TREE_LEAF)
            n = &f->nodes[branch(f, n, (double)v[n->feature]) ? n->yes : n->no];
    }
    return n;
}

static double rounded(const tni_forest *f, double v)
{
    return f->wide ? v : (double)(float)v;
}

static void gather(const tni_forest *f, tni_tree_score *s, double w)
{
    if (!s->has)
        s->v = f->sum == TNI_TREE_MIN || f->sum == TNI_TREE_MAX
                   ? w
                   : rounded(f, s->v + w);
    else if (f->sum == TNI_TREE_MIN)
        s->v = w < s->v ? w : s->v;
    else if (f->sum == TNI_TREE_MAX)
        s->v = w > s->v ? w : s->v;
    else
        s->v = rounded(f, s->v + w);
    s->has = true;
}

void tni_forest_sum_leaf(const tni_forest *f, const tni_forest_node *leaf,
                         tni_tree_score *scores)
{
    const tni_forest_weight *w = f->weights + leaf->yes;
    for (int32_t i = 0; i < leaf->no; i++)
        gather(f, &scores[w[i].target], w[i].value);
}

void tni_forest_row(const tni_forest *f, const void *x, tni_tree_score *scores)
{
    memset(scores, 0, (size_t)f->n_targets * sizeof *scores);
    for (int64_t r = 0; r < f->n_roots; r++)
        tni_forest_sum_leaf(f, leaf_of(f, f->roots[r], x), scores);
}

void tni_forest_finish(const tni_forest *f, tni_tree_score *s, float *work)
{
    const bool has_base = f->base.n == f->n_targets;
    for (int64_t i = 0; i < f->n_targets; i++) {
        double v = s[i].has ? s[i].v : 0.0;
        if (f->sum == TNI_TREE_AVERAGE)
            v = rounded(f, v / rounded(f, (double)f->n_roots));
        /* Of many targets one that no leaf spoke of is 0, whatever its base
         * value, as in ONNX Runtime. */
        if (has_base && (s[i].has || f->n_targets == 1))
            v = rounded(f, v + tni_real(&f->base, i));
        s[i].v = v;
    }
    if (f->post == TNI_POST_NONE ||
        (f->n_targets == 1 && f->post != TNI_POST_PROBIT))
        return;
    /* The transforms are those of float scores for any dtype. */
    for (int64_t i = 0; i < f->n_targets; i++) work[i] = (float)s[i].v;
    tni_post_apply(f->post, work, f->n_targets);
    for (int64_t i = 0; i < f->n_targets; i++) s[i].v = (double)work[i];
}

/* --- operators --------------------------------------------------------- */

typedef struct space {
    size_t scores, work, sums, leaves, size;
} space;

static space worker_space(const tni_forest *f)
{
    const size_t n = (size_t)f->n_targets, mask = TNI_ALIGN - 1;
    space s = {0, n * TNI_FOREST_ROWS * sizeof(tni_tree_score), 0, 0, 0};
    s.sums = (s.work + (n + 1) * sizeof(float) + mask) & ~mask;
    s.leaves = (s.sums + n * TNI_FOREST_ROWS * sizeof(float) + mask) & ~mask;
    s.size = (s.leaves + TNI_FOREST_ROWS * TNI_FOREST_TREES * sizeof(int32_t) +
              mask) &
             ~mask;
    return s;
}

size_t tni_forest_scratch(const tni_forest *f, int n_workers)
{
    return worker_space(f).size * (size_t)n_workers;
}

static void run_blocks(void *ctx, size_t begin, size_t end, int worker)
{
    const tni_forest_task *t = ctx;
    const space at = worker_space(t->f);
    char *mine = (char *)t->scratch + (size_t)worker * at.size;
    tni_tree_score *scores = (void *)(mine + at.scores);
    float *work = (void *)(mine + at.work);
    float *sums = (void *)(mine + at.sums);
    int32_t *leaves = (void *)(mine + at.leaves);
    const size_t row_bytes =
        (size_t)t->features * (t->f->wide ? sizeof(double) : sizeof(float));
    for (size_t b = begin; b < end; b++) {
        const int64_t row = (int64_t)b * TNI_FOREST_ROWS;
        const int64_t n =
            t->n - row < TNI_FOREST_ROWS ? t->n - row : TNI_FOREST_ROWS;
        const char *x = (const char *)t->x + (size_t)row * row_bytes;
        if (t->pack != NULL)
            tni_forest_block_scores(t, (const float *)(const void *)x,
                                    (size_t)n, scores, leaves, sums);
        for (int64_t i = 0; i < n; i++) {
            tni_tree_score *s = scores;
            if (t->pack != NULL)
                s += i * t->f->n_targets;
            else
                tni_forest_row(t->f, x + (size_t)i * row_bytes, s);
            t->store(t, row + i, s, work);
        }
    }
}

void tni_forest_run(const tni_forest_task *t, const tni_par *par)
{
    const size_t tasks =
        ((size_t)t->n + TNI_FOREST_ROWS - 1) / (size_t)TNI_FOREST_ROWS;
    tni_par_for(par, tasks, run_blocks, (void *)(uintptr_t)t);
}

/* The rows as the forest wants them, in `to` unless they are that already. */
static const void *convert(const tni_forest *f, const tni_tensor *x, void *to)
{
    const int64_t n = x->len;
    if (x->dtype == (f->wide ? TN_F64 : TN_F32)) return x->data;
    if (f->wide) {
        for (int64_t i = 0; i < n; i++) ((double *)to)[i] = tni_get_f64(x, i);
        return to;
    }
    float *y = to;
    switch (x->dtype) {
    case TN_I64:
        for (int64_t i = 0; i < n; i++) y[i] = (float)TNI_CDATA(int64_t, x)[i];
        break;
    case TN_I32:
        for (int64_t i = 0; i < n; i++) y[i] = (float)TNI_CDATA(int32_t, x)[i];
        break;
    default:
        for (int64_t i = 0; i < n; i++) y[i] = (float)tni_get_f64(x, i);
        break;
    }
    return to;
}

static bool convert_size(size_t *size, const tni_forest *f, tn_dtype dtype,
                         int64_t len)
{
    const tn_dtype want = f->wide ? TN_F64 : TN_F32;
    *size = 0;
    return dtype == want || (tni_elems_size(size, want, len) &&
                             tni_align_up(*size, TNI_ALIGN, size));
}

static tn_status check_features(const tni_forest *f, int64_t features,
                                tn_err *err)
{
    if (f->n_features <= features) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "the trees look at feature %lld, the input has %lld",
                    (long long)f->n_features - 1, (long long)features);
}

tn_status tni_forest_ref(tni_ref *c, const tni_forest *f, const void *model,
                         tni_forest_store store)
{
    tni_forest_task t = {.f = f, .model = model, .store = store};
    for (int i = 0; i < c->n_out && i < 2; i++) t.out[i] = c->out[i];
    TN_TRY(tni_ml_rows(&t.n, &t.features, c->in[0], c->err));
    TN_TRY(check_features(f, t.features, c->err));
    size_t size = 0;
    if (!convert_size(&size, f, c->in[0]->dtype, c->in[0]->len))
        return tni_ref_nomem(c);
    void *rows = tni_ref_scratch(c, size);
    t.scratch =
        tni_ref_scratch(c, tni_forest_scratch(f, tni_par_workers(c->par)));
    if (rows == NULL || t.scratch == NULL) return tni_ref_nomem(c);
    t.x = convert(f, c->in[0], rows);
    tni_forest_run(&t, c->par);
    return TN_OK;
}

/* What plan leaves for run. */
typedef struct planned {
    const tni_forest *f;
    const void *model;
    tni_forest_store store;
    size_t convert_bytes;
    int64_t n, features;
    int n_out;
    const tni_forest_pack *pack;
    tni_tree_leaves_fn leaves;
} planned;

static void run(const tni_run *c)
{
    const planned *p = c->state;
    const tni_forest_task t = {
        .f = p->f,
        .model = p->model,
        .store = p->store,
        .out = {p->n_out > 0 ? c->out[0] : NULL,
                p->n_out > 1 ? c->out[1] : NULL},
        .x = convert(p->f, c->in[0], c->scratch),
        .n = p->n,
        .features = p->features,
        .scratch = (char *)c->scratch + p->convert_bytes,
        .pack = p->pack,
        .leaves = p->leaves,
    };
    tni_forest_run(&t, c->par);
}

/* Packs the trees for the kernel; *pack stays NULL where it cannot take them.
 */
static tn_status pack_trees(tni_plan *c, const tni_forest *f,
                            const tni_forest_pack **pack)
{
    size_t size = 0;
    bool fresh = false;
    *pack = NULL;
    if (c->kernels == NULL || c->kernels->tree.leaves == NULL ||
        !tni_forest_pack_size(&size, f))
        return TN_OK;
    tni_forest_pack *p = c->prepack(c, 1, size, &fresh);
    if (p == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    if (fresh) tni_forest_pack_build(p, f);
    if (p->trees.n_trees != 0) *pack = p;
    return TN_OK;
}

tn_status tni_forest_plan(tni_plan *c, const tni_forest *f, const void *model,
                          tni_forest_store store)
{
    planned *p = TNI_NEW(c->arena, planned);
    if (p == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const tni_type *x = c->in[0];
    int64_t len = 1;
    p->n = x->rank == 1 ? 1 : x->dims[0];
    p->features = 1;
    for (int i = x->rank == 1 ? 0 : 1; i < x->rank; i++)
        p->features *= x->dims[i];
    TN_TRY(check_features(f, p->features, c->err));
    if (!tni_mul_i64(p->n, p->features, &len) ||
        !convert_size(&p->convert_bytes, f, x->dtype, len))
        return tni_fail(c->err, TN_ELIMIT, "the input is too large");
    p->f = f;
    p->model = model;
    p->store = store;
    p->n_out = c->n_out;
    TN_TRY(pack_trees(c, f, &p->pack));
    if (p->pack != NULL) p->leaves = c->kernels->tree.leaves;
    c->state = p;
    c->scratch_bytes = p->convert_bytes + tni_forest_scratch(f, c->n_workers);
    c->run = run;
    return TN_OK;
}

tn_status tni_forest_block(tni_plan *c, size_t size, tni_forest **f,
                           bool *fresh)
{
    *f = c->prepack(c, 0, size, fresh);
    if (*f == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    if (*fresh) {
        memset(*f, 0, sizeof **f);
    } else if ((*f)->n_roots == 0) {
        return tni_fail(c->err, TN_EINVAL, "the trees could not be built");
    }
    return TN_OK;
}
