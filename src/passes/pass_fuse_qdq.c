/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_qdq.c - execute quantised models as integers
 *
 * Quantisers write DequantizeLinear, a float operator and QuantizeLinear. With
 * Q(x) = QuantizeLinear and D(x) = DequantizeLinear:
 *
 *     Q(Conv(D(x), D(w), D(b)))    QLinearConv
 *     Q(MatMul(D(a), D(b)))        QLinearMatMul
 *     Q(Gemm(D(a), D(b), D(c)))    com.microsoft QGemm, without Q too
 *     Q(Add(D(a), D(b)))           com.microsoft QLinearAdd, Mul alike
 *     Q(Concat(D(a), D(b) ...))    com.microsoft QLinearConcat
 *     Q(GlobalAveragePool(D(x)))   com.microsoft QLinearGlobalAveragePool,
 *                                  AveragePool alike
 *     Q(g(f(D(x))))                tenon.Lookup, for functions of one number
 *     Q(f(D(x))), same scale       f(x) for what only moves or compares
 *     Q(D(x)), same scale          x
 *
 * A Relu or Clip before Q is dropped when the range of Q lies within its own,
 * and else holds the codes of a product in a table. Results differ from the
 * float path by at most the rounding of a tie. Runs before constants are
 * folded, while quantised weights are still there.
 */
#include "passes/match.h"

#include <math.h>
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
    return a == b ||
           (a->constant->len == 1 && b->constant->len == 1 &&
            tni_get_f64(a->constant, 0) == tni_get_f64(b->constant, 0));
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
    tni_value *in[9] = {x.x,    x.scale,  zero_value(c, &x), w.x, w.scale,
                        w.zero, y->scale, zero_value(c, y),  bias};
    if (in[5] == NULL) in[5] = zero_value(c, &w);
    if (in[2] == NULL || in[5] == NULL || in[7] == NULL) return nomem(c);
    const char *name = conv->name;
    TN_TRY(tni_pass_become(c, node, "", "QLinearConv", 10, in,
                           bias != NULL ? 9 : 8, conv->attrs, conv->n_attrs));
    node->name = name;
    return TN_OK;
}

/* One scale for all of B, or one per column of a matrix. */
static bool per_column(const tni_value *v, const qparams *b)
{
    if (one_scale(b)) return true;
    const tni_tensor *w = b->x->constant;
    const int64_t axis = tni_attr_int(v->producer, "axis", 1);
    return w != NULL && w->rank == 2 && (axis == 1 || axis == -1) &&
           b->scale->constant->len == w->dims[1];
}

/* y NULL: the result stays a float. */
static tn_status fuse_matmul(tni_pass_run *c, tni_node *node, const qparams *y,
                             const tni_node *mm)
{
    qparams a, b;
    if (!dequantized(&a, mm->in[0]) || !one_scale(&a) || !int8_type(a.dtype) ||
        !dequantized(&b, mm->in[1]) || !int8_type(b.dtype) ||
        !per_column(mm->in[1], &b))
        return TN_OK;
    tni_value *za = zero_value(c, &a), *zb = zero_value(c, &b);
    if (za == NULL || zb == NULL) return nomem(c);
    const char *name = mm->name;
    if (y == NULL) {
        tni_value *in[6] = {a.x, b.x, a.scale, b.scale, za, zb};
        if (b.x->constant == NULL) return TN_OK;
        TN_TRY(tni_pass_become(c, node, "com.microsoft", "MatMulIntegerToFloat",
                               1, in, 6, NULL, 0));
    } else {
        tni_value *in[8] = {a.x,     a.scale, za,       b.x,
                            b.scale, zb,      y->scale, zero_value(c, y)};
        if (in[7] == NULL) return nomem(c);
        TN_TRY(
            tni_pass_become(c, node, "", "QLinearMatMul", 10, in, 8, NULL, 0));
    }
    node->name = name;
    return TN_OK;
}

