/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_affine.c - fold what scales and shifts channels into a Conv
 *
 * BatchNormalization in inference, Mul and Add (Sub, Div) by one constant per
 * output channel: y = s * conv(x) + t becomes a convolution with weights s * w
 * and bias s * b + t. Weights are scaled in double and rounded once; large ones
 * stay raw (tensor/raw.h), so that no second copy of them is made.
 */
#include "passes/match.h"
#include "tensor/raw.h"

#include <math.h>
#include <string.h>

/* Scale and shift per output channel. */
typedef struct affine {
    double *scale, *shift;
    int64_t n;
} affine;

static bool affine_new(affine *a, int64_t n, tni_arena *tmp)
{
    a->n = n;
    a->scale = TNI_NEW_ARRAY(tmp, double, n);
    a->shift = TNI_NEW_ARRAY(tmp, double, n);
    if (a->scale == NULL || a->shift == NULL) return false;
    for (int64_t i = 0; i < n; i++) a->scale[i] = 1.0;
    return true;
}

static bool const_len(const tni_value *v, int64_t n)
{
    return v != NULL && v->constant != NULL &&
           v->constant->kind == TN_KIND_TENSOR && v->constant->len == n &&
           v->constant->dtype == TN_F32 && tni_tensor_is_plain(v->constant);
}

static bool from_batch_norm(affine *a, const tni_node *node, int64_t n,
                            tni_arena *tmp)
{
    for (int i = 1; i < 5; i++)
        if (i >= node->n_in || !const_len(node->in[i], n)) return false;
    for (int i = 1; i < node->n_out; i++)
        if (node->out[i] != NULL && node->out[i]->n_uses > 0) return false;
    if (tni_attr_int(node, "training_mode", 0) != 0 ||
        tni_attr_int(node, "spatial", 1) == 0 ||
        (node->opset < 7 && tni_attr_int(node, "is_test", 0) == 0) ||
        !affine_new(a, n, tmp))
        return false;
    const double eps = (double)tni_attr_float(node, "epsilon", 1e-5f);
    for (int64_t i = 0; i < n; i++) {
        const double gamma = tni_get_f64(node->in[1]->constant, i);
        const double beta = tni_get_f64(node->in[2]->constant, i);
        const double mean = tni_get_f64(node->in[3]->constant, i);
        const double var = tni_get_f64(node->in[4]->constant, i);
        a->scale[i] = gamma / sqrt(var + eps);
        a->shift[i] = beta - mean * a->scale[i];
        if (!isfinite(a->scale[i]) || !isfinite(a->shift[i])) return false;
    }
    return true;
}

/* A constant that holds one number, or one per channel of an output of this
 * rank: [C, 1, 1], [1, C, 1, 1]. */
static bool per_channel(const tni_tensor *t, int64_t n, int rank)
{
    if (t->dtype != TN_F32 || !tni_tensor_is_plain(t)) return false;
    if (t->len == 1) return t->rank <= rank;
    if (t->len != n || t->rank > rank) return false;
    const int channel = t->rank - (rank - 1);
    return channel >= 0 && t->dims[channel] == n;
}

static bool from_binary(affine *a, const tni_node *node,
                        const tni_value *conv_out, int64_t n, tni_arena *tmp)
{
    if (node->n_in != 2 || node->in[0] == NULL || node->in[1] == NULL)
        return false;
    const int k = node->in[0] == conv_out ? 1 : 0;
    const tni_tensor *t = node->in[k]->constant;
    if (t == NULL || conv_out->type.rank < 3 ||
        !per_channel(t, n, conv_out->type.rank) || !affine_new(a, n, tmp))
        return false;
    const char *op = node->op_type;
    for (int64_t i = 0; i < n; i++) {
        const double v = tni_get_f64(t, t->len == 1 ? 0 : i);
        if (strcmp(op, "Mul") == 0) {
            a->scale[i] = v;
        } else if (strcmp(op, "Add") == 0) {
            a->shift[i] = v;
        } else if (strcmp(op, "Div") == 0 && k == 1) {
            a->scale[i] = 1.0 / v;
        } else if (strcmp(op, "Sub") == 0) {
            a->scale[i] = k == 1 ? 1.0 : -1.0;
            a->shift[i] = k == 1 ? -v : v;
        } else {
            return false;
        }
        if (!isfinite(a->scale[i]) || !isfinite(a->shift[i])) return false;
    }
    return true;
}

/* The weights w with rows scaled, as a tensor to be computed when it is read;
 * NULL when memory is out. */
