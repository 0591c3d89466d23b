/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_move_transpose.c - layout: push transposes down until they cancel
 *
 * Models converted from channels-last frameworks are full of pairs of
 * Transpose. Two in a row become one (or none), one that only moves extents of
 * 1 becomes a Reshape, and one before an elementwise operator moves behind it,
 * where it meets its partner.
 */
#include "passes/match.h"

#include <string.h>

/* The permutation of a Transpose of a value of known rank. */
static bool read_perm(const tni_node *node, int64_t *perm, int *rank)
{
    int n = 0;
    const int64_t *attr = tni_attr_ints(node, "perm", &n);
    *rank = node->in[0]->type.rank;
    if (*rank < 0 || *rank > TN_MAX_RANK || (attr != NULL && n != *rank))
        return false;
    for (int i = 0; i < *rank; i++) {
        perm[i] = attr != NULL ? attr[i] : *rank - 1 - i;
        if (perm[i] < 0 || perm[i] >= *rank) return false;
    }
    return true;
}

static tni_attr perm_attr(tni_pass_run *c, const int64_t *perm, int rank)
{
    tni_attr a = {.name = "perm", .kind = TNI_ATTR_INTS, .n = (size_t)rank};
    int64_t *copy = TNI_NEW_ARRAY(c->arena, int64_t, rank);
    if (copy != NULL) memcpy(copy, perm, (size_t)rank * sizeof *copy);
    a.v.ints = copy;
    return a;
}

/* Transpose(Transpose(x)) -> Transpose(x), whose identity another pass drops. */
static tn_status merge(tni_pass_run *c, tni_node *node)
{
    const tni_node *before = tni_match_from(node->in[0], "Transpose");
    int64_t p[TN_MAX_RANK], q[TN_MAX_RANK], both[TN_MAX_RANK];
    int rank = 0, rank2 = 0;
    if (before == NULL || !read_perm(before, p, &rank) ||
        !read_perm(node, q, &rank2) || rank != rank2)
        return TN_OK;
    for (int i = 0; i < rank; i++) both[i] = p[q[i]];
    const tni_attr a = perm_attr(c, both, rank);
    if (a.v.ints == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_value *x = before->in[0];
    return tni_pass_become(c, node, "", "Transpose", node->opset, &x, 1, &a, 1);
}

/* One whose extents above 1 keep their order moves no data. */
static tn_status as_reshape(tni_pass_run *c, tni_node *node)
{
    int64_t perm[TN_MAX_RANK];
    int rank = 0;
    tni_value *x = node->in[0];
    if (!tni_type_is_static(&x->type) || !read_perm(node, perm, &rank) ||
        rank == 0 || node->opset < 5)
        return TN_OK;
    int64_t last = -1;
    for (int i = 0; i < rank; i++) {
        if (x->type.dims[perm[i]] == 1) continue;
        if (perm[i] < last) return TN_OK;
        last = perm[i];
    }
    tni_tensor *shape = TNI_NEW(c->arena, tni_tensor);
    const int64_t len = rank;
    if (shape == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(tni_tensor_alloc(shape, c->arena, TN_I64, 1, &len, c->err));
    for (int i = 0; i < rank; i++) {
        const int64_t d = x->type.dims[perm[i]];
        if (d == 0) return TN_OK; /* 0 means "copy" in a Reshape */
        TNI_DATA(int64_t, shape)[i] = d;
    }
    tni_value *const in[2] = {x, tni_graph_add_constant(c->graph, "", shape)};
    if (in[1] == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    return tni_pass_become(c, node, "", "Reshape", node->opset, in, 2, NULL, 0);
}

static bool is_unary(const tni_node *node)
{
    static const char *const ops[] = {
        "Relu", "Sigmoid", "Tanh",     "LeakyRelu", "Elu",         "Exp",
        "Log",  "Sqrt",    "Abs",      "Neg",       "HardSigmoid", "Erf",
        "Clip", "Cast",    "Softplus", "HardSwish", "Reciprocal",  "Floor",
        "Ceil", "Swish",   "Gelu",     "Mish"};
    if (node->domain[0] != '\0' || node->ver == NULL) return false;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(node->op_type, ops[i]) == 0) return true;
    return false;
}

/* An elementwise node with one tensor input and otherwise single numbers. */
static int moving_input(const tni_node *node)
{
    if (is_unary(node)) return 0;
    const bool binary =
        tni_match_op(node, "", "Add") || tni_match_op(node, "", "Sub") ||
        tni_match_op(node, "", "Mul") || tni_match_op(node, "", "Div");
    if (!binary || node->n_in != 2) return -1;
    for (int k = 0; k < 2; k++) {
        const tni_value *other = node->in[1 - k];
        if (node->in[k] != NULL && other != NULL && other->constant != NULL &&
            other->constant->len == 1 && node->in[k]->type.rank >= 0 &&
            other->type.rank <= node->in[k]->type.rank)
            return k;
    }
    return -1;
}

/* f(Transpose(x)) -> Transpose(f(x)): the two nodes swap their operations. */
static tn_status sink(tni_pass_run *c, tni_node *node)
{
    const int k = moving_input(node);
    if (k < 0 || node->out[0] == NULL) return TN_OK;
    tni_node *t = tni_match_only(node->in[k], "Transpose");
    int64_t perm[TN_MAX_RANK];
    int rank = 0;
    if (t == NULL || !read_perm(t, perm, &rank)) return TN_OK;
    tni_value *x = t->in[0], *middle = t->out[0];
    tni_value *in[4] = {NULL};
    if (node->n_in > 4) return TN_OK;
    for (int i = 0; i < node->n_in; i++) in[i] = node->in[i];
    in[k] = x;
    /* A binary node with constants of higher rank than 0 broadcasts alike. */
    const tni_attr a = perm_attr(c, perm, rank);
    if (a.v.ints == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const tni_node old = *node;
    const int t_opset = t->opset;
    TN_TRY(tni_pass_become(c, t, old.domain, old.op_type, old.opset, in,
                           old.n_in, old.attrs, old.n_attrs));
    const tn_dtype dtype = node->out[0]->type.dtype;
    middle->type = x->type;
    middle->type.dtype = dtype;
    const char *name = t->name;
    t->name = old.name;
    TN_TRY(
        tni_pass_become(c, node, "", "Transpose", t_opset, &middle, 1, &a, 1));
    node->name = name;
    return TN_OK;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    for (int i = 0; i < g->n_nodes; i++) {
        tni_node *node = g->nodes[i];
        if (tni_match_op(node, "", "Transpose")) {
            TN_TRY(merge(c, node));
            TN_TRY(as_reshape(c, node));
        } else if (node->index >= 0 && node->ver != NULL) {
            TN_TRY(sink(c, node));
        }
    }
    return TN_OK;
}

const tni_pass tni_pass_move_transpose = {
    .name = "move_transpose",
    .summary = "pushes transposes down until they cancel",
    .run = run,
};