static tn_status fuse_binary(tni_pass_run *c, tni_node *node, const qparams *y,
                             const tni_node *op)
{
    qparams a, b;
    const char *name =
        strcmp(op->op_type, "Add") == 0 ? "QLinearAdd" : "QLinearMul";
    if (tni_op_find("com.microsoft", name) == NULL ||
        !dequantized(&a, op->in[0]) || !one_scale(&a) ||
        !dequantized(&b, op->in[1]) || !one_scale(&b) || a.dtype != b.dtype ||
        a.dtype != y->dtype)
        return TN_OK;
    tni_value *in[8] = {a.x,      a.scale,         zero_value(c, &a),
                        b.x,      b.scale,         zero_value(c, &b),
                        y->scale, zero_value(c, y)};
    if (in[2] == NULL || in[5] == NULL || in[7] == NULL) return nomem(c);
    return tni_pass_become(c, node, "com.microsoft", name, 1, in, 8, NULL, 0);
}

static tn_status fuse_gemm(tni_pass_run *c, tni_node *node, const qparams *y,
                           const tni_node *gemm)
{
    qparams a, b;
    tni_value *bias = NULL;
    tni_attr attrs[2];
    if (!dequantized(&a, gemm->in[0]) || !one_scale(&a) ||
        !int8_type(a.dtype) || !dequantized(&b, gemm->in[1]) ||
        !one_scale(&b) || !int8_type(b.dtype) || b.x->constant == NULL ||
        !int_bias(&bias, input_or_null(gemm, 2)) ||
        tni_attr_float(gemm, "alpha", 1.0f) != 1.0f ||
        tni_attr_float(gemm, "beta", 1.0f) != 1.0f)
        return TN_OK;
    tni_value *in[9] = {a.x,  a.scale, zero_value(c, &a),
                        b.x,  b.scale, zero_value(c, &b),
                        bias, NULL,    NULL};
    if (y != NULL) {
        in[7] = y->scale;
        in[8] = zero_value(c, y);
    }
    if (in[2] == NULL || in[5] == NULL || (y != NULL && in[8] == NULL))
        return nomem(c);
    attrs[0] = tni_attr_of_int("transA", tni_attr_int(gemm, "transA", 0));
    attrs[1] = tni_attr_of_int("transB", tni_attr_int(gemm, "transB", 0));
    const char *name = gemm->name;
    TN_TRY(tni_pass_become(c, node, "com.microsoft", "QGemm", 1, in,
                           y != NULL      ? 9
                           : bias != NULL ? 7
                                          : 6,
                           attrs, 2));
    node->name = name;
    return TN_OK;
}

static tn_status fuse_pool(tni_pass_run *c, tni_node *node, const qparams *y,
                           const tni_node *op)
{
    qparams x;
    const bool global = strcmp(op->op_type, "GlobalAveragePool") == 0;
    if (!dequantized(&x, op->in[0]) || !one_scale(&x) || x.dtype != y->dtype ||
        op->in[0] == NULL)
        return TN_OK;
    for (int i = 0; i < op->n_attrs; i++)
        if (strcmp(op->attrs[i].name, "dilations") == 0) return TN_OK;
    tni_value *in[5] = {x.x, x.scale, zero_value(c, &x), y->scale,
                        zero_value(c, y)};
    if (in[2] == NULL || in[4] == NULL) return nomem(c);
    const char *name = op->name;
    TN_TRY(tni_pass_become(c, node, "com.microsoft",
                           global ? "QLinearGlobalAveragePool"
                                  : "QLinearAveragePool",
                           1, in, 5, op->attrs, op->n_attrs));
    node->name = name;
    return TN_OK;
}

