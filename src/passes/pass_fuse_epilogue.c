/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_epilogue.c - let Conv, MatMul and Gemm end with what follows them
 *
 * A bias, a residual of the output's shape and one activation are applied
 * while a tile of the result is still in registers: Conv becomes FusedConv,
 * MatMul and Gemm become Product. The later node is rewritten and the earlier
 * one removed, so that every input of the fused node is there when it runs.
 */
#include "passes/match.h"

#include <math.h>
#include <string.h>

enum { MAX_ATTRS = 16, MAX_PARAMS = 2 };

typedef struct activation {
    const char *name;
    float params[MAX_PARAMS];
    int n_params;
} activation;

static bool clip_params(activation *a, const tni_node *node)
{
    double lo = -(double)INFINITY, hi = (double)INFINITY;
    if (node->opset < 11) {
        lo = (double)tni_attr_float(node, "min", -INFINITY);
        hi = (double)tni_attr_float(node, "max", INFINITY);
    } else {
        if (node->n_in > 1 && node->in[1] != NULL &&
            !tni_match_scalar(&lo, node->in[1]))
            return false;
        if (node->n_in > 2 && node->in[2] != NULL &&
            !tni_match_scalar(&hi, node->in[2]))
            return false;
    }
    a->params[0] = (float)lo;
    a->params[1] = (float)hi;
    a->n_params = 2;
    return true;
}

/* The activation that a node is, if it is one that epilogues know. */
static bool activation_of(activation *a, const tni_node *node)
{
    static const char *const plain[] = {
        "Relu", "Sigmoid", "Tanh", "Mish", "Softplus", "Softsign", "HardSwish"};
    memset(a, 0, sizeof *a);
    if (node->domain[0] != '\0' || node->ver == NULL) return false;
    const char *op = node->op_type;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(op, plain[i]) != 0) continue;
        a->name = plain[i];
        return true;
    }
    if (strcmp(op, "LeakyRelu") == 0 || strcmp(op, "Elu") == 0) {
        a->name = op;
        a->params[0] =
            tni_attr_float(node, "alpha", op[0] == 'E' ? 1.0f : 0.01f);
        a->n_params = 1;
        return true;
    }
    if (strcmp(op, "HardSigmoid") == 0) {
        a->name = "HardSigmoid";
        a->params[0] = tni_attr_float(node, "alpha", 0.2f);
        a->params[1] = tni_attr_float(node, "beta", 0.5f);
        a->n_params = 2;
        return true;
    }
    if (strcmp(op, "Gelu") == 0) {
        a->name = tni_attr_is(node, "approximate", "tanh", "none") ? "GeluTanh"
                                                                   : "Gelu";
        return true;
    }
    if (strcmp(op, "Swish") == 0) {
        const float alpha = tni_attr_float(node, "alpha", 1.0f);
        a->name = "Silu";
        if (alpha < 1.0f || alpha > 1.0f) {
            a->name = "QuickGelu";
            a->params[0] = alpha;
            a->n_params = 1;
        }
        return true;
    }
    if (strcmp(op, "Clip") == 0) {
        a->name = "Clip";
        return clip_params(a, node);
    }
    return false;
}

typedef enum kind { CONV, PRODUCT, NEITHER } kind;

static kind kind_of(const tni_node *p)
{
    if (tni_match_op(p, "", "Conv") ||
        tni_match_op(p, "com.microsoft", "FusedConv"))
        return CONV;
    if (tni_match_op(p, "", "MatMul") || tni_match_op(p, "", "Gemm") ||
        tni_match_op(p, "tenon", "Product"))
        return PRODUCT;
    return NEITHER;
}

/* The producer of a value that may still take something on. */
static tni_node *open_producer(const tni_value *v)
{
    if (!tni_match_f32(v) || v->producer == NULL ||
        v->producer->graph != v->graph || !tni_value_single_use(v))
        return NULL;
    tni_node *p = v->producer;
    if (kind_of(p) == NEITHER || p->out[0] != v) return NULL;
    return tni_attr_find(p, "activation") == NULL ? p : NULL;
}

static tni_value *input_at(const tni_node *node, int i)
{
    return i < node->n_in ? node->in[i] : NULL;
}

