/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_qdq.c - execute quantised models as integers
 *
 * Quantisers write DequantizeLinear, a float operator and QuantizeLinear. With
 * Q(x) = QuantizeLinear and D(x) = DequantizeLinear:
 *
 *     Q(Conv(D(x), D(w), D(b)))    QLinearConv
 *     Q(MatMul(D(a), D(b)))        QLinearMatMul
 *     Q(Add(D(a), D(b)))           com.microsoft QLinearAdd, Mul alike
 *     Q(f(D(x))), same scale       f(x) for what only moves or compares
 *     Q(D(x)), same scale          x
 *
 * A Relu before Q is dropped when the smallest quantised value is the zero
 * point. Results differ from the float path by at most the rounding of a tie.
 * Runs before constants are folded, while quantised weights are still there.
 */
#include "passes/match.h"

#include <string.h>

/* A DequantizeLinear or QuantizeLinear with one scale and zero point. */
typedef struct qparams {
    tni_value *x, *scale, *zero; /* zero NULL: 0 */
    tn_dtype dtype;              /* of the quantised side */
} qparams;

static bool int8_type(tn_dtype t)
{
    return t == TN_U8 || t == TN_I8;
}

static tni_value *input_or_null(const tni_node *n, int i)
{
    return i < n->n_in ? n->in[i] : NULL;
}

static bool dequantized(qparams *q, const tni_value *v)
{
    const tni_node *d = tni_match_from(v, "DequantizeLinear");
    if (d == NULL || d->in[0] == NULL || d->in[1] == NULL ||
        d->in[1]->constant == NULL || d->in[1]->type.dtype != TN_F32 ||
        tni_attr_int(d, "block_size", 0) != 0)
        return false;
    q->x = d->in[0];
    q->scale = d->in[1];
    q->zero = input_or_null(d, 2);
    q->dtype = d->in[0]->type.dtype;
    return q->zero == NULL || q->zero->constant != NULL;
}

static bool one_scale(const qparams *q)
{
    return q->scale->constant->len == 1;
}

static bool quantizes(qparams *q, const tni_node *node)
{
    if (!tni_match_op(node, "", "QuantizeLinear") || node->n_out != 1 ||
        node->out[0] == NULL || node->in[0] == NULL || node->in[1] == NULL ||
        node->in[1]->constant == NULL || node->in[1]->constant->len != 1 ||
        node->in[1]->type.dtype != TN_F32)
        return false;
    q->x = node->in[0];
    q->scale = node->in[1];
    q->zero = input_or_null(node, 2);
    q->dtype = q->zero != NULL ? q->zero->type.dtype : TN_U8;
    return int8_type(q->dtype) &&
           (q->zero == NULL || q->zero->constant != NULL);
}

static int64_t zero_of(const qparams *q)
{
    return q->zero != NULL ? tni_get_i64(q->zero->constant, 0) : 0;
}

static bool same_number(const tni_value *a, const tni_value *b)
{
    return a == b || (a->constant->len == 1 && b->constant->len == 1 &&
                      tni_get_f64(a->constant, 0) ==
                          tni_get_f64(b->constant, 0));
}

static bool same_params(const qparams *a, const qparams *b)
{
    return a->dtype == b->dtype && same_number(a->scale, b->scale) &&
           zero_of(a) == zero_of(b);
}

/* A zero point of the right type for operators that demand one. */
static tni_value *zero_value(tni_pass_run *c, const qparams *q)
{
    if (q->zero != NULL) return q->zero;
    tni_tensor *t = TNI_NEW(c->arena, tni_tensor);
    if (t == NULL ||
        tni_tensor_alloc(t, c->arena, q->dtype, 0, NULL, c->err) != TN_OK)
        return NULL;
    TNI_DATA(uint8_t, t)[0] = 0;
    return tni_graph_add_constant(c->graph, "", t);
}

static tn_status nomem(tni_pass_run *c)
{
    return tni_fail(c->err, TN_ENOMEM, "out of memory");
}

/* Bias as int32 with scale x * w: what QLinearConv takes. */
static bool int_bias(tni_value **bias, const tni_value *v)
{
    *bias = NULL;
    if (v == NULL) return true;
    qparams q;
    if (!dequantized(&q, v) || q.dtype != TN_I32 || q.x->constant == NULL ||
        (q.zero != NULL && tni_get_i64(q.zero->constant, 0) != 0))
        return false;
    *bias = q.x;
    return true;
}

static tn_status fuse_conv(tni_pass_run *c, tni_node *node, const qparams *y,
                           const tni_node *conv)
{
    qparams x, w;
    tni_value *bias = NULL;
    if (!dequantized(&x, conv->in[0]) || !one_scale(&x) ||
        !int8_type(x.dtype) || !dequantized(&w, conv->in[1]) ||
        !int8_type(w.dtype) || w.x->constant == NULL ||
        !int_bias(&bias, input_or_null(conv, 2)) ||
        conv->in[1]->producer == NULL)
        return TN_OK;
    if (!one_scale(&w) &&
        (tni_attr_int(conv->in[1]->producer, "axis", 1) != 0 ||
         w.scale->constant->len != w.x->constant->dims[0]))
        return TN_OK;
    tni_value *in[9] = {x.x,     x.scale, zero_value(c, &x),
                        w.x,     w.scale, w.zero,
                        y->scale, zero_value(c, y), bias};
    if (in[5] == NULL) in[5] = zero_value(c, &w);
    if (in[2] == NULL || in[5] == NULL || in[7] == NULL) return nomem(c);
    const char *name = conv->name;
    TN_TRY(tni_pass_become(c, node, "", "QLinearConv", 10, in,
                           bias != NULL ? 9 : 8, conv->attrs, conv->n_attrs));
    node->name = name;
    return TN_OK;
}