static tn_status fuse_concat(tni_pass_run *c, tni_node *node, const qparams *y,
                             const tni_node *op)
{
    tni_value **in = TNI_NEW_ARRAY(c->tmp, tni_value *, 3 * op->n_in + 2);
    if (in == NULL) return nomem(c);
    in[0] = y->scale;
    in[1] = zero_value(c, y);
    if (in[1] == NULL) return nomem(c);
    for (int i = 0; i < op->n_in; i++) {
        qparams x;
        if (!dequantized(&x, op->in[i]) || !one_scale(&x) ||
            x.dtype != y->dtype)
            return TN_OK;
        in[3 * i + 2] = x.x;
        in[3 * i + 3] = x.scale;
        in[3 * i + 4] = zero_value(c, &x);
        if (in[3 * i + 4] == NULL) return nomem(c);
    }
    return tni_pass_become(c, node, "com.microsoft", "QLinearConcat", 1, in,
                           3 * op->n_in + 2, op->attrs, op->n_attrs);
}

/* --- functions of one number --------------------------------------------- */

static bool is_function(const tni_node *node)
{
    static const char *const ops[] = {
        "Sigmoid", "Tanh",  "LeakyRelu", "Elu",      "HardSigmoid",
        "Relu",    "Clip",  "HardSwish", "Softplus", "Swish",
        "Gelu",    "Mish",  "Erf",       "Exp",      "Sqrt",
        "Abs",     "Neg",   "Celu",      "Selu",     "Softsign",
        "Log",     "Floor", "Ceil",      "Round",    "ThresholdedRelu",
        "Add",     "Sub",   "Mul",       "Div",      "Pow",
        "Min",     "Max"};
    if (node->domain[0] != '\0' || node->ver == NULL || node->n_out != 1)
        return false;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(node->op_type, ops[i]) == 0) return true;
    return false;
}

/* The input that varies, all others being one number each; -1: none. */
static int variable_input(const tni_node *node)
{
    int at = -1;
    for (int i = 0; i < node->n_in; i++) {
        const tni_value *v = node->in[i];
        if (v == NULL) continue;
        if (v->constant == NULL) {
            if (at >= 0) return -1;
            at = i;
        } else if (v->constant->len != 1) {
            return -1;
        }
    }
    return at;
}

/* The same node over `from` instead of its input `at`. */
static tni_value *copy_over(tni_pass_run *c, const tni_node *node, int at,
                            tni_value *from)
{
    tni_graph *g = c->graph;
    tni_node *n = tni_graph_add_node(g, node->domain, node->op_type, node->n_in,
                                     1, node->n_attrs);
    tni_value *v = n != NULL ? tni_graph_add_value(g, "") : NULL;
    if (v == NULL) return NULL;
    n->op = node->op;
    n->ver = node->ver;
    n->opset = node->opset;
    for (int i = 0; i < node->n_in; i++) n->in[i] = node->in[i];
    n->in[at] = from;
    for (int i = 0; i < node->n_attrs; i++) n->attrs[i] = node->attrs[i];
    n->out[0] = v;
    v->type = from->type;
    v->type.dtype = node->out[0]->type.dtype;
    v->producer = n;
    return v;
}

/* Every code there is, in the order of their bytes. */
static tni_value *all_codes(tni_pass_run *c, tn_dtype dtype)
{
    const int64_t len = 256;
    tni_tensor *t = TNI_NEW(c->arena, tni_tensor);
    if (t == NULL ||
        tni_tensor_alloc(t, c->arena, dtype, 1, &len, c->err) != TN_OK)
        return NULL;
    for (int i = 0; i < 256; i++) TNI_DATA(uint8_t, t)[i] = (uint8_t)i;
    return tni_graph_add_constant(c->graph, "", t);
}

enum { CHAIN = 8 };

/* The chain from Q up to D is copied over all codes, where it is folded into
 * the table. */