/* Rewrites `node` as what `p` computes with bias, residual and activation. */
static tn_status fuse(tni_pass_run *c, tni_node *node, tni_node *p,
                      tni_value *bias, tni_value *residual,
                      const activation *act)
{
    tni_value *in[4] = {input_at(p, 0), input_at(p, 1), input_at(p, 2),
                        input_at(p, 3)};
    if (bias != NULL) in[2] = bias;
    if (residual != NULL) in[3] = residual;
    tni_attr attrs[MAX_ATTRS];
    int n = 0;
    for (int i = 0; i < p->n_attrs && n < MAX_ATTRS - 2; i++)
        if (p->attrs[i].kind != TNI_ATTR_NONE) attrs[n++] = p->attrs[i];
    if (act != NULL) {
        attrs[n++] = tni_attr_of_string("activation", act->name);
        if (act->n_params > 0) {
            float *params = TNI_NEW_ARRAY(c->arena, float, act->n_params);
            if (params == NULL)
                return tni_fail(c->err, TN_ENOMEM, "out of memory");
            memcpy(params, act->params, (size_t)act->n_params * sizeof *params);
            attrs[n].name = "activation_params";
            attrs[n].kind = TNI_ATTR_FLOATS;
            attrs[n].n = (size_t)act->n_params;
            attrs[n++].v.floats = params;
        }
    }
    const bool conv = kind_of(p) == CONV;
    TN_TRY(tni_pass_become(c, node, conv ? "com.microsoft" : "tenon",
                           conv ? "FusedConv" : "Product", 1, in,
                           in[3] != NULL ? 4 : 3, attrs, n));
    node->name = p->name;
    tni_node_remove(p);
    return TN_OK;
}

/* Extents equal in number or in symbol. */
static bool same_dims(const tni_type *a, const tni_type *b)
{
    if (a->rank < 0 || a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i] || a->dims[i] == TNI_DIM_UNKNOWN)
            return false;
    return true;
}

/* The input that a value has all extents of but the last; NULL: not known. */
static tni_value *rows_of(const tni_value *v)
{
    static const char *const keeping[] = {"LayerNormalization", "Gelu"};
    const tni_node *p = v->producer;
    if (p == NULL || p->graph != v->graph || p->out[0] != v) return NULL;
    for (size_t i = 0; i < sizeof keeping / sizeof keeping[0]; i++)
        if (tni_match_op(p, "", keeping[i])) return p->in[0];
    if (tni_match_op(p, "tenon", "Attention")) return p->in[0];
    if (!tni_match_op(p, "", "MatMul") && !tni_match_op(p, "tenon", "Product"))
        return NULL;
    return p->in[0]->type.rank >= 2 && p->in[1]->type.rank == 2 &&
                   tni_attr_int(p, "transA", 0) == 0
               ? p->in[0]
               : NULL;
}

/* Has v the shape of a value that it was computed from? That of a free extent
 * is known even where inference lost its symbol. */
static bool same_shape_as(const tni_value *v, const tni_value *from)
{
    enum { most = 12 }; /* steps: from a residual to where it is added */
    const tni_type *a = &v->type, *b = &from->type;
    if (a->rank < 1 || a->rank != b->rank || a->dims[a->rank - 1] < 0 ||
        a->dims[a->rank - 1] != b->dims[b->rank - 1])
        return false;
    for (int i = 0; i < most && v != NULL; i++) {
        if (v == from) return true;
        v = rows_of(v);
    }
    return false;
}

/* A constant that broadcasts to the output without enlarging it. */
static bool is_bias(const tni_value *v, const tni_type *y)
{
    if (v->constant == NULL || v->type.dtype != TN_F32 || y->rank < 1 ||
        v->type.rank > y->rank)
        return false;
    for (int i = 0; i < v->type.rank; i++) {
        const int64_t extent = v->type.dims[i];
        if (extent != 1 && extent != y->dims[y->rank - v->type.rank + i])
            return false;
    }
    return true;
}

static tn_status fuse_add(tni_pass_run *c, tni_node *add)
{
    for (int k = 0; k < 2; k++) {
        tni_value *v = add->in[k], *other = add->in[1 - k];
        tni_node *p = v != NULL && other != NULL ? open_producer(v) : NULL;
        if (p == NULL || input_at(p, 3) != NULL || !tni_match_f32(add->out[0]))
            continue;
        if (kind_of(p) == PRODUCT && input_at(p, 2) == NULL &&
            is_bias(other, &v->type))
            return fuse(c, add, p, other, NULL, NULL);
        if (other->constant == NULL && tni_match_f32(other) &&
            (same_dims(&v->type, &other->type) || same_shape_as(v, other)))
            return fuse(c, add, p, NULL, other, NULL);
    }
    return TN_OK;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    for (int i = 0; i < g->n_nodes; i++) {
        tni_node *node = g->nodes[i];
        if (node->index < 0 || node->n_out < 1 || node->out[0] == NULL)
            continue;
        if (tni_match_op(node, "", "Add") && node->n_in == 2) {
            TN_TRY(fuse_add(c, node));
            continue;
        }
        activation act;
        tni_node *p = node->n_in > 0 && node->in[0] != NULL
                          ? open_producer(node->in[0])
                          : NULL;
        if (p != NULL && activation_of(&act, node))
            TN_TRY(fuse(c, node, p, NULL, NULL, &act));
    }
    return TN_OK;
}

const tni_pass tni_pass_fuse_epilogue = {
    .name = "fuse_epilogue",
    .summary = "fuses bias, residual and activation into Conv, MatMul, Gemm",
    .run = run,
};