static tn_status fuse_matmul(tni_pass_run *c, tni_node *node, const qparams *y,
                             const tni_node *mm)
{
    qparams a, b;
    if (!dequantized(&a, mm->in[0]) || !one_scale(&a) || !int8_type(a.dtype) ||
        !dequantized(&b, mm->in[1]) || !one_scale(&b) || !int8_type(b.dtype))
        return TN_OK;
    tni_value *in[8] = {a.x,  a.scale,  zero_value(c, &a), b.x, b.scale,
                        zero_value(c, &b), y->scale, zero_value(c, y)};
    if (in[2] == NULL || in[5] == NULL || in[7] == NULL) return nomem(c);
    return tni_pass_become(c, node, "", "QLinearMatMul", 10, in, 8, NULL, 0);
}

static tn_status fuse_binary(tni_pass_run *c, tni_node *node, const qparams *y,
                             const tni_node *op)
{
    qparams a, b;
    const char *name = strcmp(op->op_type, "Add") == 0 ? "QLinearAdd"
                                                       : "QLinearMul";
    if (tni_op_find("com.microsoft", name) == NULL ||
        !dequantized(&a, op->in[0]) || !one_scale(&a) ||
        !dequantized(&b, op->in[1]) || !one_scale(&b) || a.dtype != b.dtype ||
        a.dtype != y->dtype)
        return TN_OK;
    tni_value *in[8] = {a.x,  a.scale,  zero_value(c, &a), b.x, b.scale,
                        zero_value(c, &b), y->scale, zero_value(c, y)};
    if (in[2] == NULL || in[5] == NULL || in[7] == NULL) return nomem(c);
    return tni_pass_become(c, node, "com.microsoft", name, 1, in, 8, NULL, 0);
}

/* Moves or compares elements without computing on them. */
static bool is_mover(const tni_node *node)
{
    static const char *const ops[] = {"MaxPool",   "Reshape", "Transpose",
                                      "Flatten",   "Squeeze", "Unsqueeze",
                                      "Slice",     "Gather",  "Expand",
                                      "DepthToSpace", "SpaceToDepth"};
    if (node->domain[0] != '\0' || node->n_in < 1) return false;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(node->op_type, ops[i]) == 0) {
            /* MaxPool has 8-bit types from 12 on, without indices here. */
            return i != 0 || (node->opset >= 12 &&
                              (node->n_out < 2 || node->out[1] == NULL));
        }
    return false;
}

static tn_status fuse_mover(tni_pass_run *c, tni_node *node, const qparams *y,
                            const tni_node *op)
{
    qparams x;
    tni_value *in[8];
    if (op->n_in > 8 || !dequantized(&x, op->in[0]) || !one_scale(&x) ||
        !same_params(&x, y))
        return TN_OK;
    for (int i = 0; i < op->n_in; i++) in[i] = op->in[i];
    in[0] = x.x;
    const char *name = op->name;
    TN_TRY(tni_pass_become(c, node, "", op->op_type, op->opset, in, op->n_in,
                           op->attrs, op->n_attrs));
    node->name = name;
    return TN_OK;
}

static bool relu_is_redundant(const qparams *y)
{
    const int64_t lowest = y->dtype == TN_U8 ? 0 : -128;
    return zero_of(y) == lowest;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    for (int i = 0; i < g->n_nodes; i++) {
        tni_node *node = g->nodes[i];
        qparams y, x;
        if (node->index < 0 || !quantizes(&y, node)) continue;
        if (dequantized(&x, y.x) && one_scale(&x) && same_params(&x, &y)) {
            TN_TRY(tni_pass_become(c, node, "", "Identity", 13, &x.x, 1, NULL,
                                   0));
            continue;
        }
        const tni_value *v = y.x;
        const tni_node *relu = tni_match_only(v, "Relu");
        if (relu != NULL && relu_is_redundant(&y)) v = relu->in[0];
        if (v == NULL || v->producer == NULL || !tni_value_single_use(v) ||
            v->producer->ver == NULL || v->producer->out[0] != v)
            continue;
        const tni_node *op = v->producer;
        if (tni_match_op(op, "", "Conv"))
            TN_TRY(fuse_conv(c, node, &y, op));
        else if (tni_match_op(op, "", "MatMul"))
            TN_TRY(fuse_matmul(c, node, &y, op));
        else if (tni_match_op(op, "", "Add") || tni_match_op(op, "", "Mul"))
            TN_TRY(fuse_binary(c, node, &y, op));
        else if (is_mover(op) && v == y.x)
            TN_TRY(fuse_mover(c, node, &y, op));
    }
    return TN_OK;
}

const tni_pass tni_pass_fuse_qdq = {
    .name = "fuse_qdq",
    .summary = "executes quantised models as integers",
    .run = run,
};