static tn_status fuse_function(tni_pass_run *c, tni_node *node)
{
    const tni_node *chain[CHAIN];
    int at[CHAIN], n = 0;
    qparams x;
    const tni_value *v = node->in[0];
    while (!dequantized(&x, v)) {
        const tni_node *f = v->producer;
        if (n == CHAIN - 1 || f == NULL || !tni_value_single_use(v) ||
            !is_function(f) || (at[n] = variable_input(f)) < 0)
            return TN_OK;
        v = f->in[at[n]];
        chain[n++] = f;
    }
    if (n == 0 || !one_scale(&x) || !int8_type(x.dtype)) return TN_OK;
    tni_value *table = all_codes(c, x.dtype);
    if (table == NULL) return nomem(c);
    table = copy_over(c, v->producer, 0, table);
    for (int i = n - 1; i >= 0 && table != NULL; i--)
        table = copy_over(c, chain[i], at[i], table);
    if (table != NULL) table = copy_over(c, node, 0, table);
    if (table == NULL) return nomem(c);
    tni_value *const in[2] = {x.x, table};
    const char *name = chain[n - 1]->name;
    TN_TRY(tni_pass_become(c, node, "tenon", "Lookup", 1, in, 2, NULL, 0));
    node->name = name;
    return TN_OK;
}