static tni_value *scaled_later(tni_pass_run *c, const tni_tensor *w,
                               const affine *a)
{
    tni_tensor *t = TNI_NEW(c->arena, tni_tensor);
    tni_scaled *s = TNI_NEW(c->arena, tni_scaled);
    double *by = TNI_NEW_ARRAY(c->arena, double, a->n);
    if (t == NULL || s == NULL || by == NULL) return NULL;
    *t = *w;
    t->data = NULL;
    t->owner = NULL;
    t->scaled = s;
    const tni_scaled was = {w->data, w->dtype, NULL};
    const tni_scaled *old = w->scaled != NULL ? w->scaled : &was;
    *s = *old;
    s->by = by;
    for (int64_t i = 0; i < a->n; i++)
        by[i] = a->scale[i] * (old->by != NULL ? old->by[i] : 1.0);
    return tni_graph_add_constant(c->graph, "", t);
}

static tni_value *scaled_now(tni_pass_run *c, const tni_tensor *w,
                             const affine *a)
{
    float *to = NULL;
    tni_value *v = tni_pass_constant_f32(c, w->rank, w->dims, &to);
    if (v == NULL) return NULL;
    const int64_t per = w->len / a->n;
    const float *old = TNI_CDATA(float, w);
    for (int64_t o = 0; o < a->n; o++)
        for (int64_t i = 0; i < per; i++)
            to[o * per + i] = (float)(a->scale[o] * (double)old[o * per + i]);
    return v;
}

/* New weights and bias; the Conv node takes over `node`'s place. */
static tn_status apply(tni_pass_run *c, tni_node *node, tni_node *conv,
                       const affine *a)
{
    const tni_tensor *w = conv->in[1]->constant;
    float *new_b = NULL;
    tni_value *wv = tn_tensor_size(w) < TNI_RAW_MIN_BYTES
                        ? scaled_now(c, w, a)
                        : scaled_later(c, w, a);
    tni_value *bv = tni_pass_constant_f32(c, 1, &a->n, &new_b);
    if (wv == NULL || bv == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const bool has_bias = conv->n_in > 2 && conv->in[2] != NULL;
    for (int64_t o = 0; o < a->n; o++) {
        const double b = has_bias ? tni_get_f64(conv->in[2]->constant, o) : 0.0;
        new_b[o] = (float)(a->scale[o] * b + a->shift[o]);
    }
    tni_value *const in[3] = {conv->in[0], wv, bv};
    TN_TRY(tni_pass_become(c, node, "", "Conv", conv->opset, in, 3, conv->attrs,
                           conv->n_attrs));
    node->name = conv->name;
    tni_node_remove(conv);
    return TN_OK;
}

static tni_node *conv_before(const tni_node *node)
{
    for (int k = 0; k < node->n_in && k < 2; k++) {
        tni_node *conv = tni_match_only(node->in[k], "Conv");
        if (conv == NULL || conv->n_in < 2 || conv->in[1] == NULL) continue;
        const tni_tensor *w = conv->in[1]->constant;
        if (w == NULL || w->dtype != TN_F32 || w->rank < 3 || w->dims[0] <= 0)
            continue;
        if (conv->n_in > 2 && conv->in[2] != NULL &&
            !const_len(conv->in[2], w->dims[0]))
            continue;
        return conv;
    }
    return NULL;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    for (int i = 0; i < g->n_nodes; i++) {
        tni_node *node = g->nodes[i];
        const bool bn = tni_match_op(node, "", "BatchNormalization");
        const bool binary =
            tni_match_op(node, "", "Mul") || tni_match_op(node, "", "Add") ||
            tni_match_op(node, "", "Sub") || tni_match_op(node, "", "Div");
        if (!bn && !binary) continue;
        tni_node *conv = conv_before(node);
        if (conv == NULL || (bn && conv->out[0] != node->in[0])) continue;
        const int64_t n = conv->in[1]->constant->dims[0];
        const tni_arena_mark mark = tni_arena_save(c->tmp);
        affine a;
        if (bn ? from_batch_norm(&a, node, n, c->tmp)
               : from_binary(&a, node, conv->out[0], n, c->tmp))
            TN_TRY(apply(c, node, conv, &a));
        tni_arena_rewind(c->tmp, mark);
    }
    return TN_OK;
}

const tni_pass tni_pass_fuse_affine = {
    .name = "fuse_affine",
    .summary = "folds BatchNormalization and per-channel constants into Conv",
    .run = run,
};
