/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_layer_norm.c - recognise LayerNormalization spelled out
 *
 *     m = ReduceMean(x);  d = x - m;  v = ReduceMean(d^2)
 *     y = d / Sqrt(v + eps) * gamma + beta
 *
 * over the last axis, as exporters below opset 17 write it.
 */
#include "passes/match.h"

/* ReduceMean over the last axis alone, dimension kept. */
static bool is_last_mean(const tni_node *node)
{
    if (node == NULL || tni_attr_int(node, "keepdims", 1) == 0) return false;
    int64_t axis = 0;
    int n = 0;
    const int64_t *axes = tni_attr_ints(node, "axes", &n);
    if (node->n_in > 1 && node->in[1] != NULL) {
        double v = 0.0;
        if (!tni_match_scalar(&v, node->in[1])) return false;
        axis = (int64_t)v;
    } else if (n == 1) {
        axis = axes[0];
    } else {
        return false;
    }
    return axis == -1 ||
           (node->in[0]->type.rank > 0 && axis == node->in[0]->type.rank - 1);
}

/* The value whose square v is. */
static tni_value *square_of(const tni_value *v)
{
    const tni_node *pow_node = tni_match_only(v, "Pow");
    if (pow_node != NULL)
        return tni_match_number(pow_node->in[1], 2.0) ? pow_node->in[0] : NULL;
    const tni_node *mul = tni_match_only(v, "Mul");
    return mul != NULL && mul->in[0] == mul->in[1] ? mul->in[0] : NULL;
}

typedef struct found {
    tni_value *x, *gamma, *beta;
    double eps;
} found;

/* d / Sqrt(v + eps): fills x and eps. */
static bool match_normal(found *f, const tni_value *q)
{
    const tni_node *div = tni_match_only(q, "Div");
    if (div == NULL) return false;
    tni_value *d = div->in[0];
    const tni_node *root = tni_match_only(div->in[1], "Sqrt");
    const tni_node *add =
        root != NULL ? tni_match_only(root->in[0], "Add") : NULL;
    tni_value *v = NULL, *eps = NULL;
    if (add == NULL || !tni_match_with_const(add, &v, &eps) ||
        !tni_match_scalar(&f->eps, eps))
        return false;
    const tni_node *var = tni_match_only(v, "ReduceMean");
    if (!is_last_mean(var) || square_of(var->in[0]) != d) return false;
    const tni_node *sub = tni_match_from(d, "Sub");
    if (sub == NULL || sub->in[0] == NULL) return false;
    const tni_node *mean = tni_match_from(sub->in[1], "ReduceMean");
    if (!is_last_mean(mean) || mean->in[0] != sub->in[0]) return false;
    f->x = sub->in[0];
    return true;
}

static bool match_all(found *f, const tni_node *add)
{
    tni_value *scaled = NULL, *normal = NULL;
    if (!tni_match_with_const(add, &scaled, &f->beta)) return false;
    const tni_node *mul = tni_match_only(scaled, "Mul");
    if (mul == NULL || !tni_match_with_const(mul, &normal, &f->gamma) ||
        !match_normal(f, normal) || !tni_match_f32(f->x))
        return false;
    const int rank = f->x->type.rank;
    const int64_t extent = rank > 0 ? f->x->type.dims[rank - 1] : -1;
    const tni_tensor *g = f->gamma->constant, *b = f->beta->constant;
    return g->rank == 1 && b->rank == 1 && g->len == b->len && g->len == extent;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    const tni_op *op = tni_op_find("", "LayerNormalization");
    if (op == NULL) return TN_OK;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        tni_node *node = g->nodes[i];
        found f;
        if (!tni_match_op(node, "", "Add") || !match_all(&f, node)) continue;
        tni_value *const in[3] = {f.x, f.gamma, f.beta};
        const tni_attr attrs[2] = {tni_attr_of_int("axis", -1),
                                   tni_attr_of_float("epsilon", (float)f.eps)};
        TN_TRY(tni_pass_become(c, node, "", "LayerNormalization", 17, in, 3,
                               attrs, 2));
    }
    return TN_OK;
}

const tni_pass tni_pass_fuse_layer_norm = {
    .name = "fuse_layer_norm",
    .summary = "recognises LayerNormalization spelled out",
    .run = run,
};