/* Moves or compares elements without computing on them. */
static bool is_mover(const tni_node *node)
{
    static const char *const ops[] = {
        "MaxPool", "Reshape",      "Transpose",   "Flatten",
        "Squeeze", "Unsqueeze",    "Slice",       "Gather",
        "Expand",  "DepthToSpace", "SpaceToDepth"};
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

/* Where rounding and holding a bound in range ends: relative to the lowest
 * code, 0 to 255. */
static double code_of(const qparams *y, double bound)
{
    const double scale = tni_get_f64(y->scale->constant, 0);
    const double least = y->dtype == TN_U8 ? 0.0 : -128.0;
    const double v = rint(bound / scale) + (double)zero_of(y) - least;
    return v < 0.0 ? 0.0 : v > 255.0 ? 255.0 : v;
}

/* The codes, above the lowest, of the bounds that a node holds its input
 * between. Quantising is monotonous, so holding codes between them does the
 * same, and nothing when they are the ends of the range. */
static bool bounds(int code[2], const tni_node *node, const qparams *y)
{
    double low = 0.0, high = HUGE_VAL;
    if (tni_match_op(node, "", "Clip") && node->opset >= 11) {
        const tni_value *lo = input_or_null(node, 1);
        const tni_value *hi = input_or_null(node, 2);
        low = -HUGE_VAL;
        if ((lo != NULL && !tni_match_scalar(&low, lo)) ||
            (hi != NULL && !tni_match_scalar(&high, hi)))
            return false;
    } else if (!tni_match_op(node, "", "Relu")) {
        return false;
    }
    const double scale = tni_get_f64(y->scale->constant, 0);
    if (!(scale > 0.0) || isinf(scale) || isnan(low) || isnan(high))
        return false;
    code[0] = (int)code_of(y, low);
    code[1] = (int)code_of(y, high);
    return true;
}

static tn_status fuse_op(tni_pass_run *c, tni_node *node, const qparams *y,
                         const tni_node *op)
{
    if (tni_match_op(op, "", "Conv")) return fuse_conv(c, node, y, op);
    if (tni_match_op(op, "", "MatMul")) return fuse_matmul(c, node, y, op);
    if (tni_match_op(op, "", "Gemm")) return fuse_gemm(c, node, y, op);
    if (tni_match_op(op, "", "Add") || tni_match_op(op, "", "Mul"))
        return fuse_binary(c, node, y, op);
    return TN_OK;
}

/* What makes v, when nobody else reads it. */
static const tni_node *sole_maker(const tni_value *v)
{
    const bool sole = v != NULL && v->producer != NULL &&
                      tni_value_single_use(v) && v->producer->ver != NULL &&
                      v->producer->out[0] == v;
    return sole ? v->producer : NULL;
}

/*
 * Q(Clip(op)) where the bounds lie within the range of Q: a new node is
 * Q(op), and this one holds its codes between those of the bounds.
 */
static tn_status fuse_held(tni_pass_run *c, tni_node *node, const qparams *y,
                           tni_node *held, const int code[2])
{
    const int64_t len = 256;
    tni_graph *g = c->graph;
    tni_node *q = tni_graph_add_node(g, "", "QuantizeLinear", 3, 1, 0);
    tni_value *v = q != NULL ? tni_graph_add_value(g, "") : NULL;
    tni_tensor *t = TNI_NEW(c->arena, tni_tensor);
    tni_value *zero = zero_value(c, y);
    if (v == NULL || t == NULL || zero == NULL ||
        tni_tensor_alloc(t, c->arena, y->dtype, 1, &len, c->err) != TN_OK)
        return nomem(c);
    const int turn = y->dtype == TN_I8 ? 128 : 0;
    for (int i = 0; i < 256; i++) {
        const int k = i ^ turn, low = k < code[0] ? code[0] : k;
        const int m = low > code[1] ? code[1] : low; /* Clip's order */
        TNI_DATA(uint8_t, t)[i] = (uint8_t)(m ^ turn);
    }
    tni_value *const in[2] = {v, tni_graph_add_constant(g, "", t)};
    if (in[1] == NULL) return nomem(c);
    q->op = node->op;
    q->ver = node->ver;
    q->opset = node->opset;
    q->in[0] = held->in[0];
    q->in[1] = y->scale;
    q->in[2] = zero;
    q->out[0] = v;
    for (int i = 0; i < 3; i++)
        if (q->in[i]->graph == g) q->in[i]->n_uses++;
    v->type = node->out[0]->type;
    v->producer = q;
    TN_TRY(tni_pass_become(c, node, "tenon", "Lookup", 1, in, 2, NULL, 0));
    qparams inner = *y;
    inner.x = held->in[0];
    return fuse_op(c, q, &inner, held->in[0]->producer);
}

static bool is_product(const tni_node *op)
{
    return op != NULL &&
           (tni_match_op(op, "", "Conv") || tni_match_op(op, "", "MatMul") ||
            tni_match_op(op, "", "Gemm"));
}

/* What stands before Q, a Relu or Clip between them taken out. */
static tn_status fuse_before(tni_pass_run *c, tni_node *node, const qparams *y)
{
    int code[2] = {0, 255};
    const tni_node *op = sole_maker(y->x), *held = NULL;
    if (op != NULL && bounds(code, op, y)) {
        held = op;
        op = sole_maker(held->in[0]);
    }
    if (op == NULL) return TN_OK;
    if (code[0] > 0 || code[1] < 255)
        return is_product(op) ? fuse_held(c, node, y, y->x->producer, code)
                              : TN_OK;
    TN_TRY(fuse_op(c, node, y, op));
    if (held != NULL || !tni_match_op(node, "", "QuantizeLinear")) return TN_OK;
    if (is_mover(op)) return fuse_mover(c, node, y, op);
    if (tni_match_op(op, "", "GlobalAveragePool") ||
        tni_match_op(op, "", "AveragePool"))
        return fuse_pool(c, node, y, op);
    if (tni_match_op(op, "", "Concat")) return fuse_concat(c, node, y, op);
    return TN_OK;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    const int n_nodes = g->n_nodes; /* new ones come behind */
    for (int i = 0; i < n_nodes; i++) {
        tni_node *node = g->nodes[i];
        qparams y, x;
        if (node->index < 0 || !quantizes(&y, node)) continue;
        if (dequantized(&x, y.x) && one_scale(&x) && same_params(&x, &y)) {
            TN_TRY(
                tni_pass_become(c, node, "", "Identity", 13, &x.x, 1, NULL, 0));
            continue;
        }
        TN_TRY(fuse_before(c, node, &y));
        if (tni_match_op(node, "", "QuantizeLinear"))
            TN_TRY(fuse_function(c, node));
    }
    /* What is not quantised again stays a float. */
    for (int i = 0; i < n_nodes; i++) {
        tni_node *node = g->nodes[i];
        if (node->index < 0) continue;
        if (tni_match_op(node, "", "Gemm"))
            TN_TRY(fuse_gemm(c, node, NULL, node));
        else if (tni_match_op(node, "", "MatMul"))
            TN_TRY(fuse_matmul(c, node, NULL, node));
    }
    return TN_OK;
}

const tni_pass tni_pass_fuse_qdq = {
    .name = "fuse_qdq",
    .summary = "executes quantised models as integers",
    .run = run,
};
