/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_attention.c - recognise Attention spelled out
 *
 *     Q = Transpose(Reshape(q));  K likewise;  V likewise
 *     S = Softmax(MatMul(Q, K^T) * scale + mask)
 *     y = Reshape(Transpose(MatMul(S, V)))
 *
 * over q, k, v[B, S, H * D], as exporters write it. Attention reads the heads
 * where they lie, so the transposes go, and the scores of a block of queries
 * never leave the cache. The node is tenon's, not ONNX's: of a row that the mask
 * takes away altogether Softmax makes NaN, and ONNX's Attention zeros.
 */
#include "passes/match.h"

#include <math.h>
#include <string.h>

/* The input of a Transpose with this permutation of four dimensions. */
static tni_value *moved(const tni_node *node, const int64_t *perm)
{
    int n = 0;
    const int64_t *p = node != NULL ? tni_attr_ints(node, "perm", &n) : NULL;
    if (p == NULL || n != 4 || memcmp(p, perm, 4 * sizeof *p) != 0) return NULL;
    return node->in[0];
}

/* Does a Reshape keep the first two extents? */
static bool keeps_two(const tni_node *node)
{
    const tni_value *shape = node->n_in > 1 ? node->in[1] : NULL;
    const tni_type *from = &node->in[0]->type;
    if (shape == NULL || shape->constant == NULL ||
        shape->constant->dtype != TN_I64 || shape->constant->len < 2 ||
        tni_attr_int(node, "allowzero", 0) != 0)
        return false;
    /* At most one is -1; that one follows from the others. */
    const int64_t *v = TNI_CDATA(int64_t, shape->constant);
    for (int i = 0; i < 2; i++)
        if (v[i] > 0 && v[i] != from->dims[i]) return false;
    return true;
}

/* One of q, k, v before it was cut into heads. */
typedef struct operand {
    tni_value *x; /* [B, S, heads * width] */
    int64_t heads, width;
} operand;

static bool match_operand(operand *o, const tni_value *v, const int64_t *perm)
{
    const tni_value *cut = moved(tni_match_from(v, "Transpose"), perm);
    const tni_node *reshape = tni_match_from(cut, "Reshape");
    if (reshape == NULL) return false;
    o->x = reshape->in[0];
    if (!tni_match_f32(o->x) || o->x->type.rank != 3 || cut->type.rank != 4 ||
        !keeps_two(reshape))
        return false;
    o->heads = cut->type.dims[2];
    o->width = cut->type.dims[3];
    return o->heads > 0 && o->width > 0 &&
           o->x->type.dims[2] == o->heads * o->width;
}

typedef struct found {
    operand q, k, v;
    tni_value *mask; /* NULL: none */
    double scale;
} found;

/* Extents equal in number or in symbol. */
static bool same_dim(int64_t a, int64_t b)
{
    return a == b && a != TNI_DIM_UNKNOWN;
}

/* True when adding the mask to scores like `to` does not enlarge them. Of the
 * last dimension tenon's Attention and the product with V see to that, unless
 * there is but one key. */
static bool is_mask(const tni_value *mask, const tni_type *to)
{
    const int rank = mask->type.rank;
    if (!tni_match_f32(mask) || rank < 1 || rank > 4) return false;
    for (int i = 0; i < rank - 1; i++) {
        const int64_t d = mask->type.dims[i];
        if (d != 1 && !same_dim(d, to->dims[4 - rank + i])) return false;
    }
    return to->dims[3] != 1 || mask->type.dims[rank - 1] == 1;
}

/* Q K^T times a constant, to which f->mask may be added. */
static bool match_scaled(found *f, const tni_value *x)
{
    static const int64_t as_q[4] = {0, 2, 1, 3}, as_k[4] = {0, 2, 3, 1};
    tni_value *inner = NULL, *constant = NULL;
    double by = 1.0;
    f->scale = 1.0;
    const tni_node *div = tni_match_only(x, "Div");
    const tni_node *mul = tni_match_only(x, "Mul");
    if (div != NULL) {
        if (!tni_match_scalar(&by, div->in[1]) || by == 0.0) return false;
        f->scale = 1.0 / by;
        x = div->in[0];
    } else if (mul != NULL) {
        if (!tni_match_with_const(mul, &inner, &constant) ||
            !tni_match_scalar(&f->scale, constant))
            return false;
        x = inner;
    }
    /* What no float holds is left to the nodes. */
    if (!isfinite((float)f->scale)) return false;
    const tni_node *product = tni_match_only(x, "MatMul");
    return product != NULL && x->type.rank == 4 &&
           match_operand(&f->q, product->in[0], as_q) &&
           match_operand(&f->k, product->in[1], as_k) &&
           (f->mask == NULL || is_mask(f->mask, &x->type));
}

/* The scores below Softmax: either input of Add may be the mask. */
static bool match_scores(found *f, const tni_value *x)
{
    const tni_node *add = tni_match_only(x, "Add");
    f->mask = NULL;
    if (add == NULL) return match_scaled(f, x);
    for (int k = 0; k < 2; k++) {
        f->mask = add->in[1 - k];
        if (match_scaled(f, add->in[k])) return true;
    }
    return false;
}

static bool over_last(const tni_node *softmax)
{
    const int64_t axis =
        tni_attr_int(softmax, "axis", softmax->opset >= 13 ? -1 : 1);
    return axis == -1 || axis == 3;
}

static bool match_all(found *f, const tni_node *reshape)
{
    static const int64_t swap[4] = {0, 2, 1, 3};
    const tni_value *y =
        moved(tni_match_only(reshape->in[0], "Transpose"), swap);
    const tni_node *product = tni_match_only(y, "MatMul");
    if (product == NULL || !keeps_two(reshape)) return false;
    const tni_node *softmax = tni_match_only(product->in[0], "Softmax");
    if (softmax == NULL || !over_last(softmax) ||
        !match_scores(f, softmax->in[0]) ||
        !match_operand(&f->v, product->in[1], swap))
        return false;
    const tni_type *out = &reshape->out[0]->type;
    const int64_t batch = f->q.x->type.dims[0];
    return f->q.heads == f->k.heads && f->q.heads == f->v.heads &&
           f->q.width == f->k.width && out->rank == 3 &&
           out->dims[2] == f->v.heads * f->v.width &&
           same_dim(batch, f->k.x->type.dims[0]) &&
           same_dim(batch, f->v.x->type.dims[0]);
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    const tni_op *op = tni_op_find("tenon", "Attention");
    if (op == NULL) return TN_OK;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        tni_node *node = g->nodes[i];
        found f;
        if (!tni_match_op(node, "", "Reshape") || !match_all(&f, node))
            continue;
        tni_value *const in[4] = {f.q.x, f.k.x, f.v.x, f.mask};
        const tni_attr attrs[3] = {tni_attr_of_int("q_num_heads", f.q.heads),
                                   tni_attr_of_int("kv_num_heads", f.k.heads),
                                   tni_attr_of_float("scale", (float)f.scale)};
        TN_TRY(tni_pass_become(c, node, "tenon", "Attention", 1, in,
                               f.mask != NULL ? 4 : 3, attrs, 3));
    }
    return TN_OK;
}

const tni_pass tni_pass_fuse_attention = {
    .name = "fuse_attention",
    .summary = "recognises Attention spelled out",
    .run = run,
};
